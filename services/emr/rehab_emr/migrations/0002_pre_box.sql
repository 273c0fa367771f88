-- The keys of the box, each wrapped by a keeper (Vault, KMS, a key file). Empty while the box's keys
-- stand in the key file itself. `seals_from` is when every replica knows the version.
CREATE TABLE box_version (
    number integer PRIMARY KEY CHECK (number > 0),
    box_id text NOT NULL,
    seals_from timestamptz NOT NULL,
    kek_id text NOT NULL,
    kek_version text NOT NULL,
    wrapped bytea NOT NULL
);
