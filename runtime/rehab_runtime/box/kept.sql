-- name: all: the keys of the box, wrapped
SELECT number, box_id, seals_from, kek_id, kek_version, wrapped FROM box_version ORDER BY number

-- name: lock: one at a time changes them
LOCK TABLE box_version IN SHARE ROW EXCLUSIVE MODE

-- name: add: one more
INSERT INTO box_version (number, box_id, seals_from, kek_id, kek_version, wrapped)
VALUES ($1, $2, $3, $4, $5, $6)

-- name: drop: those before one
DELETE FROM box_version WHERE number < $1

-- name: rewrap: unless somebody else did
UPDATE box_version SET kek_id = $3, kek_version = $4, wrapped = $5
WHERE number = $1 AND wrapped = $2
