-- name: durably: a step that was told is never taken back: its place would be another's
SET LOCAL synchronous_commit = on

-- name: own_steps: whoever adds a step waits here for the one before to commit
SELECT seq FROM step_head FOR UPDATE

-- name: raise: unless it is kept. Critical alerts and emergencies are told at once; one beside an
-- open alert of the patient that is as severe is shown with that one; of the others a therapist is
-- told so many a day
INSERT INTO alert (alert_id, clinic_id, patient_id, therapist_id, rule_id, rule_version, severity,
    channel, emergency, message_key, consent_id, event_id, trigger_id, raised_at, deadline,
    route, grouped_with, routed_on)
SELECT $1::text, $2::text, $3::text, led.by, $4::text, $5::integer, $6::integer, $7::text,
    $8::boolean, $9::text, $10::text, $11::uuid, $12::text, $13::timestamptz, $14::timestamptz,
    CASE
        WHEN $6 >= 3 OR $8 THEN 'immediate'
        WHEN beside.alert_id IS NOT NULL THEN 'grouped'
        WHEN told.today >= $15::bigint THEN 'digest'
        ELSE 'immediate'
    END,
    CASE WHEN $6 >= 3 OR $8 THEN '' ELSE coalesce(beside.alert_id, '') END,
    $16::date
FROM (
    SELECT coalesce(
        nullif($18::text, ''), (SELECT therapist_id FROM patient WHERE patient_id = $3), ''
    ) AS by
) AS led
LEFT JOIN LATERAL (
    SELECT coalesce(nullif(grouped_with, ''), alert_id) AS alert_id FROM alert
    WHERE patient_id = $3 AND clinic_id = $2 AND severity >= $6 AND resolved_at IS NULL
        AND raised_at BETWEEN $13::timestamptz - $17::interval AND $13::timestamptz
    ORDER BY raised_at DESC, alert_id DESC LIMIT 1
) AS beside ON true
CROSS JOIN LATERAL (
    SELECT count(*) AS today FROM alert
    WHERE clinic_id = $2 AND therapist_id = led.by AND routed_on = $16 AND route = 'immediate'
        AND severity < 3 AND NOT emergency
) AS told
ON CONFLICT (alert_id) DO NOTHING

-- name: acknowledge: the first who took it
UPDATE alert SET acknowledged_at = $2, acknowledged_by = $3
WHERE alert_id = $1 AND acknowledged_at IS NULL

-- name: resolve: the first who ended it
UPDATE alert SET resolved_at = $2, resolved_by = $3, outcome = $4, useful = $5
WHERE alert_id = $1 AND resolved_at IS NULL

-- name: escalate: what waited for a digest waits no more
UPDATE alert SET route = 'immediate', grouped_with = '' WHERE alert_id = $1

-- name: recur: how often, and when last; nobody is told anew
UPDATE alert SET times = greatest(times, $2), last_at = greatest(last_at, $3::timestamptz)
WHERE alert_id = $1

-- name: step: of an alert that is kept, unless it is there, or is history for this fold
WITH next AS (
    UPDATE step_head SET seq = seq + 1
    WHERE EXISTS (SELECT FROM alert WHERE alert_id = $1)
        AND NOT EXISTS (SELECT FROM alert_step WHERE event_id = $2)
        AND ($4::timestamptz IS NULL
            OR $4 >= (SELECT begun_at FROM log_position WHERE shard = $5::integer))
    RETURNING seq
)
INSERT INTO alert_step (seq, alert_id, event_id, kind)
SELECT seq, $1::text, $2::uuid, $3::text FROM next

-- name: tell: wakes whoever watches when the transaction commits
SELECT pg_notify('policy_steps', '')

-- name: alert: by its id
SELECT * FROM alert WHERE alert_id = $1

-- name: alerts: newest first, after a place in that order
SELECT * FROM alert
WHERE clinic_id = $1
    AND ($2 = '' OR patient_id = $2)
    AND ($3 = '' OR therapist_id = $3)
    AND CASE $4::integer
        WHEN 0 THEN true
        WHEN 1 THEN acknowledged_at IS NULL AND resolved_at IS NULL
        WHEN 2 THEN acknowledged_at IS NOT NULL AND resolved_at IS NULL
        ELSE resolved_at IS NOT NULL
    END
    AND severity >= $5
    AND ($6 = '' OR route = $6)
    AND ($7::timestamptz IS NULL OR (raised_at, alert_id) < ($7, $8))
ORDER BY raised_at DESC, alert_id DESC
LIMIT $9

-- name: digest: what was held and is open, most severe first
SELECT * FROM alert
WHERE clinic_id = $1 AND therapist_id = $2 AND route = 'digest' AND resolved_at IS NULL
    AND ($3::date IS NULL OR routed_on = $3)
ORDER BY severity DESC, raised_at, alert_id
LIMIT 500

-- name: head: the last place that is told
SELECT seq FROM step_head

-- name: steps: after a place, in order
SELECT s.seq, s.kind, a.*
FROM alert_step AS s JOIN alert AS a USING (alert_id)
WHERE s.seq > $1 AND s.seq <= $2
    AND ($3 = '' OR a.clinic_id = $3)
    AND ($4 = '' OR a.therapist_id = $4)
ORDER BY s.seq
LIMIT $5

-- name: report: by rule and version, what fired and what came of it
SELECT f.rule_id, f.rule_version AS version, f.action,
    count(*) FILTER (WHERE NOT f.shadow AND f.arm <> 'holdout') AS fired,
    count(*) FILTER (WHERE f.shadow) AS shadow,
    count(*) FILTER (WHERE NOT f.shadow AND a.acknowledged_at IS NOT NULL) AS acknowledged,
    count(*) FILTER (WHERE NOT f.shadow AND a.useful) AS useful,
    count(*) FILTER (WHERE NOT f.shadow AND NOT a.useful) AS not_useful,
    count(*) FILTER (WHERE NOT f.shadow AND a.route = 'digest') AS digested,
    count(*) FILTER (WHERE NOT f.shadow AND f.arm = 'holdout') AS withheld,
    coalesce(sum(a.times - 1) FILTER (WHERE NOT f.shadow), 0) AS merged
FROM firing AS f LEFT JOIN alert AS a ON a.alert_id = f.alert_id AND f.alert_id <> ''
WHERE ($1 = '' OR f.clinic_id = $1) AND ($2::timestamptz IS NULL OR f.at >= $2)
GROUP BY f.rule_id, f.rule_version, f.action
ORDER BY f.rule_id, f.rule_version, f.action

-- name: arms: of trials of nudges. Patients are what chance divides: of each the first nudge counts
-- by itself, too
SELECT trial, arm, count(*) AS firings, count(*) FILTER (WHERE followed) AS followed,
    count(*) FILTER (WHERE first) AS patients,
    count(*) FILTER (WHERE first AND followed) AS patients_followed
FROM (
    SELECT trial, arm, followed,
        row_number() OVER (PARTITION BY trial, arm, patient_id ORDER BY at, firing_id) = 1 AS first
    FROM firing
    WHERE trial <> '' AND NOT shadow AND ($1 = '' OR clinic_id = $1)
        AND ($2::timestamptz IS NULL OR at >= $2)
) AS told
GROUP BY trial, arm
ORDER BY trial, arm DESC
