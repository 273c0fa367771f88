-- name: add_key: which key signs
INSERT INTO signing_key (key_id, public_key) VALUES ($1, $2) ON CONFLICT DO NOTHING

-- name: add: where a shard stood
INSERT INTO log_checkpoint (shard, position, incarnation, hash, signed_at, key_id, signature)
VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT DO NOTHING

-- name: newest: where the last checkpoint of a log was signed
SELECT position, signed_at FROM log_checkpoint
WHERE shard = $1 AND incarnation = $2
ORDER BY position DESC
LIMIT 1

-- name: listed: newest first
SELECT c.shard, c.incarnation, c.position, c.hash, c.signed_at, c.key_id, c.signature, k.public_key
FROM log_checkpoint AS c
LEFT JOIN signing_key AS k USING (key_id)
WHERE c.shard = $1
ORDER BY c.signed_at DESC, c.position DESC
LIMIT $2

-- name: between: those that state something of a range, oldest first, and those beyond the log
SELECT c.shard, c.incarnation, c.position, c.hash, c.signed_at, c.key_id, c.signature,
    k.public_key, e.hash AS found
FROM log_checkpoint AS c
LEFT JOIN signing_key AS k USING (key_id)
LEFT JOIN events AS e ON e.shard = c.shard AND e.position = c.position
WHERE c.shard = $1 AND c.incarnation = $2 AND c.position >= $3
ORDER BY c.position

-- name: extent: what the head claims, what is there, and where the chain begins
SELECT h.position, h.hash, h.incarnation, h.chained_from,
    (SELECT coalesce(max(position), 0) FROM events WHERE shard = h.shard) AS last
FROM log_head AS h
WHERE h.shard = $1

-- name: hash_at: of one position
SELECT hash FROM events WHERE shard = $1 AND position = $2

-- name: run: events as the chain sees them, in order
SELECT position, stream_version, recorded_at, schema_version, phi, stream_id, event_id, clinic_id,
    kind, consent_id, key_id, content_hmac, meta, body, hash, slice, occurred_at
FROM events
WHERE shard = $1 AND position > $2 AND position <= $3
ORDER BY position, stream_id
