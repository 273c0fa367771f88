-- Replicas that run, each with the version that it answers from. Times are PostgreSQL's, so the
-- replicas' clocks do not matter.
CREATE TABLE replica (
    replica uuid PRIMARY KEY,
    name text COLLATE "C" NOT NULL,
    version integer NOT NULL,
    joined_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    expires_at timestamptz NOT NULL
) WITH (fillfactor = 10);

-- One replica at a time folds a shard of the log into a version. Whoever takes a lease raises the
-- epoch of the shard's cursor, so whoever held it before stores nothing any more. `asked` counts how
-- often the fold was asked to try again what it holds back, `answered` how far it has. What is beside
-- them the holder tells of itself, for replicas that do not fold: the log's end as it knows it, when
-- it stored last, and percentiles of the time from commit to visible.
CREATE TABLE fold_lease (
    version integer NOT NULL REFERENCES read_model_version ON DELETE CASCADE,
    shard smallint NOT NULL,
    replica uuid,
    name text COLLATE "C" NOT NULL DEFAULT '',
    since timestamptz,
    expires_at timestamptz NOT NULL DEFAULT 'epoch',
    asked bigint NOT NULL DEFAULT 0,
    answered bigint NOT NULL DEFAULT 0,
    head bigint NOT NULL DEFAULT 0,
    folded_at timestamptz,
    lag_p50_ms double precision NOT NULL DEFAULT 0,
    lag_p99_ms double precision NOT NULL DEFAULT 0,
    PRIMARY KEY (version, shard)
) WITH (fillfactor = 10);
