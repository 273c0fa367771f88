-- name: patients: whom the log told of in a batch
INSERT INTO patient (patient_id, shard, clinic_id, therapist_id)
SELECT told.patient_id, $2, told.clinic_id, told.therapist_id
FROM unnest($1::text[], $3::text[], $4::text[]) AS told (patient_id, clinic_id, therapist_id)
ON CONFLICT (patient_id) DO UPDATE
SET clinic_id = excluded.clinic_id, therapist_id = excluded.therapist_id
WHERE patient.clinic_id <> excluded.clinic_id OR patient.therapist_id <> excluded.therapist_id

-- name: clear_timers: of folds that wait for nothing
DELETE FROM due_timer AS t USING unnest($1::text[], $2::integer[]) AS gone (patient_id, track)
WHERE t.patient_id = gone.patient_id AND t.track = gone.track

-- name: set_timers: what folds wait for next
INSERT INTO due_timer (patient_id, track, shard, due_at)
SELECT told.patient_id, told.track, $1, told.due_at
FROM unnest($2::text[], $3::integer[], $4::timestamptz[]) AS told (patient_id, track, due_at)
ON CONFLICT (patient_id, track) DO UPDATE SET due_at = excluded.due_at

-- name: due: whose timers are due, earliest first
SELECT patient_id, track FROM due_timer
WHERE shard = $1 AND due_at <= $2 ORDER BY due_at, patient_id, track LIMIT $3

-- name: drop_timers: of folds that nobody does any more
DELETE FROM due_timer WHERE track <> ALL ($1::integer[])

-- name: hold: nobody folds on while timers fire
SELECT position FROM log_position WHERE shard = $1 FOR UPDATE

-- name: fired: what rules did, once each; that a session followed a nudge may be told later
INSERT INTO firing (book, firing_id, rule_id, rule_version, action, alert_id, clinic_id, patient_id,
    shadow, at, trial, arm, followed)
SELECT DISTINCT ON (book, firing_id) book, firing_id, rule_id, rule_version, action, alert_id,
    clinic_id, patient_id, shadow, at, trial, arm,
    bool_or(followed) OVER (PARTITION BY book, firing_id)
FROM unnest($1::integer[], $2::uuid[], $3::text[], $4::integer[], $5::text[], $6::text[],
    $7::text[], $8::text[], $9::boolean[], $10::timestamptz[], $11::text[], $12::text[],
    $13::boolean[]) AS told (book, firing_id, rule_id, rule_version, action, alert_id, clinic_id,
    patient_id, shadow, at, trial, arm, followed)
ORDER BY book, firing_id
ON CONFLICT (book, firing_id) DO UPDATE SET followed = true
WHERE excluded.followed AND NOT firing.followed

-- name: erase_alerts: and their steps with them
DELETE FROM alert WHERE patient_id = ANY ($1::text[])

-- name: erase_firings: of patients who were erased
DELETE FROM firing WHERE patient_id = ANY ($1::text[])

-- name: erase_timers: of patients who were erased
DELETE FROM due_timer WHERE patient_id = ANY ($1::text[])

-- name: erase_patients: of patients who were erased
DELETE FROM patient WHERE patient_id = ANY ($1::text[])

-- name: timers_set: how far the timers of a track are set anew
SELECT after_patient, done FROM timers_set WHERE track = $1 AND generation = $2 AND shard = $3

-- name: set_up_to: the timers of these patients are set
INSERT INTO timers_set (track, generation, shard, after_patient, done) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (track, generation, shard) DO UPDATE
SET after_patient = excluded.after_patient, done = excluded.done

-- name: next_patients: of a shard, by their ids
SELECT patient_id FROM patient WHERE shard = $1 AND patient_id > $2 ORDER BY patient_id LIMIT $3
