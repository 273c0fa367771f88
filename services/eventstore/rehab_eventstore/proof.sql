-- name: add_key: which key signs
INSERT INTO signing_key (key_id, public_key) VALUES ($1, $2) ON CONFLICT DO NOTHING

-- name: add: where a shard stood
INSERT INTO log_checkpoint (shard, position, incarnation, hash, signed_at, key_id, signature)
VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT DO NOTHING

-- name: newest: where the last checkpoint of a log was signed
SELECT position, least(greatest(signed_at, '1970-01-01Z'), '9999-01-01Z') AS signed_at
FROM log_checkpoint
WHERE shard = $1 AND incarnation = $2
ORDER BY position DESC
LIMIT 1

-- name: listed: newest first
SELECT c.shard, c.incarnation, c.position, c.hash, c.key_id, c.signature, k.public_key,
    least(greatest(c.signed_at, '1970-01-01Z'), '9999-01-01Z') AS signed_at
FROM log_checkpoint AS c
LEFT JOIN signing_key AS k USING (key_id)
WHERE c.shard = $1 AND c.position > 0
ORDER BY c.signed_at DESC, c.position DESC
LIMIT $2

-- name: between: those that state something of a range, some at a time. Of every incarnation: what
-- a restored log holds of them was true of what it holds of the log.
SELECT c.shard, c.incarnation, c.position, c.hash, c.key_id, c.signature, k.public_key,
    least(greatest(c.signed_at, '1970-01-01Z'), '9999-01-01Z') AS signed_at, e.hash AS found
FROM log_checkpoint AS c
LEFT JOIN signing_key AS k USING (key_id)
LEFT JOIN events AS e ON e.shard = c.shard AND e.position = c.position
WHERE c.shard = $1 AND (c.incarnation, c.position) > ($2, $3)
    AND c.position >= $4 AND c.position <= $5
ORDER BY c.incarnation, c.position
LIMIT $6

-- name: beyond: the first of those that state something the log does not reach. Head and checkpoints
-- are seen at one instant: the log may grow meanwhile.
SELECT c.shard, c.incarnation, c.position, c.hash, c.key_id, c.signature, k.public_key,
    least(greatest(c.signed_at, '1970-01-01Z'), '9999-01-01Z') AS signed_at, h.position AS head
FROM log_head AS h
JOIN log_checkpoint AS c ON c.shard = h.shard AND c.position > h.position
LEFT JOIN signing_key AS k USING (key_id)
WHERE h.shard = $1
ORDER BY c.position
LIMIT 100

-- name: extent: what the head claims, what is there, and where the chain begins
SELECT h.position, h.hash, h.chained_from,
    (SELECT min(position) FROM events WHERE shard = h.shard) AS first,
    (SELECT coalesce(max(position), 0) FROM events WHERE shard = h.shard) AS last,
    (
        SELECT recorded_at = h.recorded_at FROM events
        WHERE shard = h.shard AND position = h.position
        LIMIT 1
    ) AS same_time,
    EXISTS (
        SELECT FROM events
        WHERE shard = h.shard AND position = h.chained_from - 1 AND hash IS NOT NULL
    ) AS chained_before
FROM log_head AS h
WHERE h.shard = $1

-- name: strays: an event below and one above the shards that there are
(
    SELECT shard, position FROM events
    WHERE shard < (SELECT min(shard) FROM log_head)
    ORDER BY shard, position
    LIMIT 1
)
UNION ALL
(
    SELECT shard, position FROM events
    WHERE shard > (SELECT max(shard) FROM log_head)
    ORDER BY shard, position
    LIMIT 1
)

-- name: hash_at: of one position
SELECT hash FROM events WHERE shard = $1 AND position = $2

-- name: run: events as the chain sees them, in order. Times as PostgreSQL keeps them: some are
-- beyond what Python can say.
SELECT position, stream_version, timestamptz_send(recorded_at) AS recorded_at, schema_version, phi,
    stream_id, event_id, clinic_id, kind, consent_id, key_id, content_hmac, meta, body, hash, slice,
    timestamptz_send(occurred_at) AS occurred_at, segment, archived_bytes
FROM events
WHERE shard = $1 AND position > $2 AND position <= $3
ORDER BY position, stream_id
