-- name: own_rules: one change of rule sets at a time
SELECT pg_advisory_xact_lock(7241003)

-- name: rule_sets: all, newest first, without their files
SELECT version, '{}' AS files, sha256, rules, status, author, note, created_at, approved_by,
    approved_at, shadow_from, live_from, ended_at
FROM rule_set ORDER BY version DESC

-- name: rule_set: one with its files; the live one for 0
SELECT * FROM rule_set WHERE version = $1 OR ($1 = 0 AND status = 'live')

-- name: newest: of the versions
SELECT version, sha256 FROM rule_set ORDER BY version DESC LIMIT 1

-- name: put: a draft
INSERT INTO rule_set (version, files, sha256, rules, status, author, note, created_at)
VALUES ($1, $2, $3, $4, 'draft', $5, $6, $7)

-- name: approve: by a second person
UPDATE rule_set SET approved_by = $2, approved_at = $3,
    status = CASE WHEN status = 'draft' THEN 'approved' ELSE status END
WHERE version = $1

-- name: shadow: evaluated from a moment on
UPDATE rule_set SET status = 'shadow', shadow_from = $2 WHERE version = $1

-- name: live: in force from a moment on
UPDATE rule_set SET status = 'live', live_from = $2 WHERE version = $1

-- name: retire: out of force from a moment on
UPDATE rule_set SET status = 'retired', ended_at = $2 WHERE version = $1

-- name: changed: what the log is to be told
INSERT INTO rule_change (version, status, actor, role, at, effective_from)
VALUES ($1, $2, $3, $4, $5, $6)

-- name: untold: what the log was not told yet
SELECT c.number, c.version, c.status, c.actor, c.role, c.at, c.effective_from, s.sha256,
    s.approved_by
FROM rule_change AS c JOIN rule_set AS s USING (version)
WHERE NOT c.told ORDER BY c.number LIMIT 100

-- name: told: the log has it
UPDATE rule_change SET told = true WHERE number = $1

-- name: tell: wakes every replica when the transaction commits
SELECT pg_notify('policy_rules', '')
