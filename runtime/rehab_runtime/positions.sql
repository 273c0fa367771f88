-- name: start: a shard that was never folded begins at its beginning
INSERT INTO POSITIONS (shard, position, incarnation) VALUES ($1, 0, $2)
ON CONFLICT (shard) DO NOTHING

-- name: all: how far each shard is folded
SELECT shard, position, incarnation FROM POSITIONS ORDER BY shard

-- name: advance: fences off every other folder of the same events
UPDATE POSITIONS SET position = $3
WHERE shard = $1 AND position = $2 AND incarnation = $4
