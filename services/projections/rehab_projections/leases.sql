-- name: add_leases: of shards that have none; nobody folds them yet
INSERT INTO public.fold_lease (version, shard)
SELECT $1, shard FROM generate_series(0, $2::integer - 1) AS made (shard)
ON CONFLICT DO NOTHING

-- name: succeed: who bore this name before is gone: its leases need not be waited for
WITH gone AS (
    DELETE FROM public.replica WHERE name = $1 AND replica <> $2 RETURNING replica
)
UPDATE public.fold_lease AS l
SET replica = NULL, name = '', since = NULL, expires_at = 'epoch'
FROM gone WHERE l.replica = gone.replica

-- name: attend: this replica runs; true when that is new, or it was taken for lost
INSERT INTO public.replica AS known (replica, name, version, joined_at, expires_at, folds)
SELECT $1, $2, $3, at, at + make_interval(secs => $4), $5 FROM clock_timestamp() AS now (at)
ON CONFLICT (replica) DO UPDATE SET version = EXCLUDED.version, expires_at = EXCLUDED.expires_at,
    joined_at = CASE WHEN known.expires_at < EXCLUDED.joined_at
        THEN EXCLUDED.joined_at ELSE known.joined_at END
RETURNING expires_at = joined_at + make_interval(secs => $4) AS joined

-- name: bury: replicas that are long gone
DELETE FROM public.replica WHERE expires_at < clock_timestamp() - interval '1 minute'

-- name: leave: this replica folds no more
DELETE FROM public.replica WHERE replica = $1

-- name: attending: replicas that run, those that joined first at first
SELECT replica FROM public.replica WHERE expires_at >= clock_timestamp() ORDER BY joined_at, replica

-- name: keep: prolong the leases held, and tell how the fold is; those that are lost stay as they are
UPDATE public.fold_lease AS l SET
    expires_at = clock_timestamp() + make_interval(secs => $3),
    head = told.head,
    folded_at = COALESCE(told.folded_at, l.folded_at),
    lag_p50_ms = COALESCE(told.p50, l.lag_p50_ms),
    lag_p99_ms = COALESCE(told.p99, l.lag_p99_ms)
FROM unnest(
    $4::smallint[], $5::bigint[], $6::timestamptz[], $7::double precision[], $8::double precision[]
) AS told (shard, head, folded_at, p50, p99)
WHERE l.version = $1 AND l.replica = $2 AND l.shard = told.shard

-- name: leases: who holds which, and for how many seconds from now
SELECT shard, replica, asked > answered AS asked,
    extract(epoch FROM expires_at - clock_timestamp())::double precision AS left_s
FROM public.fold_lease WHERE version = $1 ORDER BY shard

-- name: take: so many that nobody holds. The epoch keeps out who held them before. Never waits: what
-- somebody is just writing is taken later
WITH free AS (
    SELECT l.shard
    FROM public.fold_lease AS l
    JOIN SCHEMA.projection AS p ON p.name = $2 AND p.shard = l.shard
    WHERE l.version = $1 AND (l.replica IS NULL OR l.expires_at < clock_timestamp())
    ORDER BY l.shard
    LIMIT $6
    FOR UPDATE SKIP LOCKED
), taken AS (
    UPDATE public.fold_lease AS l
    SET replica = $3, name = $4, since = clock_timestamp(),
        expires_at = clock_timestamp() + make_interval(secs => $5)
    FROM free WHERE l.version = $1 AND l.shard = free.shard
    RETURNING l.shard
)
UPDATE SCHEMA.projection AS p SET epoch = p.epoch + 1
FROM taken WHERE p.name = $2 AND p.shard = taken.shard
RETURNING p.shard

-- name: evict: end the batches in whose middle holders stand whose leases ran out; a client that
-- stopped between two messages would hold its locks for as long as it is stopped
SELECT pg_terminate_backend(k.pid)
FROM public.fold_lease AS l
JOIN SCHEMA.projection AS p ON p.name = $2 AND p.shard = l.shard
JOIN pg_locks AS k ON k.locktype = 'transactionid' AND k.granted AND k.transactionid = p.xmax
JOIN pg_stat_activity AS a ON a.pid = k.pid AND a.application_name = $3
WHERE l.version = $1 AND l.expires_at < clock_timestamp()

-- name: give_up: leases, for whoever takes them
UPDATE public.fold_lease
SET replica = NULL, name = '', since = NULL, expires_at = 'epoch'
WHERE version = $1 AND replica = $2 AND shard = ANY($3::smallint[])

-- name: begin: where the holder of a lease goes on, in the version that answers; nothing for others.
-- The lease is locked, so that the epoch is its holder's and not that of whoever takes it meanwhile
SELECT p.shard, p.position, p.incarnation, p.recorded_at, p.epoch, l.asked, l.answered
FROM public.fold_lease AS l
JOIN SCHEMA.projection AS p ON p.name = $2 AND p.shard = l.shard
JOIN public.read_model_version AS v ON v.version = l.version AND v.status = 'live'
WHERE l.version = $1 AND l.shard = $4 AND l.replica = $3
FOR SHARE OF l

-- name: ask: let a shard's fold try again what it holds back
UPDATE public.fold_lease SET asked = asked + 1 WHERE version = $1 AND shard = $2 RETURNING asked

-- name: answer: it has
UPDATE public.fold_lease SET answered = GREATEST(answered, $3) WHERE version = $1 AND shard = $2

-- name: answered: how often it has
SELECT answered FROM public.fold_lease WHERE version = $1 AND shard = $2

-- name: told: how far every shard is folded, by whom since when, and what that replica tells
SELECT p.shard, p.position, p.incarnation, p.recorded_at, p.epoch,
    CASE WHEN l.expires_at >= clock_timestamp() THEN l.name ELSE '' END AS holder,
    CASE WHEN l.expires_at >= clock_timestamp()
        THEN extract(epoch FROM clock_timestamp() - l.since)::double precision
        ELSE 0 END AS held_s,
    coalesce(l.head, 0) AS head, l.folded_at,
    coalesce(l.lag_p50_ms, 0) AS lag_p50_ms, coalesce(l.lag_p99_ms, 0) AS lag_p99_ms
FROM SCHEMA.projection AS p
LEFT JOIN public.fold_lease AS l ON l.version = $1 AND l.shard = p.shard
WHERE p.name = $2
ORDER BY p.shard

-- name: tell: other replicas
SELECT pg_notify($1, payload) FROM unnest($2::text[]) AS payloads (payload)
