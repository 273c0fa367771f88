-- The head of each shard: one row, moved by compare-and-swap, hence room for in-page updates.
CREATE TABLE log_head (
    shard smallint PRIMARY KEY,
    position bigint NOT NULL DEFAULT 0,
    epoch bigint NOT NULL DEFAULT 1,
    incarnation uuid NOT NULL DEFAULT gen_random_uuid(),
    recorded_at timestamptz NOT NULL DEFAULT 'epoch'
) WITH (fillfactor = 10, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

-- Keys the comparison of content: a bare hash of patient data could be guessed.
CREATE TABLE log_key (
    shard smallint PRIMARY KEY REFERENCES log_head,
    fingerprint_key bytea NOT NULL
);

CREATE TABLE relay_lease (
    shard smallint PRIMARY KEY REFERENCES log_head,
    holder uuid,
    epoch bigint NOT NULL DEFAULT 0,
    expires_at timestamptz NOT NULL DEFAULT 'epoch',
    published bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 10);

INSERT INTO log_head (shard) VALUES (0);
INSERT INTO log_key (shard, fingerprint_key)
VALUES (0, uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()));
INSERT INTO relay_lease (shard) VALUES (0);

-- Every unique key holds the stream, so that the table can be distributed by it. There is no
-- unique key on the position: the compare-and-swap on the head guarantees it.
CREATE TABLE events (
    position bigint NOT NULL,
    shard smallint NOT NULL,
    stream_id text COLLATE "C" NOT NULL,
    stream_version bigint NOT NULL,
    slice smallint NOT NULL,
    event_id uuid NOT NULL,
    clinic_id text COLLATE "C" NOT NULL,
    kind text COLLATE "C" NOT NULL,
    schema_version integer NOT NULL,
    occurred_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    phi boolean NOT NULL,
    consent_id text NOT NULL,
    key_id text NOT NULL,
    meta bytea NOT NULL,
    body bytea NOT NULL,
    content_hmac bytea NOT NULL,
    hash bytea,
    PRIMARY KEY (stream_id, stream_version),
    UNIQUE (stream_id, event_id)
) PARTITION BY HASH (stream_id);

DO $$
BEGIN
    FOR part IN 0..7 LOOP
        EXECUTE format(
            'CREATE TABLE events_%s PARTITION OF events FOR VALUES WITH (MODULUS 8, REMAINDER %s)',
            part, part
        );
    END LOOP;
END $$;

CREATE INDEX events_position ON events (shard, position);
