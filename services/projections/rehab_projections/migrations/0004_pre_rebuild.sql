-- Raised by whoever changes what was folded without folding on: what other runners have in memory is
-- then not what is stored.
ALTER TABLE projection ADD COLUMN epoch bigint NOT NULL DEFAULT 0;

-- Parts of a shard, each a run of slices, while the log is folded for the first time.
CREATE TABLE part (
    shard smallint NOT NULL,
    part smallint NOT NULL,
    parts smallint NOT NULL,
    position bigint NOT NULL DEFAULT 0,
    until bigint NOT NULL,
    incarnation text NOT NULL,
    recorded_at timestamptz,
    PRIMARY KEY (shard, part)
);
