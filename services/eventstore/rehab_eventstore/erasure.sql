-- name: lock: no key is made and no hold placed until the transaction ends
LOCK TABLE data_key, legal_hold IN SHARE ROW EXCLUSIVE MODE

-- name: hold: whether a subject must not be erased
SELECT reason FROM legal_hold WHERE stream_id = $1

-- name: subject: what an erasure would reach: events in all and sealed ones, and the clinic
SELECT count(*) AS events, count(*) FILTER (WHERE key_id <> '') AS sealed,
    max(clinic_id) AS clinic_id
FROM events WHERE stream_id = $1

-- name: living_keys: ids of the keys that open a subject's bodies
SELECT key_id FROM data_key WHERE stream_id = $1 AND wrapped IS NOT NULL ORDER BY created_at, key_id

-- name: begin: close a subject's stream; every replica is told
WITH begun AS (
    INSERT INTO erasure (stream_id, reason, begun_by, event) VALUES ($1, $2, $3, $4)
    ON CONFLICT DO NOTHING
    RETURNING stream_id
)
SELECT pg_notify('rehab_erasure', stream_id) FROM begun

-- name: erasure: a subject's erasure, begun or ended
SELECT stream_id, event, position, keys, ended_at FROM erasure WHERE stream_id = $1

-- name: unfinished: erasures to go on with
SELECT stream_id, event, position, keys, ended_at FROM erasure AS e
WHERE ended_at IS NULL
    OR EXISTS (SELECT FROM data_key WHERE stream_id = e.stream_id AND wrapped IS NOT NULL)
ORDER BY begun_at

-- name: recent: streams closed of late
SELECT stream_id FROM erasure WHERE begun_at > now() - interval '1 minute'

-- name: destroy_keys: for ever; the rows stay as the proof that there were keys
UPDATE data_key SET wrapped = NULL, newest = false, destroyed_at = now()
WHERE stream_id = $1 AND wrapped IS NOT NULL
RETURNING key_id

-- name: drop_snapshots: sealed with the same keys
DELETE FROM snapshot WHERE stream_id = $1

-- name: end: the keys are gone and the log tells so
UPDATE erasure SET position = $2, keys = coalesce(keys, 0) + $3, ended_at = now()
WHERE stream_id = $1
RETURNING keys

-- name: clean_up: what was wrapped must not linger in dead rows
VACUUM data_key

-- name: place_hold: until it is released
INSERT INTO legal_hold (stream_id, reason, placed_by) VALUES ($1, $2, $3)
ON CONFLICT (stream_id) DO UPDATE SET reason = EXCLUDED.reason, placed_by = EXCLUDED.placed_by

-- name: release_hold: the subject may be erased again
DELETE FROM legal_hold WHERE stream_id = $1 RETURNING stream_id

-- name: holds: who must not be erased
SELECT stream_id, reason, placed_by, placed_at FROM legal_hold ORDER BY placed_at, stream_id

-- name: reports: erasures with what is left of their subjects, looked at now
SELECT e.stream_id, e.reason, e.begun_by, e.begun_at, e.ended_at, e.position,
    (SELECT hash FROM events WHERE stream_id = e.stream_id AND position = e.position) AS hash,
    (SELECT count(*) FROM events WHERE stream_id = e.stream_id AND key_id <> '') AS sealed,
    (SELECT count(*) FROM data_key WHERE stream_id = e.stream_id AND wrapped IS NOT NULL) AS living,
    (SELECT count(*) FROM snapshot WHERE stream_id = e.stream_id) AS snapshots
FROM erasure AS e
WHERE $1 = '' OR e.stream_id = $1
ORDER BY e.begun_at DESC, e.stream_id
LIMIT $2

-- name: keys_of: all keys that these subjects ever had
SELECT stream_id, key_id, created_at, destroyed_at FROM data_key
WHERE stream_id = ANY ($1::text[])
ORDER BY stream_id, created_at, key_id
