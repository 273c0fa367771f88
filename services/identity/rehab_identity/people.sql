-- name: add_account: nothing happens when the id is taken
INSERT INTO account
    (account_id, clinic_id, role, status, created_at, data_key, profile, email_index, password)
VALUES ($1, $2, $3, 'active', $4, $5, $6, $7, $8)
ON CONFLICT (account_id) DO NOTHING
RETURNING account_id

-- name: account: one account as it is kept
SELECT account_id, clinic_id, role, status, created_at, data_key, profile, password FROM account
WHERE account_id = $1

-- name: account_by_email: whose address it is in a clinic
SELECT account_id, clinic_id, role, status, created_at, data_key, profile, password FROM account
WHERE clinic_id = $1 AND email_index = $2

-- name: accounts: a page of a clinic's, by id, from after one
SELECT account_id, clinic_id, role, status, created_at, data_key, profile, password FROM account
WHERE clinic_id = $1 AND account_id > $2 AND ($3 = '' OR role = $3)
    AND ($4::bytea IS NULL OR email_index = $4)
ORDER BY account_id LIMIT $5

-- name: set_profile: of an account that is not erased
UPDATE account SET profile = $2, email_index = $3 WHERE account_id = $1 AND status <> 'erased'

-- name: set_password: of an account that is not erased
UPDATE account SET password = $2 WHERE account_id = $1 AND status <> 'erased'

-- name: rehash_password: unless it was changed meanwhile
UPDATE account SET password = $3 WHERE account_id = $1 AND password = $2

-- name: set_status: an erased account stays so
UPDATE account SET status = $2 WHERE account_id = $1 AND status <> 'erased'

-- name: erase_account: nothing of the person is left, the account keeps its name
UPDATE account SET status = 'erased', data_key = NULL, profile = NULL, email_index = NULL,
    password = NULL
WHERE account_id = $1

-- name: unlink_issuers: nobody vouches for it any more
DELETE FROM issuer_link WHERE account_id = $1

-- name: unname: names that people gave to its keys and devices
WITH keys AS (UPDATE api_key SET name = '', sealed_name = NULL WHERE account_id = $1)
UPDATE device SET model = '', sealed_model = NULL WHERE patient_id = $1

-- name: clear_names: those of before names were sealed
SELECT 'device' AS of, device_id AS id, patient_id AS account_id, model AS name, data_key
FROM device JOIN account ON account_id = patient_id
WHERE model <> '' AND data_key IS NOT NULL
UNION ALL
SELECT 'api key', key_id, account_id, name, data_key
FROM api_key JOIN account USING (account_id)
WHERE name <> '' AND data_key IS NOT NULL
LIMIT $1

-- name: seal_device_name: unless it was erased meanwhile
UPDATE device SET sealed_model = $2, model = '' WHERE device_id = $1 AND model <> ''

-- name: seal_api_key_name: the same of a key
UPDATE api_key SET sealed_name = $2, name = '' WHERE key_id = $1 AND name <> ''

-- name: link_issuer: again for the same account changes nothing
INSERT INTO issuer_link (issuer, subject_index, account_id) VALUES ($1, $2, $3)
ON CONFLICT (issuer, subject_index) DO UPDATE SET issuer = EXCLUDED.issuer
RETURNING account_id

-- name: linked: whom an issuer vouches for
SELECT account_id FROM issuer_link WHERE issuer = $1 AND subject_index = $2

-- name: lock_account: who is let in, until the transaction ends; disabling waits for it
SELECT status, password, data_key, clinic_id FROM account WHERE account_id = $1 FOR SHARE

-- name: lock_device: the same of a device
SELECT revoked_at FROM device WHERE device_id = $1 FOR SHARE

-- name: add_session: a log-in
INSERT INTO session
    (session_id, account_id, device_id, method, created_at, refreshed_at, expires_at)
VALUES ($1, $2, $3, $4, $5, $5, $6)

-- name: add_refresh: a token of a generation; very old ones are forgotten
WITH old AS (DELETE FROM refresh_token WHERE session_id = $1 AND generation < $3 - 500)
INSERT INTO refresh_token (session_id, hash, generation) VALUES ($1, $2, $3)

-- name: refresh_generation: of a token that was given
SELECT generation FROM refresh_token WHERE session_id = $1 AND hash = $2

-- name: lock_session: it waits for whoever refreshes or ends it now
SELECT session_id, account_id, device_id, method, created_at, refreshed_at, expires_at, ended_at,
    generation, asked_again
FROM session WHERE session_id = $1 FOR UPDATE

-- name: session: one
SELECT session_id, account_id, device_id, method, created_at, refreshed_at, expires_at, ended_at,
    generation, asked_again
FROM session WHERE session_id = $1

-- name: sessions: in force, newest first
SELECT session_id, account_id, device_id, method, created_at, refreshed_at, expires_at, ended_at,
    generation, asked_again
FROM session WHERE account_id = $1 AND ended_at IS NULL AND expires_at > $2
ORDER BY created_at DESC, session_id DESC LIMIT 500

-- name: renew_session: the next generation of tokens
UPDATE session SET generation = generation + 1, refreshed_at = $2, expires_at = $3,
    asked_again = false
WHERE session_id = $1

-- name: mark_asked_again: the one time that it is granted is used up
UPDATE session SET asked_again = true WHERE session_id = $1

-- name: end_session: nothing when it has ended already
UPDATE session SET ended_at = $2 WHERE session_id = $1 AND ended_at IS NULL RETURNING session_id

-- name: end_sessions: all of an account but one
UPDATE session SET ended_at = $2
WHERE account_id = $1 AND ended_at IS NULL AND session_id <> $3
RETURNING session_id

-- name: end_device_sessions: all of a device
UPDATE session SET ended_at = $2 WHERE device_id = $1 AND ended_at IS NULL RETURNING session_id

-- name: forget_sessions: those that are over for long
DELETE FROM session WHERE expires_at < $1 OR ended_at < $1

-- name: lock_revocations: one writer at a time, so that seqs are committed in their order
SELECT pg_advisory_xact_lock(7241012)

-- name: tell_revoked: whoever may do nothing any more; to be run after lock_revocations
WITH told AS (INSERT INTO revocation (revoked, at) SELECT unnest($1::text[]), $2)
SELECT pg_notify('identity_access', '')

-- name: revocations: from after a seq, not older than a time
SELECT seq, revoked, at FROM revocation WHERE seq > $1 AND at >= $2 ORDER BY seq LIMIT 1000

-- name: forget_revocations: no token lives as long
DELETE FROM revocation WHERE at < $1

-- name: add_enrolment: a code; those that have expired are forgotten
WITH old AS (DELETE FROM enrolment WHERE expires_at < $4)
INSERT INTO enrolment (code_hash, patient_id, expires_at) VALUES ($1, $2, $3)

-- name: use_enrolment: whoever writes its device into it has it; nobody else does
UPDATE enrolment SET device_id = $3, public_key = $4
WHERE code_hash = $1 AND expires_at > $2 AND device_id IS NULL
RETURNING patient_id

-- name: enrolled_by: whom a code enrolled with this key, unless that is revoked
SELECT device.device_id, device.patient_id, device.clinic_id, device.public_key, device.enrolled_at
FROM enrolment JOIN device USING (device_id)
WHERE code_hash = $1 AND expires_at > $2 AND enrolment.public_key = $3 AND revoked_at IS NULL

-- name: drop_enrolments: codes of an account that is let in no more
DELETE FROM enrolment WHERE patient_id = $1

-- name: add_device: a device that may act
INSERT INTO device (device_id, patient_id, clinic_id, public_key, sealed_model, enrolled_at)
VALUES ($1, $2, $3, $4, $5, $6)

-- name: device: one, for what it may: its name stays closed
SELECT device_id, patient_id, clinic_id, public_key, '' AS model, enrolled_at, revoked_at
FROM device
WHERE device_id = $1

-- name: devices: of a patient, newest first
SELECT device_id, patient_id, device.clinic_id, public_key, sealed_model AS model, enrolled_at,
    revoked_at, data_key
FROM device JOIN account ON account_id = patient_id
WHERE patient_id = $1 ORDER BY enrolled_at DESC, device_id DESC LIMIT 500

-- name: revoke_device: nothing when it was before
UPDATE device SET revoked_at = $2, reason = $3 WHERE device_id = $1 AND revoked_at IS NULL
RETURNING device_id

-- name: revoke_devices: all of a patient
UPDATE device SET revoked_at = $2, reason = $3 WHERE patient_id = $1 AND revoked_at IS NULL
RETURNING device_id

-- name: see_assertion: nothing comes back when it was seen before
INSERT INTO seen_assertion (hash, expires_at) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING hash

-- name: forget_assertions: those that have expired
DELETE FROM seen_assertion WHERE expires_at < $1

-- name: add_api_key: a key
INSERT INTO api_key (key_id, account_id, sealed_name, scopes, created_at, expires_at, hash)
VALUES ($1, $2, $3, $4, $5, $6, $7)

-- name: api_key: one, for what it may: its name stays closed
SELECT key_id, account_id, '' AS name, scopes, created_at, expires_at, revoked_at, generation, hash,
    old_hash, old_until
FROM api_key WHERE key_id = $1

-- name: api_keys: of an account, newest first
SELECT key_id, account_id, sealed_name AS name, scopes, api_key.created_at, expires_at, revoked_at,
    generation, hash, old_hash, old_until, data_key
FROM api_key JOIN account USING (account_id)
WHERE account_id = $1 ORDER BY api_key.created_at DESC, key_id DESC LIMIT 500

-- name: rotate_api_key: the secret of now works on for a while; one of before no more
UPDATE api_key SET old_hash = hash, old_until = $3, hash = $2, generation = generation + 1
WHERE key_id = $1 AND revoked_at IS NULL AND expires_at > $4
RETURNING key_id

-- name: revoke_api_key: nothing when it was before
UPDATE api_key SET revoked_at = $2, generation = generation + 1
WHERE key_id = $1 AND revoked_at IS NULL
RETURNING key_id

-- name: revoke_api_keys: all of an account
UPDATE api_key SET revoked_at = $2, generation = generation + 1
WHERE account_id = $1 AND revoked_at IS NULL
RETURNING key_id

-- name: attempt: one more in the window that is open, or the first of a new one
INSERT INTO failure AS f (subject, attempts, window_ends) VALUES ($1, 1, $3)
ON CONFLICT (subject) DO UPDATE SET
    attempts = CASE WHEN f.window_ends <= $2 THEN 1 ELSE f.attempts + 1 END,
    window_ends = CASE WHEN f.window_ends <= $2 THEN $3 ELSE f.window_ends END
RETURNING attempts, window_ends

-- name: succeeded: the attempt was none
UPDATE failure SET attempts = greatest(attempts - 1, 0) WHERE subject = $1

-- name: forgive: all attempts were none
DELETE FROM failure WHERE subject = $1

-- name: forget_failures: of windows that have ended
DELETE FROM failure WHERE window_ends < $1

-- name: add_secret: unless there is one
INSERT INTO secret (name, sealed) VALUES ($1, $2) ON CONFLICT DO NOTHING

-- name: secret: one
SELECT sealed FROM secret WHERE name = $1

-- name: lock_signing_keys: one replica at a time makes one
SELECT pg_advisory_xact_lock(7241013)

-- name: signing_keys: oldest first
SELECT key_id, created_at, signs_from, public_key, sealed FROM signing_key
ORDER BY signs_from, created_at, key_id

-- name: add_signing_key: the next
INSERT INTO signing_key (key_id, created_at, signs_from, public_key, sealed)
VALUES ($1, $2, $3, $4, $5)

-- name: drop_signing_keys: those whose last token has expired
DELETE FROM signing_key WHERE key_id = ANY($1::text[])

-- name: wrapped_census: what each version of the key file wraps; it stands after the first byte
SELECT ('x' || encode(substring(sealed FROM 2 FOR 4), 'hex'))::bit(32)::integer AS version,
    count(*) FILTER (WHERE of = 'account') AS accounts,
    count(*) FILTER (WHERE of <> 'account') AS secrets
FROM (
    SELECT 'account' AS of, account_id AS id, data_key AS sealed FROM account
    WHERE data_key IS NOT NULL
    UNION ALL SELECT 'secret', name, sealed FROM secret
    UNION ALL SELECT 'signing key', key_id, sealed FROM signing_key
) AS wrapped
GROUP BY version ORDER BY version

-- name: wrapped_before: some of what another version than the newest wraps
SELECT of, id, sealed FROM (
    SELECT 'account' AS of, account_id AS id, data_key AS sealed FROM account
    WHERE data_key IS NOT NULL
    UNION ALL SELECT 'secret', name, sealed FROM secret
    UNION ALL SELECT 'signing key', key_id, sealed FROM signing_key
) AS wrapped
WHERE ('x' || encode(substring(sealed FROM 2 FOR 4), 'hex'))::bit(32)::integer <> $1
LIMIT $2

-- name: rewrap_account: unless it was erased, or is wrapped anew already
UPDATE account SET data_key = $3 WHERE account_id = $1 AND data_key = $2

-- name: rewrap_secret: the same of a secret of the service
UPDATE secret SET sealed = $3 WHERE name = $1 AND sealed = $2

-- name: rewrap_signing_key: the same of a key that signs
UPDATE signing_key SET sealed = $3 WHERE key_id = $1 AND sealed = $2
