-- name: patients: who there is, and how far their streams go
INSERT INTO patient (patient_id, clinic_id, version)
SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[])
ON CONFLICT (patient_id) DO UPDATE SET version = greatest(patient.version, excluded.version)

-- name: wake_patients: every endpoint of the patient's clinic looks at what is new, a little later:
-- what belongs together is sent together
INSERT INTO lane (endpoint_id, patient_id, due_at)
SELECT e.endpoint_id, p.patient_id, clock_timestamp() + make_interval(secs => $2::double precision)
FROM patient p JOIN endpoint e ON e.clinic_id = p.clinic_id
WHERE p.patient_id = ANY($1::text[])
ON CONFLICT (endpoint_id, patient_id) DO UPDATE
SET due_at = least(lane.due_at, excluded.due_at), wakes = lane.wakes + 1

-- name: open_lanes: of an endpoint that is new or wants something else, for all patients of its
-- clinic; those that want no history begin where the streams end
INSERT INTO lane (endpoint_id, patient_id, planned, due_at)
SELECT e.endpoint_id, p.patient_id, CASE WHEN e.no_backfill THEN p.version ELSE 0 END,
    clock_timestamp()
FROM patient p JOIN endpoint e ON e.clinic_id = p.clinic_id
WHERE e.endpoint_id = $1
ON CONFLICT (endpoint_id, patient_id) DO UPDATE
SET planned = least(lane.planned, excluded.planned), due_at = clock_timestamp(), sought_at = NULL,
    not_before = '-infinity', wakes = lane.wakes + 1

-- name: claim: lanes with something to do, the longest due first. A breaker that was open lets one
-- through, which shows whether it may close. Numbering is no request, and waits for no breaker
WITH open AS (
    SELECT endpoint_id, failures >= $5::integer AND notify = '' AS is_probe,
        CASE WHEN failures >= $5::integer AND notify = '' THEN least($2::integer, 1) ELSE $2::integer END AS most
    FROM endpoint
    WHERE endpoint_id = $1 AND paused = ''
        AND (notify <> '' OR open_until IS NULL OR open_until <= clock_timestamp())
), found AS (
    SELECT l.endpoint_id, l.patient_id, open.is_probe FROM lane l JOIN open ON open.endpoint_id = l.endpoint_id
    WHERE l.due_at <= clock_timestamp() AND l.lease_until <= clock_timestamp()
        AND l.not_before <= clock_timestamp() AND l.quiet_until <= clock_timestamp()
    ORDER BY l.due_at, l.patient_id
    LIMIT (SELECT most FROM open)
    FOR UPDATE OF l SKIP LOCKED
)
UPDATE lane SET owner = $3::uuid,
    lease_until = clock_timestamp() + make_interval(secs => $4::double precision)
FROM found
WHERE lane.endpoint_id = found.endpoint_id AND lane.patient_id = found.patient_id
RETURNING lane.endpoint_id, lane.patient_id, lane.planned, lane.wakes, lane.failures, lane.link,
    lane.held, lane.consents, found.is_probe,
    extract(epoch FROM clock_timestamp() - lane.sought_at)::double precision AS sought_s

-- name: probe: the breaker stays open for others until the one that was let through is back
UPDATE endpoint SET open_until = clock_timestamp() + make_interval(secs => $2::double precision)
WHERE endpoint_id = $1 AND failures >= $3::integer AND notify = ''

-- name: hold_on: still ours, from now on so long
UPDATE lane SET lease_until = clock_timestamp() + make_interval(secs => $4::double precision)
WHERE endpoint_id = $1 AND patient_id = $2 AND owner = $3::uuid
    AND lease_until > clock_timestamp()

-- name: owns: whoever stores what became of a lane owns it
SELECT 1 FROM lane WHERE endpoint_id = $1 AND patient_id = $2 AND owner = $3::uuid FOR UPDATE

-- name: release: until it is due again, at once when something woke it meanwhile; but not before
UPDATE lane SET owner = NULL, lease_until = '-infinity', failures = $6::integer,
    not_before = clock_timestamp() + make_interval(secs => $7::double precision),
    quiet_until = clock_timestamp() + make_interval(secs => $8::double precision),
    due_at = CASE
        WHEN wakes <> $4::bigint THEN clock_timestamp()
        WHEN $5::double precision IS NULL THEN NULL
        ELSE clock_timestamp() + make_interval(secs => $5::double precision)
    END
WHERE endpoint_id = $1 AND patient_id = $2 AND owner = $3::uuid

-- name: wake_lanes: those of an endpoint, or of one patient, that have something to do
UPDATE lane SET due_at = clock_timestamp(), not_before = '-infinity', wakes = wakes + 1
WHERE endpoint_id = $1 AND ($2::text = '' OR patient_id = $2)

-- name: link: who the patient is at the receiver
INSERT INTO lane (endpoint_id, patient_id, link, due_at)
VALUES ($1, $2, $3, clock_timestamp())
ON CONFLICT (endpoint_id, patient_id) DO UPDATE
SET link = excluded.link, due_at = clock_timestamp(), wakes = lane.wakes + 1

-- name: link_found: as the lane's owner found it
UPDATE lane SET link = $4 WHERE endpoint_id = $1 AND patient_id = $2 AND owner = $3::uuid

-- name: linked: who the patient is at the receiver
SELECT link FROM lane WHERE endpoint_id = $1 AND patient_id = $2

-- name: planned: up to which version there are deliveries
UPDATE lane SET planned = $4 WHERE endpoint_id = $1 AND patient_id = $2 AND owner = $3::uuid

-- name: stands: why its deliveries wait, and how many consents had begun when they were looked at
UPDATE lane SET held = $4, consents = $5 WHERE endpoint_id = $1 AND patient_id = $2 AND owner = $3::uuid

-- name: sought: the receiver was asked who the patient is, and did not know
UPDATE lane SET sought_at = clock_timestamp()
WHERE endpoint_id = $1 AND patient_id = $2 AND owner = $3::uuid

-- name: erase: nothing of a patient is kept
DELETE FROM lane WHERE patient_id = ANY($1::text[])

-- name: erase_events: of what was told only the number stays, so that there is no gap
UPDATE subscription_event SET patient_id = NULL, kind = NULL, resource_id = NULL,
    provenance_id = NULL, digest = NULL
WHERE patient_id = ANY($1::text[])

-- name: erase_patients: nor that there was one
DELETE FROM patient WHERE patient_id = ANY($1::text[])

-- name: patient: the clinic of one
SELECT clinic_id, version FROM patient WHERE patient_id = $1
