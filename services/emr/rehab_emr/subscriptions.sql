-- name: open: of an endpoint that is new; one that is there goes on where it was, at once
INSERT INTO subscription (endpoint_id, token) VALUES ($1, $2)
ON CONFLICT (endpoint_id) DO UPDATE
SET status = 'active', failures = 0, not_before = '-infinity', accepted_at = clock_timestamp()
RETURNING xmax = 0 AS is_new

-- name: one: how far it is
SELECT * FROM subscription WHERE endpoint_id = $1

-- name: token: another one, and the one before is none any more
UPDATE subscription SET token = $2 WHERE endpoint_id = $1

-- name: lock: nobody else gives out numbers until the transaction ends
SELECT events, accepted FROM subscription WHERE endpoint_id = $1 FOR UPDATE

-- name: latest: the last event of each of a patient's resources
SELECT DISTINCT ON (kind, resource_id) *
FROM subscription_event
WHERE endpoint_id = $1 AND patient_id = $2 AND resource_id = ANY($3::text[])
ORDER BY kind, resource_id, number DESC

-- name: number: events in their order, behind the last one
INSERT INTO subscription_event
    (endpoint_id, number, patient_id, kind, resource_id, provenance_id, digest, amended)
SELECT $1, $2::bigint + told.place, $3, told.kind, told.resource_id, told.provenance_id, told.digest,
    told.amended
FROM unnest($4::text[], $5::text[], $6::text[], $7::bytea[], $8::boolean[]) WITH ORDINALITY
    AS told (kind, resource_id, provenance_id, digest, amended, place)

-- name: counted: so many more; and those from $3 on are told again
UPDATE subscription SET events = events + $2::bigint,
    accepted = least(accepted, $3::bigint - 1),
    sending = CASE WHEN $3::bigint <= accepted THEN 0 ELSE sending END
WHERE endpoint_id = $1

-- name: claim: there are events to tell, or it was silent for too long. What left together before
-- leaves together again
UPDATE subscription s SET owner = $2::uuid,
    lease_until = clock_timestamp() + make_interval(secs => $3::double precision),
    sending = CASE WHEN s.sending > s.accepted THEN s.sending
        ELSE least(s.events, s.accepted + e.entries_now) END,
    sending_since = CASE WHEN s.sending > s.accepted THEN s.sending_since
        ELSE date_trunc('milliseconds', clock_timestamp()) END
FROM endpoint e
WHERE s.endpoint_id = $1 AND e.endpoint_id = s.endpoint_id AND e.paused = ''
    AND (e.open_until IS NULL OR e.open_until <= clock_timestamp())
    AND s.lease_until <= clock_timestamp() AND s.not_before <= clock_timestamp()
    AND (s.events > s.accepted OR (e.heartbeat_s > 0
        AND s.accepted_at <= clock_timestamp() - make_interval(secs => e.heartbeat_s)))
RETURNING s.*

-- name: hold_on: still ours, from now on so long
UPDATE subscription SET lease_until = clock_timestamp() + make_interval(secs => $3::double precision)
WHERE endpoint_id = $1 AND owner = $2::uuid AND lease_until > clock_timestamp()

-- name: accept: what was sending was taken
UPDATE subscription SET accepted = $3::bigint, accepted_at = clock_timestamp(), status = 'active',
    failures = 0, not_before = '-infinity', owner = NULL, lease_until = '-infinity'
WHERE endpoint_id = $1 AND owner = $2::uuid AND sending = $3::bigint

-- name: told: deliveries whose last event was taken
UPDATE delivery SET state = 'delivered', reason = '', accepted = true,
    change = nextval('delivery_change'), changed_at = clock_timestamp()
FROM (
    SELECT DISTINCT patient_id, kind, resource_id FROM subscription_event
    WHERE endpoint_id = $1 AND number > $2::bigint AND number <= $3::bigint
) AS taken
WHERE delivery.endpoint_id = $1 AND delivery.patient_id = taken.patient_id
    AND delivery.kind = taken.kind AND delivery.resource_id = taken.resource_id
    AND delivery.state = 'pending' AND delivery.reason = 'to_be_notified'
    AND NOT EXISTS (SELECT 1 FROM subscription_event later
        WHERE later.endpoint_id = $1 AND later.resource_id = taken.resource_id
            AND later.number > $3::bigint)

-- name: release: not before a while; from so many failures in a row on it is in error. What was to
-- leave together is cut anew when $5 says so
UPDATE subscription SET owner = NULL, lease_until = '-infinity',
    failures = CASE WHEN $4::integer > 0 THEN failures + 1 ELSE failures END,
    status = CASE WHEN $4::integer > 0 AND failures + 1 >= $4::integer THEN 'error' ELSE status END,
    not_before = clock_timestamp() + make_interval(secs => $3::double precision),
    sending = CASE WHEN $5::boolean THEN 0 ELSE sending END
WHERE endpoint_id = $1 AND owner = $2::uuid

-- name: tell: whoever watches looks
SELECT pg_notify($1, '')

-- name: events: those between two numbers, both included
SELECT * FROM subscription_event
WHERE endpoint_id = $1 AND number >= $2::bigint AND number <= $3::bigint
ORDER BY number LIMIT $4

-- name: search: Observations of one patient by their last events, from a number and a time on
SELECT e.* FROM subscription_event e
WHERE e.endpoint_id = $1 AND e.patient_id = $2 AND e.kind <> 'device'
    AND e.at >= $3::timestamptz AND e.number > $4::bigint
    AND NOT EXISTS (SELECT 1 FROM subscription_event later
        WHERE later.endpoint_id = e.endpoint_id AND later.resource_id = e.resource_id
            AND later.number > e.number)
ORDER BY e.number LIMIT $5

-- name: of_resource: the last event of one resource
SELECT * FROM subscription_event WHERE endpoint_id = $1 AND resource_id = $2
ORDER BY number DESC LIMIT 1

-- name: of_provenance: the event that a provenance went with
SELECT * FROM subscription_event WHERE endpoint_id = $1 AND provenance_id = $2
ORDER BY number DESC LIMIT 1
