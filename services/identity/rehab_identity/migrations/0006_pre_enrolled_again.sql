-- A code remembers, for as long as it is good, whom it enrolled: whoever did not hear the answer asks
-- again with the same key.
ALTER TABLE enrolment ADD COLUMN device_id text, ADD COLUMN public_key bytea;
