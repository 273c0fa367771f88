-- Where the chain of hashes stands, and the first position that it covers.
ALTER TABLE log_head
    ADD COLUMN hash bytea NOT NULL DEFAULT decode(repeat('00', 32), 'hex'),
    ADD COLUMN chained_from bigint NOT NULL DEFAULT 1;

UPDATE log_head SET chained_from = position + 1;

-- A writer of the version before must not leave a gap in the chain.
ALTER TABLE events ADD CONSTRAINT chained CHECK (hash IS NOT NULL) NOT VALID;

-- Signed statements of where the chain stood. What they cover can no longer be changed, reordered
-- or cut off unnoticed.
CREATE TABLE log_checkpoint (
    shard smallint NOT NULL REFERENCES log_head,
    position bigint NOT NULL,
    incarnation uuid NOT NULL,
    hash bytea NOT NULL,
    signed_at timestamptz NOT NULL,
    key_id text COLLATE "C" NOT NULL,
    signature bytea NOT NULL,
    PRIMARY KEY (shard, incarnation, position)
);

-- One patient's data keys, wrapped. A destroyed key keeps its row without its secret: the proof
-- that there was one.
CREATE TABLE data_key (
    stream_id text COLLATE "C" NOT NULL,
    key_id text COLLATE "C" NOT NULL,
    kek_id text COLLATE "C" NOT NULL,
    kek_version text COLLATE "C" NOT NULL,
    wrapped bytea,
    -- seals what comes; the others only open what they sealed
    newest boolean NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    destroyed_at timestamptz,
    PRIMARY KEY (stream_id, key_id),
    CHECK ((wrapped IS NULL) = (destroyed_at IS NOT NULL))
) WITH (
    -- a destroyed secret must not linger in dead rows
    autovacuum_vacuum_threshold = 0,
    autovacuum_vacuum_scale_factor = 0
);

CREATE UNIQUE INDEX data_key_newest ON data_key (stream_id) WHERE newest;
CREATE INDEX data_key_by_kek ON data_key (kek_id, kek_version) WHERE wrapped IS NOT NULL;

-- Subjects whose erasure has begun; from then on nothing is added to their streams. It ends when
-- the keys are destroyed and the log tells so; whoever finds one that has not ended goes on with it.
CREATE TABLE erasure (
    stream_id text COLLATE "C" PRIMARY KEY,
    reason text COLLATE "C" NOT NULL,
    begun_by text COLLATE "C" NOT NULL,
    -- the event that the log will tell of it, as a serialised rehab.eventstore.v1.NewEvent
    event bytea NOT NULL,
    begun_at timestamptz NOT NULL DEFAULT now(),
    keys integer,
    position bigint,
    ended_at timestamptz
);

-- Who must not be erased for now.
CREATE TABLE legal_hold (
    stream_id text COLLATE "C" PRIMARY KEY,
    reason text COLLATE "C" NOT NULL,
    placed_by text COLLATE "C" NOT NULL,
    placed_at timestamptz NOT NULL DEFAULT now()
);

-- A fold's state at a version of a stream, sealed like the events it was made of.
CREATE TABLE snapshot (
    stream_id text COLLATE "C" NOT NULL,
    fold text COLLATE "C" NOT NULL,
    code_version integer NOT NULL,
    stream_version bigint NOT NULL,
    key_id text COLLATE "C" NOT NULL,
    state bytea NOT NULL,
    saved_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (stream_id, fold, code_version, stream_version)
);
