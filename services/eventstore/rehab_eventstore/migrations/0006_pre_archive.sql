-- Parts of the log that were moved to object storage. A row is what is needed to find an object, to
-- open it, and to go on with what was interrupted. It stays when the events are brought back: older
-- backups of this database need the object, and the object its key.
CREATE TABLE archive_segment (
    segment integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text COLLATE "C" NOT NULL UNIQUE,
    shard smallint NOT NULL REFERENCES log_head,
    incarnation uuid NOT NULL,
    first_slice smallint NOT NULL,
    last_slice smallint NOT NULL,
    first_position bigint NOT NULL,
    last_position bigint NOT NULL,
    events integer NOT NULL CHECK (events > 0),
    -- the key that seals the object, wrapped like patients' keys
    kek_id text COLLATE "C" NOT NULL,
    kek_version text COLLATE "C" NOT NULL,
    wrapped bytea NOT NULL,
    -- planned: maybe there is an object; written: there is, verified; archived: the rows of its
    -- events hold neither envelope nor body any more; returned: they do again, and the log is yet to
    -- tell so; restored: it does
    state text COLLATE "C" NOT NULL DEFAULT 'planned'
        CHECK (state IN ('planned', 'written', 'archived', 'returned', 'restored')),
    size bigint NOT NULL DEFAULT 0,
    sha256 bytea,
    -- what the log tells of it, as serialised rehab.eventstore.v1.NewEvents, and where it does
    manifest bytea,
    manifest_position bigint,
    return_told bytea,
    return_position bigint,
    planned_at timestamptz NOT NULL DEFAULT now(),
    CHECK (state = 'planned' OR sha256 IS NOT NULL)
);

CREATE INDEX archive_segment_by_position ON archive_segment (shard, last_position);
CREATE INDEX archive_segment_by_kek ON archive_segment (kek_id, kek_version);

-- One replica at a time moves events of a shard. Times are the server's.
CREATE TABLE archive_lease (
    shard smallint PRIMARY KEY,
    holder uuid NOT NULL,
    expires_at timestamptz NOT NULL
);

-- An archived event keeps its row, without meta and body: so the unique keys still tell a repeat of
-- it from a new event, versions and filters are as before, and a read sees in one snapshot what is
-- here and what is not.
ALTER TABLE events
    -- the archive_segment that holds meta and body
    ADD COLUMN segment integer,
    -- how many bytes the two have: pages end where they did
    ADD COLUMN archived_bytes integer;
