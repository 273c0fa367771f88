-- Names that people gave to devices and keys, such as that of a phone, are a person's own: sealed
-- with the account's key. What stands in `model` and `name` is of before, and sealed at the next
-- start.
ALTER TABLE device ADD COLUMN sealed_model bytea;
ALTER TABLE device ALTER COLUMN model SET DEFAULT '';
ALTER TABLE api_key ADD COLUMN sealed_name bytea;
ALTER TABLE api_key ALTER COLUMN name SET DEFAULT '';
CREATE INDEX device_clear ON device (device_id) WHERE model <> '';
CREATE INDEX api_key_clear ON api_key (key_id) WHERE name <> '';
