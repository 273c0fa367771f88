-- Public keys that signed checkpoints. They only tell which key it was: who verifies knows the right
-- ones from elsewhere.
CREATE TABLE signing_key (
    key_id text COLLATE "C" PRIMARY KEY,
    public_key bytea NOT NULL,
    first_used_at timestamptz NOT NULL DEFAULT now()
);
