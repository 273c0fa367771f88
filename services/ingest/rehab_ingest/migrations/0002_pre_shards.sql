-- Positions count within a shard of the log.
ALTER TABLE device_stream ADD COLUMN acked_shard smallint NOT NULL DEFAULT 0;
