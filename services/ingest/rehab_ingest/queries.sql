-- name: claim: take a device's stream over; a newer epoch begins at 0, an older one gets no row
INSERT INTO device_stream AS known (clinic_id, device_id, epoch, acked_seq, acked_position, owner)
VALUES ($1, $2, $3, $4, 0, $5)
ON CONFLICT (clinic_id, device_id) DO UPDATE
SET owner = $5, updated_at = now(), epoch = $3,
    acked_seq = CASE WHEN known.epoch = $3 THEN greatest(known.acked_seq, $4) ELSE $4 END,
    acked_position = CASE WHEN known.epoch = $3 THEN known.acked_position ELSE 0 END,
    acked_shard = CASE WHEN known.epoch = $3 THEN known.acked_shard ELSE 0 END
WHERE known.epoch <= $3
RETURNING acked_seq, acked_position, acked_shard

-- name: flush: save cursors of streams that are still ours; a missing row has another owner now
UPDATE device_stream AS known
SET acked_seq = greatest(known.acked_seq, fresh.acked_seq), acked_position = fresh.acked_position,
    acked_shard = fresh.acked_shard, updated_at = now()
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::smallint[])
    AS fresh (owner, clinic_id, device_id, acked_seq, acked_position, acked_shard)
WHERE known.clinic_id = fresh.clinic_id AND known.device_id = fresh.device_id AND known.owner = fresh.owner
RETURNING known.owner
