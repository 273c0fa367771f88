-- name: put: a new one, or the one of that name and clinic as it shall be from now on
INSERT INTO endpoint (endpoint_id, clinic_id, base_url, bundle_type, most_entries, entries_now,
    requests_per_second, concurrency, patient_system, rep_series, authority_pem, no_backfill, auth,
    secret, takes_transactions, takes_provenance, takes_devices, warnings, if_none_exist,
    notify, heartbeat_s, conditional_create, conditional_update, takes_batches, readings)
VALUES ($1, $2, $3, $4, $5, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20,
    $21, $22, $23, $24)
ON CONFLICT (endpoint_id) DO UPDATE
SET base_url = excluded.base_url, bundle_type = excluded.bundle_type,
    most_entries = excluded.most_entries, entries_now = excluded.entries_now,
    requests_per_second = excluded.requests_per_second, concurrency = excluded.concurrency,
    patient_system = excluded.patient_system, rep_series = excluded.rep_series,
    authority_pem = excluded.authority_pem, auth = excluded.auth, secret = excluded.secret,
    takes_transactions = excluded.takes_transactions,
    if_none_exist = excluded.if_none_exist, notify = excluded.notify,
    heartbeat_s = excluded.heartbeat_s,
    takes_provenance = excluded.takes_provenance, takes_devices = excluded.takes_devices, warnings = excluded.warnings,
    conditional_create = excluded.conditional_create, readings = excluded.readings,
    conditional_update = excluded.conditional_update, takes_batches = excluded.takes_batches,
    disproved = '{}', unread = '', examined_at = clock_timestamp(), looked_at = clock_timestamp(),
    paused = CASE WHEN starts_with(endpoint.paused, 'statement: ') THEN '' ELSE endpoint.paused END,
    revision = endpoint.revision + 1, failures = 0, open_until = NULL
WHERE endpoint.clinic_id = excluded.clinic_id AND (endpoint.notify = '') = (excluded.notify = '')
RETURNING *

-- name: all: every endpoint
SELECT * FROM endpoint ORDER BY endpoint_id

-- name: of_clinic: those of a clinic
SELECT * FROM endpoint WHERE clinic_id = $1 ORDER BY endpoint_id

-- name: one: one of them
SELECT * FROM endpoint WHERE endpoint_id = $1

-- name: pause: nothing is sent any more, and why
UPDATE endpoint SET paused = $2 WHERE endpoint_id = $1 RETURNING *

-- name: resume: it is sent again, whatever failed before
WITH woken AS (
    UPDATE subscription SET not_before = '-infinity' WHERE endpoint_id = $1
)
UPDATE endpoint SET paused = '', failures = 0, open_until = NULL, turn_at = clock_timestamp()
WHERE endpoint_id = $1 RETURNING *

-- name: take_turn: the next request may leave in so many seconds; with a burst of so many seconds'
-- worth. Nothing is taken that would have to wait longer than $4 seconds
WITH before AS (
    SELECT endpoint_id, turn_at FROM endpoint WHERE endpoint_id = $1 FOR UPDATE
), wait AS (
    SELECT endpoint_id, greatest(0, extract(epoch FROM turn_at - clock_timestamp()) - $3)::double precision AS wait_s
    FROM before
), taken AS (
    UPDATE endpoint SET turn_at = greatest(turn_at, clock_timestamp())
        + make_interval(secs => $2::double precision)
    FROM wait WHERE endpoint.endpoint_id = wait.endpoint_id AND wait.wait_s <= $4::double precision
)
SELECT wait_s FROM wait

-- name: failed: once more in a row; from so many on the breaker opens for a while
UPDATE endpoint SET failures = failures + 1,
    open_until = CASE WHEN failures + 1 >= $2::integer
        THEN clock_timestamp() + make_interval(secs => $3::double precision * least(power(2, failures + 1 - $2::integer), 32))
        ELSE open_until END
WHERE endpoint_id = $1 RETURNING failures

-- name: wait: the receiver asked us to leave it alone for a while
UPDATE endpoint SET open_until = greatest(open_until,
    clock_timestamp() + make_interval(secs => $2::double precision))
WHERE endpoint_id = $1

-- name: worked: it answers
UPDATE endpoint SET failures = 0, open_until = NULL WHERE endpoint_id = $1 AND failures > 0

-- name: came_back: whoever was let through by a breaker is back, and had nothing to send
UPDATE endpoint SET open_until = clock_timestamp()
WHERE endpoint_id = $1 AND failures >= $2::integer AND open_until > clock_timestamp()

-- name: to_look_at: whose CapabilityStatement is old, or could not be read or was not good enough an
-- hour ago: they are looked at by whoever asks first
UPDATE endpoint SET looked_at = clock_timestamp()
FROM (
    SELECT endpoint_id FROM endpoint
    WHERE notify = '' AND paused <> 'by_hand' AND looked_at < clock_timestamp() - make_interval(secs =>
        CASE WHEN unread = '' AND NOT starts_with(paused, 'statement: ') THEN $1::double precision
        ELSE least($1::double precision, 3600) END)
    ORDER BY looked_at LIMIT $2 FOR UPDATE SKIP LOCKED
) old
WHERE endpoint.endpoint_id = old.endpoint_id
RETURNING endpoint.*

-- name: look_now: the same of one, unless it was looked at so lately
UPDATE endpoint SET looked_at = clock_timestamp()
WHERE endpoint_id = $1 AND looked_at < clock_timestamp() - make_interval(secs => $2::double precision)
RETURNING *

-- name: being_read: it was looked at so lately, and nobody has told yet how that went
SELECT 1 FROM endpoint
WHERE endpoint_id = $1 AND looked_at > examined_at AND unread = ''
    AND looked_at > clock_timestamp() - make_interval(secs => $2::double precision)

-- name: examined: what its CapabilityStatement says now, of the endpoint as it was when it was asked; and
-- why nothing can be sent to it, unless it is paused for another reason
UPDATE endpoint SET takes_transactions = $3, takes_batches = $4, takes_provenance = $5,
    takes_devices = $6, conditional_create = $7, conditional_update = $8, warnings = $9,
    disproved = $10, unread = '', examined_at = clock_timestamp(),
    paused = CASE WHEN paused = '' OR starts_with(paused, 'statement: ') THEN $11 ELSE paused END,
    revision = revision + CASE
        WHEN $12::boolean OR (starts_with(paused, 'statement: ') OR paused = '') AND paused <> $11
        THEN 1 ELSE 0 END
WHERE endpoint_id = $1 AND revision = $2
RETURNING *

-- name: unread: it could not be read; what it said last still holds
UPDATE endpoint SET unread = $2 WHERE endpoint_id = $1

-- name: disproved: it takes no transactions, or no batches, whatever it promised
UPDATE endpoint SET takes_transactions = takes_transactions AND $2 <> 'transactions',
    takes_batches = takes_batches AND $2 <> 'batches', disproved = array_append(disproved, $2),
    revision = revision + 1
WHERE endpoint_id = $1 AND NOT disproved @> ARRAY[$2::text]

-- name: shrink: its Bundles are to be smaller from now on
UPDATE endpoint SET entries_now = greatest(1, least(entries_now, $2::integer)) WHERE endpoint_id = $1

-- name: keys: those that are told, the one that signs first
SELECT kid, public_jwk, private_key, signs_from, told_until,
    signs_from <= clock_timestamp() AS signs
FROM signing_key WHERE told_until > clock_timestamp() ORDER BY signs DESC, signs_from DESC

-- name: lock_keys: one replica makes keys at a time
LOCK TABLE signing_key IN EXCLUSIVE MODE

-- name: add_key: told at once, signing a little later
INSERT INTO signing_key (kid, public_jwk, private_key, signs_from, told_until)
VALUES ($1, $2, $3, clock_timestamp() + make_interval(secs => $4::double precision),
    clock_timestamp() + make_interval(secs => $5::double precision))

-- name: secret: what only this service knows
SELECT sealed FROM secret WHERE name = $1

-- name: keep_secret: unless another replica was first
INSERT INTO secret (name, sealed) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING
