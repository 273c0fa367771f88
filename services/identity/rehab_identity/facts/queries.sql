-- name: records: a patient whom the log does not know may have an account
SELECT asked.patient_id, patient.record, coalesce(account.clinic_id, '') AS clinic_id
FROM unnest($1::text[]) AS asked (patient_id)
LEFT JOIN patient USING (patient_id)
LEFT JOIN account ON account.account_id = asked.patient_id AND account.role = 'patient'

-- name: account: whose account an id is
SELECT clinic_id, role FROM account WHERE account_id = $1

-- name: save_records: what a batch changed
INSERT INTO patient (patient_id, clinic_id, erased_at, record)
SELECT * FROM unnest($1::text[], $2::text[], $3::timestamptz[], $4::jsonb[])
ON CONFLICT (patient_id) DO UPDATE
SET clinic_id = excluded.clinic_id, erased_at = excluded.erased_at, record = excluded.record

-- name: unreadable: patients of whom an event could not be read
SELECT patient_id, (record->>'version')::bigint AS version FROM patient
WHERE record->>'unreadable_at' IS NOT NULL ORDER BY patient_id

-- name: mend: unless the fold has stored something else meanwhile
UPDATE patient SET record = $2::jsonb, erased_at = $4
WHERE patient_id = $1 AND (record->>'version')::bigint = $3

-- name: save_emergencies: of the records that changed; an id stays with the patient it was first of
INSERT INTO emergency (grant_id, patient_id, clinic_id, principal_id, reason, taken_at, expires_at,
    reviewed_at, reviewed_by, finding)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::timestamptz[],
    $7::timestamptz[], $8::timestamptz[], $9::text[], $10::text[])
ON CONFLICT (grant_id) DO UPDATE
SET expires_at = excluded.expires_at, reviewed_at = excluded.reviewed_at,
    reviewed_by = excluded.reviewed_by, finding = excluded.finding
WHERE emergency.patient_id = excluded.patient_id

-- name: add_notices: of access that was taken lately; records are saved one transaction at a time, so
-- that whoever reads on from a seq misses none
WITH told AS (
    INSERT INTO emergency_notice
        (grant_id, clinic_id, patient_id, principal_id, reason, taken_at, expires_at, recipients)
    SELECT grant_id, clinic_id, patient_id, principal_id, reason, taken_at, expires_at,
        ARRAY (
            SELECT id FROM (
                SELECT jsonb_array_elements_text(team) AS id
                UNION
                SELECT account_id FROM account
                WHERE account.clinic_id = taken.clinic_id AND role = 'admin' AND status = 'active'
            ) AS hearers WHERE id <> principal_id ORDER BY id)
    FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::timestamptz[],
        $7::timestamptz[], $8::timestamptz[], $9::jsonb[])
        AS taken (grant_id, patient_id, clinic_id, principal_id, reason, taken_at, expires_at,
            told_at, team)
    WHERE told_at > now() - interval '1 day'
        AND NOT EXISTS (SELECT FROM emergency_notice AS n WHERE n.grant_id = taken.grant_id)
    ON CONFLICT (grant_id) DO NOTHING
    RETURNING seq
)
SELECT pg_notify('identity_emergency', '') FROM told LIMIT 1

-- name: last_notice: the newest there is
SELECT coalesce(max(seq), 0) AS seq FROM emergency_notice

-- name: notices: after a seq, in order; of one clinic or all, for one hearer or whoever may
SELECT n.*, e.reviewed_at, coalesce(e.reviewed_by, '') AS reviewed_by,
    coalesce(e.finding, '') AS finding
FROM emergency_notice AS n LEFT JOIN emergency AS e USING (grant_id)
WHERE n.seq > $1 AND ($2::text = '' OR n.clinic_id = $2)
    AND ($3::text = '' OR $3 = ANY (n.recipients))
ORDER BY n.seq LIMIT $4

-- name: claim_notices: whoever takes one has it until it is due again; twice as long each time
UPDATE emergency_notice SET attempts = attempts + 1,
    next_at = now() + make_interval(secs => least(5 * 2 ^ least(attempts, 10), 900))
WHERE seq IN (
    SELECT seq FROM emergency_notice WHERE delivered_at IS NULL AND next_at <= now()
    ORDER BY seq LIMIT $1 FOR UPDATE SKIP LOCKED)
RETURNING *

-- name: notice_delivered: nobody need be told again
UPDATE emergency_notice SET delivered_at = now() WHERE seq = $1

-- name: notices_undelivered: how many wait, since when
SELECT count(*) AS count FROM emergency_notice WHERE delivered_at IS NULL

-- name: purge_notices: of patients who were erased
DELETE FROM emergency_notice WHERE patient_id = ANY ($1::text[])

-- name: share_entries: entries and erasures come from different shards, in any order
SELECT pg_advisory_xact_lock_shared(7241002)

-- name: own_entries: nobody adds entries while those of an erased patient go
SELECT pg_advisory_xact_lock(7241002)

-- name: save_entries: none of patients who were erased. An entry is of the patient's clinic; where
-- nobody knew whose it was, of the actor's.
INSERT INTO access_entry (patient_id, at, event_id, actor_id, role, rpc, allowed, reason, purpose,
    consent_id, covered_until, clinic_id)
SELECT told.patient_id, told.at, told.event_id, told.actor_id, told.role, told.rpc, told.allowed,
    told.reason, told.purpose, told.consent_id, told.covered_until, CASE told.patient_id WHEN '' THEN told.clinic_id
        ELSE coalesce(patient.clinic_id, account.clinic_id, '') END
FROM unnest($1::text[], $2::timestamptz[], $3::uuid[], $4::text[], $5::smallint[],
    $6::text[], $7::boolean[], $8::text[], $9::text[], $10::text[], $11::timestamptz[], $12::text[])
    AS told (patient_id, at, event_id, actor_id, role, rpc, allowed, reason, purpose, consent_id,
        covered_until, clinic_id)
LEFT JOIN patient ON patient.patient_id = told.patient_id
LEFT JOIN account ON account.account_id = told.patient_id
WHERE patient.erased_at IS NULL
ON CONFLICT DO NOTHING

-- name: claim_entries: those told before anybody knew whose the patient is
UPDATE access_entry SET clinic_id = patient.clinic_id FROM patient
WHERE patient.patient_id = ANY ($1::text[]) AND patient.patient_id = access_entry.patient_id
    AND access_entry.clinic_id = '' AND access_entry.patient_id <> ''

-- name: purge_entries: of patients who were erased
DELETE FROM access_entry WHERE patient_id = ANY ($1::text[])

-- name: purge_emergencies: of patients who were erased
DELETE FROM emergency WHERE patient_id = ANY ($1::text[])

-- name: tell: wakes every replica when the transaction commits
SELECT pg_notify('identity_access', told) FROM unnest($1::text[]) AS told

-- name: entries: newest first, after a place in that order
SELECT * FROM access_entry
WHERE patient_id = $1
    AND ($2::timestamptz IS NULL OR at >= $2)
    AND ($3::timestamptz IS NULL OR at < $3)
    AND ($4::timestamptz IS NULL OR (at, event_id) < ($4, $5::uuid))
ORDER BY at DESC, event_id DESC
LIMIT $6

-- name: plan_anew: a search is planned by what it asks for, for each wants another index
SET LOCAL plan_cache_mode = force_custom_plan

-- name: search_newest: newest first, after a place in that order; what is empty or null is not asked
SELECT * FROM access_entry
WHERE ($1::text = '' OR clinic_id = $1)
    AND ($2::text = '' OR patient_id = $2)
    AND ($3::text = '' OR actor_id = $3)
    AND ($4::text = '' OR position(lower($4) IN lower(rpc)) > 0)
    AND ($5::timestamptz IS NULL OR at >= $5)
    AND ($6::timestamptz IS NULL OR at < $6)
    AND ($7::boolean IS NULL OR allowed = $7)
    AND (NOT $8::boolean OR reason = 'break_glass' OR rpc IN (
        'rehab.identity.v1.IdentityService/TakeEmergencyAccess',
        'rehab.identity.v1.IdentityService/EndEmergencyAccess',
        'rehab.identity.v1.IdentityService/ReviewEmergencyAccess'))
    AND ($9::timestamptz IS NULL OR (at, event_id, patient_id) < ($9, $10::uuid, $11::text))
ORDER BY at DESC, event_id DESC, patient_id DESC
LIMIT $12

-- name: search_oldest: the same, oldest first
SELECT * FROM access_entry
WHERE ($1::text = '' OR clinic_id = $1)
    AND ($2::text = '' OR patient_id = $2)
    AND ($3::text = '' OR actor_id = $3)
    AND ($4::text = '' OR position(lower($4) IN lower(rpc)) > 0)
    AND ($5::timestamptz IS NULL OR at >= $5)
    AND ($6::timestamptz IS NULL OR at < $6)
    AND ($7::boolean IS NULL OR allowed = $7)
    AND (NOT $8::boolean OR reason = 'break_glass' OR rpc IN (
        'rehab.identity.v1.IdentityService/TakeEmergencyAccess',
        'rehab.identity.v1.IdentityService/EndEmergencyAccess',
        'rehab.identity.v1.IdentityService/ReviewEmergencyAccess'))
    AND ($9::timestamptz IS NULL OR (at, event_id, patient_id) > ($9, $10::uuid, $11::text))
ORDER BY at, event_id, patient_id
LIMIT $12

-- name: emergencies: of a clinic, newest first, after a place in that order
SELECT * FROM emergency
WHERE clinic_id = $1
    AND ($2::timestamptz IS NULL OR (taken_at, grant_id) < ($2, $3::text))
ORDER BY taken_at DESC, grant_id DESC
LIMIT $4

-- name: emergencies_unreviewed: the same of those that nobody has reviewed
SELECT * FROM emergency
WHERE clinic_id = $1 AND reviewed_at IS NULL
    AND ($2::timestamptz IS NULL OR (taken_at, grant_id) < ($2, $3::text))
ORDER BY taken_at DESC, grant_id DESC
LIMIT $4

-- name: emergency: by its id
SELECT * FROM emergency WHERE grant_id = $1

-- name: overdue: taken before a time, and not reviewed
SELECT count(*) AS count FROM emergency WHERE reviewed_at IS NULL AND taken_at < $1

-- name: revocations: since a time or number; those seen last are read again, for numbers may become
-- visible out of order, and clocks may be wrong
SELECT seq, revoked, at FROM revocation WHERE at >= now() - $1::interval OR seq > $2 ORDER BY seq
