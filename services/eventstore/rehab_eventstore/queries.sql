-- name: head: where a shard ends, and which log it is
SELECT shard, position, epoch, incarnation, recorded_at, hash FROM log_head WHERE shard = $1

-- name: renew_incarnation: positions were lost and will be used again: no cursor may be believed
UPDATE log_head SET incarnation = gen_random_uuid() WHERE shard = $1 AND incarnation = $2

-- name: fingerprint_key: what repeated events are compared with
SELECT fingerprint_key FROM log_key WHERE shard = $1

-- name: safety: whether a commit is on disk when it is answered, and a rotten page is noticed
SELECT current_setting('fsync') = 'on' AS fsync, current_setting('data_checksums') = 'on' AS checksums

-- name: heads_locked: where every shard ends, while nobody appends
SELECT shard, position FROM log_head ORDER BY shard FOR UPDATE

-- name: trim_leases: of an empty log
DELETE FROM relay_lease WHERE shard >= $1

-- name: trim_keys: of an empty log
DELETE FROM log_key WHERE shard >= $1

-- name: trim_heads: of an empty log
DELETE FROM log_head WHERE shard >= $1

-- name: add_heads: so many shards; all belong to the same log
INSERT INTO log_head (shard, incarnation)
SELECT shard, (SELECT incarnation FROM log_head WHERE shard = 0)
FROM generate_series(1, $1::integer - 1) AS made (shard)
ON CONFLICT DO NOTHING

-- name: add_keys: a key of its own for every shard
INSERT INTO log_key (shard, fingerprint_key)
SELECT shard, uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())
FROM generate_series(1, $1::integer - 1) AS made (shard)
ON CONFLICT DO NOTHING

-- name: add_leases: nobody publishes a new shard yet
INSERT INTO relay_lease (shard) SELECT shard FROM generate_series(1, $1::integer - 1) AS made (shard)
ON CONFLICT DO NOTHING

-- name: append: the only statement that writes events: the head moves from where the writer believes
-- it to be, and the rows go in only if it moved. Join-free, so there is no plan to go wrong. Texts come
-- as lines, for arrays cost both sides more: none holds a line break, or the columns would not be equally
-- long and a NOT NULL would refuse them all. No line at all is an empty one. Bytes come in one piece:
-- $18 meta and body of each row, $22 the content's fingerprint and the hash.
WITH head AS (
    UPDATE log_head SET position = $3 + $4, recorded_at = $5, hash = $6
    WHERE shard = $1 AND epoch = $2 AND position = $3
    RETURNING position
), written AS (
    INSERT INTO events (
        position, shard, recorded_at, stream_id, stream_version, slice, event_id, clinic_id, kind,
        schema_version, occurred_at, phi, consent_id, key_id, meta, body, content_hmac, hash
    )
    SELECT $3 + place, $1, $5, stream_id, stream_version, slice, event_id::uuid,
        coalesce(clinic_id, ''), kind, schema_version, to_timestamp(occurred_s), phi,
        coalesce(consent_id, ''), coalesce(key_id, ''),
        substring($18::bytea FROM meta_at FOR body_at - meta_at),
        substring($18::bytea FROM body_at FOR ends_at - body_at),
        substring($22::bytea FROM place::integer * 48 - 47 FOR 16),
        substring($22::bytea FROM place::integer * 48 - 31 FOR 32)
    FROM ROWS FROM (
        string_to_table($7, E'\n'), unnest($8::bigint[]), unnest($9::smallint[]),
        string_to_table($10, E'\n'), string_to_table($11, E'\n'), string_to_table($12, E'\n'),
        unnest($13::integer[]), unnest($14::float8[]), unnest($15::boolean[]),
        string_to_table($16, E'\n'), string_to_table($17, E'\n'),
        unnest($19::integer[]), unnest($20::integer[]), unnest($21::integer[])
    ) WITH ORDINALITY AS row (
        stream_id, stream_version, slice, event_id, clinic_id, kind,
        schema_version, occurred_s, phi, consent_id, key_id,
        meta_at, body_at, ends_at, place
    )
    WHERE EXISTS (SELECT FROM head)
)
SELECT pg_notify('rehab_log', $1::text || ':' || position::text) FROM head

-- name: since: the head and what was written up to it after a position, in one snapshot
SELECT h.shard, h.position AS head, h.epoch, h.incarnation, h.recorded_at, h.hash,
    e.position, e.stream_id, e.stream_version, e.event_id, e.kind, e.content_hmac
FROM log_head AS h
LEFT JOIN events AS e
    ON e.shard = h.shard AND e.position > $2 AND e.position <= least(h.position, $3)
WHERE h.shard = $1
ORDER BY e.position

-- name: versions: the last version of each stream, and whether its subject is being erased
SELECT wanted.stream_id, last.stream_version,
    EXISTS (SELECT FROM erasure WHERE stream_id = wanted.stream_id) AS erased
FROM unnest($1::text[]) AS wanted (stream_id)
CROSS JOIN LATERAL (
    SELECT stream_version FROM events WHERE stream_id = wanted.stream_id
    ORDER BY stream_version DESC LIMIT 1
) AS last

-- name: stored: which of these events are there
SELECT wanted.stream_id, wanted.event_id, e.position, e.stream_version, e.content_hmac
FROM unnest($1::text[], $2::uuid[]) AS wanted (stream_id, event_id)
CROSS JOIN LATERAL (
    SELECT position, stream_version, content_hmac FROM events
    WHERE stream_id = wanted.stream_id AND event_id = wanted.event_id
    LIMIT 1
) AS e

-- name: page: consecutive events, until their bytes are too many
SELECT * FROM (
    SELECT position, stream_id, stream_version, slice, event_id, clinic_id, kind, schema_version,
        recorded_at, phi, consent_id, key_id, meta, body, hash, segment,
        coalesce(archived_bytes, octet_length(meta) + octet_length(body)) AS bytes,
        key_id <> '' AND EXISTS (SELECT FROM erasure WHERE stream_id = events.stream_id) AS erased,
        sum(coalesce(archived_bytes, octet_length(meta) + octet_length(body))) OVER (
            ORDER BY position ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ) AS bytes_before
    FROM events
    WHERE shard = $1 AND position > $2 AND position <= $3
) AS run
WHERE bytes_before IS NULL OR bytes_before < $4
ORDER BY position

-- name: filtered: of consecutive events those asked for, until their bytes are too many
SELECT * FROM (
    SELECT position, stream_id, stream_version, slice, event_id, clinic_id, kind, schema_version,
        recorded_at, phi, consent_id, key_id, meta, body, hash, segment,
        coalesce(archived_bytes, octet_length(meta) + octet_length(body)) AS bytes,
        key_id <> '' AND EXISTS (SELECT FROM erasure WHERE stream_id = chosen.stream_id) AS erased,
        sum(coalesce(archived_bytes, octet_length(meta) + octet_length(body))) OVER (
            ORDER BY position ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ) AS bytes_before
    FROM (
        SELECT * FROM events
        WHERE shard = $1 AND position > $2 AND position <= $3
            AND ($5::text[] = '{}' OR kind = ANY ($5))
            AND ($6::text[] = '{}' OR stream_id = ANY ($6))
            AND ($7::smallint[] = '{}' OR slice = ANY ($7))
        ORDER BY position
        LIMIT $8
    ) AS chosen
) AS run
WHERE bytes_before IS NULL OR bytes_before < $4
ORDER BY position

-- name: stream_forward: one subject's events, oldest first, until their bytes are too many
SELECT * FROM (
    SELECT position, stream_id, stream_version, slice, event_id, clinic_id, kind, schema_version,
        recorded_at, phi, consent_id, key_id, meta, body, hash, segment,
        coalesce(archived_bytes, octet_length(meta) + octet_length(body)) AS bytes,
        key_id <> '' AND EXISTS (SELECT FROM erasure WHERE stream_id = chosen.stream_id) AS erased,
        sum(coalesce(archived_bytes, octet_length(meta) + octet_length(body))) OVER (
            ORDER BY stream_version ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ) AS bytes_before
    FROM (
        SELECT * FROM events
        WHERE stream_id = $1 AND stream_version >= $2 AND stream_version <= $3
            AND recorded_at <= $4
            AND ($5::text[] = '{}' OR kind = ANY ($5))
        ORDER BY stream_version
        LIMIT $6
    ) AS chosen
) AS run
WHERE bytes_before IS NULL OR bytes_before < $7
ORDER BY stream_version

-- name: stream_backward: one subject's events, newest first, until their bytes are too many
SELECT * FROM (
    SELECT position, stream_id, stream_version, slice, event_id, clinic_id, kind, schema_version,
        recorded_at, phi, consent_id, key_id, meta, body, hash, segment,
        coalesce(archived_bytes, octet_length(meta) + octet_length(body)) AS bytes,
        key_id <> '' AND EXISTS (SELECT FROM erasure WHERE stream_id = chosen.stream_id) AS erased,
        sum(coalesce(archived_bytes, octet_length(meta) + octet_length(body))) OVER (
            ORDER BY stream_version DESC ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ) AS bytes_before
    FROM (
        SELECT * FROM events
        WHERE stream_id = $1 AND stream_version >= $2 AND stream_version <= $3
            AND recorded_at <= $4
            AND ($5::text[] = '{}' OR kind = ANY ($5))
        ORDER BY stream_version DESC
        LIMIT $6
    ) AS chosen
) AS run
WHERE bytes_before IS NULL OR bytes_before < $7
ORDER BY stream_version DESC

-- name: take_lease: lead the shard, unless another replica does
UPDATE relay_lease
SET holder = $2, epoch = epoch + 1, expires_at = now() + make_interval(secs => $3), address = $4
WHERE shard = $1 AND (holder = $2 OR expires_at < now())
RETURNING epoch

-- name: keep_lease: go on leading, and tell how far the broker is; nothing when another does now
UPDATE relay_lease
SET expires_at = now() + make_interval(secs => $3),
    published = CASE WHEN $4 > 0 THEN $4 ELSE published END, address = $5
WHERE shard = $1 AND epoch = $2
RETURNING epoch

-- name: give_lease_up: let another replica take over at once
WITH given AS (
    UPDATE relay_lease
    SET holder = NULL, expires_at = 'epoch', address = '',
        published = CASE WHEN $3 > 0 THEN $3 ELSE published END
    WHERE shard = $1 AND epoch = $2
    RETURNING shard
)
SELECT pg_notify('rehab_lease', shard::text) FROM given

-- name: leader: where the replica answers that leads the shard
SELECT address FROM relay_lease WHERE shard = $1 AND expires_at >= now()

-- name: published: how far the broker is, as the shard's leader told last
SELECT published FROM relay_lease WHERE shard = $1

-- name: data_keys: patients' living keys, the newest one last; how long it seals, and how much at most
SELECT stream_id, key_id, kek_id, kek_version, wrapped, newest,
    extract(epoch FROM now() - created_at)::float8 AS age_s,
    CASE WHEN newest THEN coalesce(
        (
            SELECT stream_version FROM events WHERE stream_id = data_key.stream_id
            ORDER BY stream_version DESC LIMIT 1
        ),
        0
    ) - from_version END AS sealed
FROM data_key
WHERE stream_id = ANY ($1::text[]) AND wrapped IS NOT NULL
ORDER BY stream_id, newest, created_at, key_id

-- name: data_keys_named: keys by patient or by id, destroyed ones too
SELECT stream_id, key_id, kek_id, kek_version, wrapped
FROM data_key
WHERE stream_id = ANY ($1::text[]) OR key_id = ANY ($2::text[])

-- name: add_data_keys: keys that seal from now on; who has one, or is being erased, gets none
INSERT INTO data_key (stream_id, key_id, kek_id, kek_version, wrapped, newest, from_version)
SELECT stream_id, key_id, kek_id, kek_version, wrapped, true, coalesce(
    (
        SELECT stream_version FROM events WHERE stream_id = made.stream_id
        ORDER BY stream_version DESC LIMIT 1
    ),
    0
)
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bytea[])
    AS made (stream_id, key_id, kek_id, kek_version, wrapped)
WHERE NOT EXISTS (SELECT FROM erasure WHERE stream_id = made.stream_id)
ON CONFLICT DO NOTHING

-- name: retire_data_keys: they open what they sealed, and seal no more; locked in one order by all
WITH old AS (
    SELECT k.stream_id, k.key_id
    FROM data_key AS k
    JOIN unnest($1::text[], $2::text[]) AS told (stream_id, key_id) USING (stream_id, key_id)
    WHERE k.newest AND k.wrapped IS NOT NULL
    ORDER BY k.stream_id
    FOR UPDATE OF k
)
UPDATE data_key AS k SET newest = false FROM old
WHERE k.stream_id = old.stream_id AND k.key_id = old.key_id
RETURNING k.stream_id

-- name: data_keys_of_old_keks: living keys that another key-encryption key wraps than the newest;
-- those of archived segments are told from patients' by having no stream
SELECT stream_id, key_id, kek_id, kek_version, wrapped
FROM data_key
WHERE wrapped IS NOT NULL AND (kek_id, kek_version) <> ($1, $2)
    AND (stream_id, key_id) > ($3, $4)
UNION ALL
SELECT '', name, kek_id, kek_version, wrapped
FROM archive_segment
WHERE (kek_id, kek_version) <> ($1, $2) AND ('', name) > ($3, $4)
ORDER BY stream_id, key_id
LIMIT $5

-- name: rewrap_data_keys: the same keys under another key-encryption key, unless destroyed meanwhile
WITH n AS MATERIALIZED (
    SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bytea[])
        AS n (stream_id, key_id, kek_id, kek_version, wrapped)
), of_segments AS (
    UPDATE archive_segment AS s
    SET kek_id = n.kek_id, kek_version = n.kek_version, wrapped = n.wrapped
    FROM n
    WHERE n.stream_id = '' AND s.name = n.key_id
    RETURNING s.name
), of_patients AS (
    UPDATE data_key AS k
    SET kek_id = n.kek_id, kek_version = n.kek_version, wrapped = n.wrapped
    FROM n
    WHERE k.stream_id = n.stream_id AND k.key_id = n.key_id AND k.wrapped IS NOT NULL
    RETURNING k.key_id
)
SELECT key_id FROM of_patients UNION ALL SELECT name FROM of_segments

-- name: data_key_census: how many keys there are, by what wraps them
SELECT kek_id, kek_version, count(*) FILTER (WHERE wrapped IS NOT NULL) AS living,
    count(*) FILTER (WHERE newest) AS newest, count(*) FILTER (WHERE wrapped IS NULL) AS destroyed
FROM (
    SELECT kek_id, kek_version, wrapped, newest FROM data_key
    UNION ALL
    SELECT kek_id, kek_version, wrapped, false FROM archive_segment
) AS known
GROUP BY kek_id, kek_version
ORDER BY kek_id, kek_version

-- name: oldest_sealing_key: made longest ago of those that seal what comes
SELECT min(created_at) AS created_at FROM data_key WHERE newest
