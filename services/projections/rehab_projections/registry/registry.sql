-- name: versions: all of them, newest first
SELECT version, status, begun_at, changed_at FROM read_model_version ORDER BY version DESC

-- name: live: the one that answers
SELECT version FROM read_model_version WHERE status = 'live'

-- name: first: a new database begins with an empty version
INSERT INTO read_model_version (version, status, folds) VALUES (1, 'live', $1)
ON CONFLICT DO NOTHING

-- name: lock: one at a time builds, switches or drops
SELECT pg_try_advisory_lock(7241002)

-- name: begin: the next version
INSERT INTO read_model_version (version, status, folds)
SELECT max(version) + 1, 'building', $1 FROM read_model_version
RETURNING version

-- name: outdated: whether what answers was made by earlier folds
SELECT folds < $1 AS outdated FROM read_model_version WHERE status = 'live'

-- name: earlier: replicas that run, and whose folds are earlier
SELECT count(*) AS replicas FROM replica WHERE folds < $1 AND expires_at >= clock_timestamp()

-- name: building: the one that is being built
SELECT version, folds FROM read_model_version WHERE status = 'building'

-- name: retire: what answered, or was built beside it
UPDATE read_model_version SET status = 'retired', changed_at = now()
WHERE version = $1 AND status <> 'retired'

-- name: answer: from now on
UPDATE read_model_version SET status = 'live', changed_at = now() WHERE version = $1

-- name: in_use: how long ago a version answered last, in seconds, and how many replicas still do
SELECT CASE WHEN v.status = 'retired'
        THEN extract(epoch FROM clock_timestamp() - v.changed_at)::double precision END AS idle_s,
    (SELECT count(*) FROM replica AS r
        WHERE r.version = v.version AND r.expires_at >= clock_timestamp()) AS replicas
FROM read_model_version AS v WHERE v.version = $1

-- name: tell: replicas that another version answers
SELECT pg_notify($1, '')

-- name: forget: it is gone
DELETE FROM read_model_version WHERE version = $1

-- name: held: where a version stands; nobody folds on while this transaction lasts
SELECT shard, position, incarnation, recorded_at, epoch FROM SCHEMA.projection
WHERE name = $1
ORDER BY shard
FOR UPDATE

-- name: fence: whoever folds into a version looks whether it still answers
UPDATE SCHEMA.projection SET epoch = epoch + 1 WHERE name = $1

-- name: events: how much is folded
SELECT coalesce(sum(position), 0)::bigint AS events FROM SCHEMA.projection WHERE name = $1

-- name: tables: those of a version that hold what was folded
SELECT c.relname AS name
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = $1 AND c.relkind IN ('r', 'p') AND NOT c.relispartition
    AND c.relname NOT IN ('projection', 'part', 'parked', 'schema_migrations')
ORDER BY c.relname

-- name: content: how many rows, and a sum over all of them in whatever order; a record's own hash
-- takes half the time of its text's, and nobody folds meanwhile
SELECT count(*) AS rows, coalesce(sum(hash_record_extended(t, 0)::numeric), 0) AS sum
FROM SCHEMA.TABLE AS t
