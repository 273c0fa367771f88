-- name: save: a fold's state, unless the subject is being erased; its key cannot go meanwhile
INSERT INTO snapshot (stream_id, fold, code_version, stream_version, key_id, state)
SELECT $1, $2, $3, $4, $5, $6 FROM data_key
WHERE stream_id = $1 AND key_id = $5 AND wrapped IS NOT NULL
    AND NOT EXISTS (SELECT FROM erasure WHERE stream_id = $1)
FOR SHARE OF data_key
ON CONFLICT (stream_id, fold, code_version, stream_version)
    DO UPDATE SET key_id = EXCLUDED.key_id, state = EXCLUDED.state, saved_at = now()

-- name: thin: only the newest are of use
DELETE FROM snapshot
WHERE stream_id = $1 AND fold = $2 AND code_version = $3 AND stream_version < (
    SELECT min(stream_version) FROM (
        SELECT stream_version FROM snapshot
        WHERE stream_id = $1 AND fold = $2 AND code_version = $3
        ORDER BY stream_version DESC LIMIT $4
    ) AS kept
)

-- name: load: those at or before a version, the newest first
SELECT stream_version, key_id, state FROM snapshot
WHERE stream_id = $1 AND fold = $2 AND code_version = $3 AND stream_version <= $4
ORDER BY stream_version DESC
