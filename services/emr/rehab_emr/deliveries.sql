-- name: plan: a resource that was touched goes on its way, again if it was there; or waits with the
-- others of its lane
INSERT INTO delivery (endpoint_id, patient_id, kind, resource_id, position, next_at, state, reason)
SELECT $1, $2, told.kind, told.resource_id, told.position, told.ready_at, $7, $8
FROM unnest($3::text[], $4::text[], $5::bigint[], $6::timestamptz[])
    AS told (kind, resource_id, position, ready_at)
ON CONFLICT (endpoint_id, patient_id, kind, resource_id) DO UPDATE
SET position = excluded.position, state = excluded.state, reason = excluded.reason, attempts = 0,
    next_at = excluded.next_at, disclosed_at = NULL, change = nextval('delivery_change'),
    planned_at = clock_timestamp(), changed_at = clock_timestamp()
WHERE delivery.position < excluded.position

-- name: waiting: what is to be sent now, in the order of the log
SELECT * FROM delivery
WHERE endpoint_id = $1 AND patient_id = $2 AND state = 'pending' AND next_at <= clock_timestamp()
    AND reason <> 'to_be_notified'
ORDER BY position, kind, resource_id LIMIT $3

-- name: to_come: what is to be sent, whenever that is, in the order of the log
SELECT * FROM delivery
WHERE endpoint_id = $1 AND patient_id = $2 AND state IN ('pending', 'held', 'unmatched')
ORDER BY position, kind, resource_id LIMIT $3

-- name: next_at: how soon the next one is to be sent, in seconds
SELECT extract(epoch FROM min(next_at) - clock_timestamp())::double precision AS due_in
FROM delivery WHERE endpoint_id = $1 AND patient_id = $2 AND state = 'pending'
    AND reason <> 'to_be_notified'

-- name: hold: all that waits, waits for something else than its turn
UPDATE delivery SET state = $3, reason = $4, change = nextval('delivery_change'),
    changed_at = clock_timestamp()
WHERE endpoint_id = $1 AND patient_id = $2 AND state IN ('pending', 'held', 'unmatched')
    AND (state, reason) <> ($3, $4)

-- name: note: why it still waits
UPDATE delivery SET reason = $3, change = nextval('delivery_change'), changed_at = clock_timestamp()
WHERE endpoint_id = $1 AND patient_id = $2 AND state = 'pending' AND reason <> $3
    AND next_at <= clock_timestamp()

-- name: let_go: it waits for its turn again; what no consent covered only where $3 says that there may
-- be another one
UPDATE delivery SET state = 'pending', reason = '', change = nextval('delivery_change'),
    changed_at = clock_timestamp()
WHERE endpoint_id = $1 AND patient_id = $2
    AND (state = 'unmatched' OR (state = 'held' AND ($3::boolean OR reason <> 'out_of_scope')))

-- name: disclosing: it is about to leave: from here on the receiver may have it
UPDATE delivery SET disclosed_at = coalesce(disclosed_at, date_trunc('milliseconds', clock_timestamp())),
    accepted = false, amended = told.amended, digest = told.digest, attempts = attempts + 1,
    change = nextval('delivery_change'), changed_at = clock_timestamp()
FROM unnest($3::text[], $4::text[], $5::bytea[], $6::boolean[])
    AS told (kind, resource_id, digest, amended)
WHERE delivery.endpoint_id = $1 AND delivery.patient_id = $2
    AND delivery.kind = told.kind AND delivery.resource_id = told.resource_id
RETURNING delivery.kind, delivery.resource_id, delivery.disclosed_at

-- name: stayed: it did not leave after all
UPDATE delivery SET accepted = told.accepted, amended = told.amended, digest = told.digest,
    disclosed_at = told.disclosed_at, attempts = attempts - 1
FROM unnest($3::text[], $4::text[], $5::bytea[], $6::boolean[], $7::boolean[], $8::timestamptz[])
    AS told (kind, resource_id, digest, amended, accepted, disclosed_at)
WHERE delivery.endpoint_id = $1 AND delivery.patient_id = $2
    AND delivery.kind = told.kind AND delivery.resource_id = told.resource_id

-- name: ended: what became of one
UPDATE delivery SET state = $5, reason = $6, remote = coalesce(nullif($7, ''), remote),
    remote_version = coalesce(nullif($8, ''), remote_version),
    accepted = accepted OR $9::boolean, outcome = $10,
    next_at = clock_timestamp() + make_interval(secs => $11::double precision),
    change = nextval('delivery_change'), changed_at = clock_timestamp()
WHERE endpoint_id = $1 AND patient_id = $2 AND kind = $3 AND resource_id = $4

-- name: numbered: they have their numbers, and wait to be told of
UPDATE delivery SET state = 'pending', reason = 'to_be_notified', accepted = false,
    amended = told.amended, digest = told.digest, change = nextval('delivery_change'),
    changed_at = clock_timestamp()
FROM unnest($3::text[], $4::text[], $5::bytea[], $6::boolean[])
    AS told (kind, resource_id, digest, amended)
WHERE delivery.endpoint_id = $1 AND delivery.patient_id = $2
    AND delivery.kind = told.kind AND delivery.resource_id = told.resource_id

-- name: known: what the receiver has of a patient
SELECT kind, resource_id, remote FROM delivery
WHERE endpoint_id = $1 AND patient_id = $2 AND remote <> ''

-- name: replay: sent again, as if it were new
UPDATE delivery SET state = 'pending', reason = '', attempts = 0, accepted = false,
    disclosed_at = NULL, next_at = clock_timestamp(), change = nextval('delivery_change'),
    changed_at = clock_timestamp()
WHERE endpoint_id = $1 AND ($2::text = '' OR patient_id = $2) AND ($3::text = '' OR kind = $3)
    AND position >= $4::bigint AND ($5::bigint = 0 OR position <= $5::bigint)
    AND (state = 'dead' OR ($6::boolean AND state = 'delivered'))
RETURNING patient_id

-- name: drop: there is nothing to tell, and nothing was told
DELETE FROM delivery
WHERE endpoint_id = $1 AND patient_id = $2 AND kind = $3 AND resource_id = $4

-- name: wake: whose deliveries are sent again
UPDATE lane SET due_at = clock_timestamp(), not_before = '-infinity', wakes = wakes + 1, held = ''
WHERE endpoint_id = $1 AND patient_id = ANY($2::text[])

-- name: one: one delivery
SELECT * FROM delivery
WHERE endpoint_id = $1 AND patient_id = $2 AND kind = $3 AND resource_id = $4

-- name: page: of a clinic, the one changed last first
SELECT d.* FROM delivery d JOIN endpoint e USING (endpoint_id)
WHERE e.clinic_id = $1 AND ($2::text = '' OR d.endpoint_id = $2)
    AND ($3::text = '' OR d.patient_id = $3) AND ($4::text = '' OR d.state = $4)
    AND ($5::bigint IS NULL OR d.change < $5::bigint)
ORDER BY d.change DESC LIMIT $6

-- name: changed: of a clinic, lately: numbers are not given out in the order of commits, so that
-- whoever watches looks back a while
SELECT d.* FROM delivery d JOIN endpoint e USING (endpoint_id)
WHERE e.clinic_id = $1 AND ($2::text = '' OR d.endpoint_id = $2)
    AND d.changed_at > clock_timestamp() - make_interval(secs => $3::double precision)
ORDER BY d.change DESC LIMIT $4

-- name: counts: by endpoint and state, and how long the oldest one waits
SELECT e.endpoint_id, e.paused, e.failures, e.open_until > clock_timestamp() AS is_open, d.state,
    e.warnings, e.unread, e.examined_at,
    count(d.state) AS deliveries,
    coalesce(extract(epoch FROM clock_timestamp() - min(d.planned_at)), 0)::double precision AS oldest_s
FROM endpoint e LEFT JOIN delivery d USING (endpoint_id)
WHERE e.clinic_id = $1
GROUP BY e.endpoint_id, d.state ORDER BY e.endpoint_id

-- name: told: whoever watches looks
SELECT pg_notify($1, '')
