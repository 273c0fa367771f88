-- name: start_projection: begin at the first event of every shard, unless begun before
INSERT INTO projection (name, shard, position, incarnation)
SELECT $1, place - 1, 0, incarnation
FROM unnest($2::text[]) WITH ORDINALITY AS shards (incarnation, place)
ON CONFLICT DO NOTHING

-- name: projection: where the read models stand
SELECT shard, position, incarnation, recorded_at, epoch FROM projection
WHERE name = $1
ORDER BY shard

-- name: advance: the fence; moves nothing when another runner was here, and then nothing is stored
UPDATE projection SET position = $3, recorded_at = $4, epoch = $8
WHERE name = $1 AND shard = $6 AND position = $2 AND incarnation = $5 AND epoch = $7

-- name: advance_part: the same for a part of a shard
UPDATE part SET position = $4, recorded_at = $5
WHERE shard = $1 AND part = $2 AND position = $3 AND incarnation = $6

-- name: add_parts: as many of a shard as are folded at once, up to a position
INSERT INTO part (shard, part, parts, until, incarnation)
SELECT $1, place - 1, $2, $3, $4 FROM generate_series(1, $2::integer) AS made (place)

-- name: parts: how far each of them is
SELECT shard, part, parts, position, until, incarnation, recorded_at FROM part ORDER BY shard, part

-- name: end_part: nothing is left of it
UPDATE part SET position = until WHERE shard = $1 AND part = $2

-- name: joined: the shards stand where all of their parts ended
INSERT INTO projection (name, shard, position, incarnation, recorded_at)
SELECT $1, shard, max(until), max(incarnation), max(recorded_at) FROM part GROUP BY shard

-- name: drop_parts: they have become shards
DELETE FROM part

-- name: held_back: which of these streams are parked or erased, and which have events that are void:
-- corrected by others, or passed over by an operator
SELECT patient_id, true AS held FROM parked WHERE patient_id = ANY($1::text[])
UNION ALL
SELECT patient_id, true FROM patient WHERE patient_id = ANY($1::text[]) AND erased
UNION ALL
SELECT asked.patient_id, false FROM unnest($1::text[]) AS asked (patient_id)
CROSS JOIN LATERAL (SELECT FROM corrected WHERE patient_id = asked.patient_id LIMIT 1) AS void
UNION ALL
SELECT asked.patient_id, false FROM unnest($1::text[]) AS asked (patient_id)
CROSS JOIN LATERAL (
    SELECT FROM public.skipped_event WHERE patient_id = asked.patient_id LIMIT 1
) AS void

-- name: void: which of these events a correction has voided already, or an operator passed over
SELECT event_id FROM corrected WHERE patient_id = ANY($1::text[]) AND event_id = ANY($2::text[])
UNION ALL
SELECT event_id FROM public.skipped_event
WHERE patient_id = ANY($1::text[]) AND event_id = ANY($2::text[])

-- name: skipped: events of a patient that an operator has passed over
SELECT event_id FROM public.skipped_event WHERE patient_id = $1

-- name: skip: pass an event over from now on
INSERT INTO public.skipped_event (patient_id, event_id, reason, skipped_by)
VALUES ($1, $2, $3, $4)
ON CONFLICT DO NOTHING

-- name: care_events: a patient's care as told, to fold it when it is not in memory
SELECT patient_id, event FROM care_event WHERE patient_id = ANY($1::text[]) ORDER BY position

-- name: sessions_by_key: the sessions that a batch touches; LATERAL with OFFSET keeps a plan made
-- for an empty table from being a join over all of it later
SELECT s.patient_id, s.session_id, s.record
FROM unnest($1::text[], $2::text[]) AS wanted (patient_id, session_id)
CROSS JOIN LATERAL (
    SELECT * FROM session
    WHERE patient_id = wanted.patient_id AND session_id = wanted.session_id OFFSET 0
) AS s

-- name: sets_by_session: the sets of the sessions that a batch touches; LATERAL as above
SELECT e.patient_id, e.session_id, e.exercise_id, e.side, e.set_index, e.record, e.reps
FROM unnest($1::text[], $2::text[]) AS wanted (patient_id, session_id)
CROSS JOIN LATERAL (
    SELECT * FROM exercise_set
    WHERE patient_id = wanted.patient_id AND session_id = wanted.session_id OFFSET 0
) AS e

-- name: save_patients: the newest position, the last activity; a standing only where care changed
INSERT INTO patient AS kept
    (patient_id, clinic_id, position, planned_at, active_at, standing, listed, planned, erased)
SELECT * FROM unnest(
    $1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::timestamptz[], $6::text[],
    $7::boolean[], $8::boolean[], $9::boolean[]
)
ON CONFLICT (patient_id) DO UPDATE SET
    position = GREATEST(kept.position, EXCLUDED.position),
    planned_at = GREATEST(kept.planned_at, EXCLUDED.planned_at),
    active_at = GREATEST(kept.active_at, EXCLUDED.active_at),
    standing = COALESCE(EXCLUDED.standing, kept.standing),
    listed = CASE WHEN EXCLUDED.standing IS NULL THEN kept.listed ELSE EXCLUDED.listed END,
    planned = CASE WHEN EXCLUDED.standing IS NULL THEN kept.planned ELSE EXCLUDED.planned END,
    erased = kept.erased OR EXCLUDED.erased

-- name: save_care_events: as told, one row each
INSERT INTO care_event (patient_id, position, kind, event)
SELECT * FROM unnest($1::text[], $2::bigint[], $3::text[], $4::bytea[])

-- name: save_sessions: whole rows; the fold has merged them
INSERT INTO session (patient_id, session_id, started_at, position, record, summary)
SELECT * FROM unnest($1::text[], $2::text[], $3::timestamptz[], $4::bigint[], $5::text[], $6::text[])
ON CONFLICT (patient_id, session_id) DO UPDATE SET
    started_at = EXCLUDED.started_at, position = EXCLUDED.position, record = EXCLUDED.record, summary = EXCLUDED.summary

-- name: save_sets: whole rows; the fold has merged them
INSERT INTO exercise_set
    (patient_id, session_id, exercise_id, side, set_index, seen_at, record, reps)
SELECT * FROM unnest(
    $1::text[], $2::text[], $3::text[], $4::smallint[], $5::integer[], $6::timestamptz[],
    $7::text[], $8::bytea[]
)
ON CONFLICT (patient_id, session_id, exercise_id, side, set_index) DO UPDATE SET
    seen_at = EXCLUDED.seen_at, record = EXCLUDED.record, reps = EXCLUDED.reps

-- name: save_marks: the earliest moment of each quarter; a quarter known earlier costs no write
INSERT INTO monitoring AS kept (patient_id, zone, quarter, first_at, event_id, position)
SELECT * FROM unnest(
    $1::text[], $2::text[], $3::timestamptz[], $4::timestamptz[], $5::text[], $6::bigint[]
)
ON CONFLICT (patient_id, quarter, zone) DO UPDATE SET
    first_at = EXCLUDED.first_at, event_id = EXCLUDED.event_id, position = EXCLUDED.position
WHERE (EXCLUDED.first_at, EXCLUDED.event_id COLLATE "C") < (kept.first_at, kept.event_id COLLATE "C")

-- name: save_corrected: events that are void from now on, whenever they arrive
INSERT INTO corrected (patient_id, event_id)
SELECT * FROM unnest($1::text[], $2::text[])
ON CONFLICT DO NOTHING

-- name: park: hold a stream back
INSERT INTO parked (patient_id, position, event_id, reason, parked_at)
SELECT patient_id, position, event_id, reason, now()
FROM unnest($1::text[], $2::bigint[], $3::text[], $4::text[])
    AS held (patient_id, position, event_id, reason)
ON CONFLICT (patient_id) DO NOTHING

-- name: release: let streams go on
DELETE FROM parked WHERE patient_id = ANY($1::text[])

-- name: parked: streams held back, oldest first
SELECT patient_id, position, event_id, reason FROM parked ORDER BY position

-- name: parked_since: the same with when
SELECT patient_id, position, event_id, reason, parked_at FROM parked ORDER BY parked_at, position

-- name: purge_patient: a patient that is folded anew, or erased
DELETE FROM patient WHERE patient_id = ANY($1::text[])

-- name: purge_care: a patient that is folded anew, or erased
DELETE FROM care_event WHERE patient_id = ANY($1::text[])

-- name: purge_sessions: a patient that is folded anew, or erased
DELETE FROM session WHERE patient_id = ANY($1::text[])

-- name: purge_sets: a patient that is folded anew, or erased
DELETE FROM exercise_set WHERE patient_id = ANY($1::text[])

-- name: purge_monitoring: a patient that is folded anew, or erased
DELETE FROM monitoring WHERE patient_id = ANY($1::text[])

-- name: purge_corrected: a patient that is folded anew, or erased
DELETE FROM corrected WHERE patient_id = ANY($1::text[])

-- name: patient: whose it is, and which version of the row is there
SELECT clinic_id, position || '.' || xmin AS written FROM patient WHERE patient_id = $1 AND NOT erased

-- name: written: which version of a patient's row is there; every fold that changes anything of the
-- patient writes it, and so does another version of the read models
SELECT patient_id, position || '.' || xmin AS written FROM patient WHERE patient_id = ANY($1::text[])

-- name: erased: whether it was known, and is not to be any more
SELECT FROM patient WHERE patient_id = $1 AND erased

-- name: care_of: what reads need of a patient's care
SELECT event FROM care_event WHERE patient_id = $1 AND kind = ANY($2::text[]) ORDER BY position

-- name: session_summaries: all sessions of patients, for matching them with due windows
SELECT patient_id, session_id, started_at, summary FROM session WHERE patient_id = ANY($1::text[])

-- name: newest_session: tells what day it is where the patient is, and the zone when no plan does
SELECT session_id, started_at, summary FROM session
WHERE patient_id = $1 AND ($2::timestamptz IS NULL OR started_at <= $2)
ORDER BY started_at DESC, session_id DESC LIMIT 1

-- name: session_page: newest first, from after the last one shown
SELECT session_id, started_at, summary FROM session
WHERE patient_id = $1 AND ($2::timestamptz IS NULL OR (started_at, session_id) < ($2, $3::text))
ORDER BY started_at DESC, session_id DESC LIMIT $4

-- name: observed_sets: repetitions seen in a time, one exercise or all
SELECT exercise_id, side, record, reps FROM exercise_set
WHERE patient_id = $1 AND seen_at >= $2 AND seen_at < $3 AND ($4 = '' OR exercise_id = $4)
ORDER BY session_id, exercise_id, side, set_index

-- name: marks: monitoring quarters in a time
SELECT zone, quarter, first_at, event_id, position FROM monitoring
WHERE patient_id = $1 AND quarter >= $2 AND quarter < $3

-- name: work_candidates: whom the list may show, of one clinic
SELECT patient_id, position, planned_at, active_at, standing FROM patient
WHERE clinic_id = $1 AND (listed OR planned) AND NOT erased

-- name: changed_before: when sessions that began before a time were last told of
SELECT asked.patient_id, past.position
FROM unnest($1::text[], $2::timestamptz[]) AS asked (patient_id, before)
CROSS JOIN LATERAL (
    SELECT max(position) AS position FROM session
    WHERE patient_id = asked.patient_id AND started_at < asked.before OFFSET 0
) AS past

-- name: plans: the plans of patients whose adherence is judged
SELECT patient_id, event FROM care_event
WHERE patient_id = ANY($1::text[]) AND kind = ANY('{plan,enrolment}') ORDER BY position

-- name: ensure_vital_months: partitions for the months that readings of a batch lie in
SELECT ensure_vital_month(month) FROM unnest($1::date[]) AS months (month)

-- name: save_vitals: one row per key and value; told again, it was told last at the later position
INSERT INTO vital AS kept (
    patient_id, metric, start_at, end_at, aggregation, sources, digest, value, low, high, ucum,
    zone, told, first_position, position
)
SELECT * FROM unnest(
    $1::text[], $2::text[], $3::timestamptz[], $4::timestamptz[], $5::text[], $6::text[],
    $7::bytea[], $8::double precision[], $9::double precision[], $10::double precision[],
    $11::text[], $12::text[], $13::bytea[], $14::bigint[], $15::bigint[]
)
ON CONFLICT (patient_id, metric, start_at, end_at, aggregation, sources, digest) DO UPDATE SET
    zone = EXCLUDED.zone, position = EXCLUDED.position
WHERE EXCLUDED.position > kept.position

-- name: save_billing: as told, one row each
INSERT INTO billing_event (patient_id, position, clinic_id, event)
SELECT * FROM unnest($1::text[], $2::bigint[], $3::text[], $4::bytea[])

-- name: save_notes: as told, one row each
INSERT INTO session_note (patient_id, session_id, position, event)
SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bytea[])

-- name: save_episodes: all of a patient's anew, since a late event may change any of them
INSERT INTO work_episode (
    patient_id, number, clinic_id, therapist_id, severity, opened_at, due_at, closed_at, closed_by,
    outcome
)
SELECT * FROM unnest(
    $1::text[], $2::integer[], $3::text[], $4::text[], $5::smallint[], $6::timestamptz[],
    $7::timestamptz[], $8::timestamptz[], $9::text[], $10::text[]
)

-- name: purge_vitals: a patient that is folded anew, or erased
DELETE FROM vital WHERE patient_id = ANY($1::text[])

-- name: purge_billing: a patient that is folded anew, or erased
DELETE FROM billing_event WHERE patient_id = ANY($1::text[])

-- name: purge_notes: a patient that is folded anew, or erased
DELETE FROM session_note WHERE patient_id = ANY($1::text[])

-- name: purge_episodes: a patient whose care changed, that is folded anew, or erased
DELETE FROM work_episode WHERE patient_id = ANY($1::text[])

-- name: vital_metrics: names of metrics, jumping from one to the next instead of reading all rows
WITH RECURSIVE found AS (
    (SELECT metric FROM vital WHERE patient_id = $1 ORDER BY metric LIMIT 1)
    UNION ALL
    SELECT (
        SELECT metric FROM vital
        WHERE patient_id = $1 AND metric > found.metric ORDER BY metric LIMIT 1
    )
    FROM found WHERE found.metric IS NOT NULL
)
SELECT metric FROM found WHERE metric IS NOT NULL

-- name: reading_page: all versions of so many keys, newest first, from after the last one shown
SELECT v.metric, v.start_at, v.end_at, v.aggregation, v.sources, v.value, v.low, v.high, v.ucum,
    v.zone, v.told, v.first_position, v.position
FROM (
    SELECT DISTINCT start_at, end_at, aggregation, sources FROM vital
    WHERE patient_id = $1 AND metric = $2 AND start_at >= $3 AND start_at < $4
        AND (
            $5::timestamptz IS NULL
            OR (start_at, end_at, aggregation, sources) < ($5, $6::timestamptz, $7::text, $8::text)
        )
    ORDER BY start_at DESC, end_at DESC, aggregation DESC, sources DESC LIMIT $9
) AS k
CROSS JOIN LATERAL (
    SELECT * FROM vital
    WHERE patient_id = $1 AND metric = $2 AND start_at = k.start_at AND end_at = k.end_at
        AND aggregation = k.aggregation AND sources = k.sources OFFSET 0
) AS v

-- name: readings_between: all versions of some metrics in a time
SELECT metric, start_at, end_at, aggregation, sources, value, low, high, ucum, zone, told,
    first_position, position
FROM vital
WHERE patient_id = $1 AND metric = ANY($2::text[]) AND start_at >= $3 AND start_at < $4

-- name: billing_of: what a patient's worksheet is reckoned from
SELECT event FROM billing_event WHERE patient_id = $1 ORDER BY position

-- name: consents_of: events of which the envelope, which is in the clear, names the kind "consent";
-- few others hold the word, and who reads them looks at the kind again
SELECT event FROM billing_event
WHERE patient_id = $1 AND position('\x636f6e73656e74'::bytea IN event) > 0 ORDER BY position

-- name: billing_patients: whose worksheets a clinic has, by id, from after the last one looked at
SELECT DISTINCT patient_id FROM billing_event
WHERE clinic_id = $1 AND patient_id > $2 ORDER BY patient_id LIMIT $3

-- name: notes_of: what was said in a session
SELECT event FROM session_note WHERE patient_id = $1 AND session_id = $2 ORDER BY position

-- name: scored_sets: repetitions seen in a time with the session they belong to
SELECT session_id, exercise_id, record, reps FROM exercise_set
WHERE patient_id = $1 AND seen_at >= $2 AND seen_at < $3 AND ($4 = '' OR exercise_id = $4)

-- name: work_episodes: items of a clinic that were open at any time of a span
SELECT number, therapist_id, severity, opened_at, due_at, closed_at, closed_by, outcome
FROM work_episode
WHERE clinic_id = $1 AND opened_at < $3 AND (closed_at IS NULL OR closed_at >= $2)
