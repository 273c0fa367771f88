-- One row per log shard: the end of its order. An append moves it from the position it believes in
-- and fails when another was there first, so positions are gapless and in commit order.
CREATE TABLE log_head (
    shard smallint PRIMARY KEY,
    position bigint NOT NULL DEFAULT 0 CHECK (position >= 0),
    -- raised by whoever must fence off every writer at once, such as a restore
    epoch bigint NOT NULL DEFAULT 0,
    -- positions of different incarnations do not compare
    incarnation uuid NOT NULL DEFAULT gen_random_uuid(),
    recorded_at timestamptz NOT NULL DEFAULT 'epoch'
) WITH (
    -- updated by every batch: room for versions of the row in its page, and an early clean-up
    fillfactor = 10,
    autovacuum_vacuum_threshold = 1000,
    autovacuum_vacuum_scale_factor = 0,
    autovacuum_vacuum_cost_delay = 0
);

INSERT INTO log_head (shard) VALUES (0);

-- The key of the fingerprints by which a repeated event is told from another with the same id. A
-- bare hash of a body would let anyone who reads the table guess at it.
CREATE TABLE log_key (
    shard smallint PRIMARY KEY REFERENCES log_head,
    fingerprint_key bytea NOT NULL
);

INSERT INTO log_key (shard, fingerprint_key)
VALUES (0, uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()));

-- Ids compare byte by byte ("C"): cheaper, and the same on every machine. Every unique key holds
-- the stream, so that the table can be distributed by it; hence none on the position, which the
-- head row guards.
CREATE TABLE events (
    position bigint NOT NULL,
    stream_version bigint NOT NULL,
    occurred_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    event_id uuid NOT NULL,
    schema_version integer NOT NULL,
    shard smallint NOT NULL,
    slice smallint NOT NULL,
    phi boolean NOT NULL,
    stream_id text COLLATE "C" NOT NULL,
    clinic_id text COLLATE "C" NOT NULL,
    kind text COLLATE "C" NOT NULL,
    consent_id text COLLATE "C" NOT NULL,
    -- names the data key that seals the body; empty when it is in the clear
    key_id text COLLATE "C" NOT NULL,
    -- what of the envelope has no column, as a serialised rehab.events.v1.Envelope
    meta bytea NOT NULL,
    body bytea NOT NULL,
    content_hmac bytea NOT NULL,
    hash bytea,
    PRIMARY KEY (stream_id, stream_version),
    UNIQUE (stream_id, event_id)
) PARTITION BY HASH (stream_id);

CREATE INDEX events_by_position ON events (shard, position);

CREATE TABLE events_0 PARTITION OF events FOR VALUES WITH (MODULUS 8, REMAINDER 0);
CREATE TABLE events_1 PARTITION OF events FOR VALUES WITH (MODULUS 8, REMAINDER 1);
CREATE TABLE events_2 PARTITION OF events FOR VALUES WITH (MODULUS 8, REMAINDER 2);
CREATE TABLE events_3 PARTITION OF events FOR VALUES WITH (MODULUS 8, REMAINDER 3);
CREATE TABLE events_4 PARTITION OF events FOR VALUES WITH (MODULUS 8, REMAINDER 4);
CREATE TABLE events_5 PARTITION OF events FOR VALUES WITH (MODULUS 8, REMAINDER 5);
CREATE TABLE events_6 PARTITION OF events FOR VALUES WITH (MODULUS 8, REMAINDER 6);
CREATE TABLE events_7 PARTITION OF events FOR VALUES WITH (MODULUS 8, REMAINDER 7);

-- One replica at a time hands a shard's events to the message broker. Times are the server's, so
-- replicas' clocks do not matter.
CREATE TABLE relay_lease (
    shard smallint PRIMARY KEY REFERENCES log_head,
    epoch bigint NOT NULL DEFAULT 0,
    holder uuid,
    expires_at timestamptz NOT NULL DEFAULT 'epoch',
    published bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 10);

INSERT INTO relay_lease (shard) VALUES (0);
