-- name: take_lease: one replica at a time moves events of a shard
INSERT INTO archive_lease (shard, holder, expires_at)
VALUES ($1, $2, now() + make_interval(secs => $3))
ON CONFLICT (shard) DO UPDATE SET holder = EXCLUDED.holder, expires_at = EXCLUDED.expires_at
WHERE archive_lease.holder = EXCLUDED.holder OR archive_lease.expires_at < now()
RETURNING shard

-- name: give_lease_up: to whoever asks next
DELETE FROM archive_lease WHERE shard = $1 AND holder = $2

-- name: fence: whoever lost the lease changes nothing any more
SELECT shard FROM archive_lease WHERE shard = $1 AND holder = $2 AND expires_at > now() FOR UPDATE

-- name: recorded: when an event was
SELECT recorded_at FROM events WHERE shard = $1 AND position = $2 LIMIT 1

-- name: movable: what may be moved: neither a stream's newest event, nor what tells of the archive
SELECT position, slice, octet_length(meta) + octet_length(body) AS bytes
FROM events AS e
WHERE shard = $1 AND position > $2 AND position <= $3
    AND segment IS NULL AND hash IS NOT NULL AND kind <> 'archive'
    -- one look into the key for each, whatever the planner thinks of joins
    AND stream_version < (SELECT max(stream_version) FROM events WHERE stream_id = e.stream_id)
ORDER BY position

-- name: rows: whole rows as the chain sees them, each with the hash before it
SELECT e.position, e.stream_version, timestamptz_send(e.recorded_at) AS recorded_at,
    e.schema_version, e.phi, e.stream_id, e.event_id, e.clinic_id, e.kind, e.consent_id, e.key_id,
    e.content_hmac, e.meta, e.body, e.hash, e.slice, timestamptz_send(e.occurred_at) AS occurred_at,
    e.segment,
    (
        SELECT hash FROM events
        WHERE shard = e.shard AND position = e.position - 1
        LIMIT 1
    ) AS hash_before
FROM events AS e
WHERE e.shard = $1 AND e.position = ANY ($2::bigint[])
ORDER BY e.position

-- name: plan: a segment that is about to be written
INSERT INTO archive_segment (
    name, shard, incarnation, first_slice, last_slice, first_position, last_position, events,
    kek_id, kek_version, wrapped
)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
RETURNING *

-- name: drop_plan: there is no object, or none that is of use
DELETE FROM archive_segment WHERE segment = $1 AND state = 'planned'

-- name: written: the object is there, read back and verified
UPDATE archive_segment SET state = 'written', size = $2, sha256 = $3, manifest = $4
WHERE segment = $1 AND state = 'planned'
RETURNING *

-- name: give_up: envelopes and bodies that are in the archive now
UPDATE events
SET segment = $2, archived_bytes = octet_length(meta) + octet_length(body), meta = '', body = ''
WHERE shard = $1 AND position = ANY ($3::bigint[]) AND segment IS NULL
RETURNING position, hash

-- name: archived: the log tells so, and the rows are slim
UPDATE archive_segment SET state = 'archived', manifest_position = $2
WHERE segment = $1 AND state = 'written'

-- name: take_back: envelopes and bodies as they were
UPDATE events AS e
SET meta = r.meta, body = r.body, segment = NULL, archived_bytes = NULL
FROM unnest($3::bigint[], $4::bytea[], $5::bytea[]) AS r (position, meta, body)
WHERE e.shard = $1 AND e.segment = $2 AND e.position = r.position

-- name: returned: the rows are whole again
UPDATE archive_segment SET state = 'returned', return_told = $2
WHERE segment = $1 AND state IN ('written', 'archived')
RETURNING *

-- name: restored: the log tells so
UPDATE archive_segment SET state = 'restored', return_position = $2
WHERE segment = $1 AND state = 'returned'

-- name: by_number: one segment
SELECT * FROM archive_segment WHERE segment = $1

-- name: by_name: one segment of a shard
SELECT * FROM archive_segment WHERE shard = $1 AND name = $2

-- name: unfinished: what was begun and interrupted
SELECT * FROM archive_segment
WHERE shard = $1 AND state IN ('planned', 'written', 'returned')
ORDER BY segment

-- name: overlapping: archived segments that hold a position of a range, or the one of a name
SELECT * FROM archive_segment
WHERE shard = $1 AND state = 'archived' AND ($2 = '' OR name = $2)
    AND last_position >= $3 AND first_position <= $4
ORDER BY segment

-- name: listed: in the order in which they were made
SELECT * FROM archive_segment
WHERE shard = $1
    AND segment > coalesce((SELECT segment FROM archive_segment WHERE name = $2), 0)
ORDER BY segment
LIMIT $3

-- name: any: whether something of the log is in the archive
SELECT name FROM archive_segment WHERE state = 'archived' LIMIT 1
