-- The last version of the stream when the key was made: what it may have sealed comes after. Keys of the
-- version before count from the stream's beginning, which is never too few.
ALTER TABLE data_key ADD COLUMN from_version bigint NOT NULL DEFAULT 0;
