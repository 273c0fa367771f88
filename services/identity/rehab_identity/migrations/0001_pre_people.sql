-- Accounts, and what lets them in.
CREATE TABLE account (
    account_id text PRIMARY KEY,
    clinic_id text NOT NULL,
    role text NOT NULL CHECK (role IN ('patient', 'therapist', 'admin', 'emergency')),
    status text NOT NULL CHECK (status IN ('active', 'disabled', 'erased')),
    created_at timestamptz NOT NULL,
    -- all that follows is gone when the account is erased
    data_key bytea,
    profile bytea,
    email_index bytea,
    password text,
    CHECK (status <> 'erased' OR num_nonnulls(data_key, profile, email_index, password) = 0)
);
CREATE UNIQUE INDEX account_email ON account (clinic_id, email_index);
CREATE INDEX account_clinic ON account (clinic_id, account_id);

-- Secrets of the service itself, sealed under the key file.
CREATE TABLE secret (
    name text PRIMARY KEY,
    sealed bytea NOT NULL
);

CREATE TABLE signing_key (
    key_id text PRIMARY KEY,
    created_at timestamptz NOT NULL,
    signs_from timestamptz NOT NULL,
    public_key bytea NOT NULL,
    sealed bytea NOT NULL
);

CREATE TABLE issuer_link (
    issuer text NOT NULL,
    subject_index bytea NOT NULL,
    account_id text NOT NULL REFERENCES account,
    PRIMARY KEY (issuer, subject_index)
);
CREATE INDEX issuer_link_account ON issuer_link (account_id);

CREATE TABLE enrolment (
    code_hash bytea PRIMARY KEY,
    patient_id text NOT NULL REFERENCES account,
    expires_at timestamptz NOT NULL
);
CREATE INDEX enrolment_expiry ON enrolment (expires_at);
CREATE INDEX enrolment_patient ON enrolment (patient_id);

CREATE TABLE device (
    device_id text PRIMARY KEY,
    patient_id text NOT NULL REFERENCES account,
    clinic_id text NOT NULL,
    public_key bytea NOT NULL,
    model text NOT NULL,
    enrolled_at timestamptz NOT NULL,
    revoked_at timestamptz,
    reason text NOT NULL DEFAULT ''
);
CREATE INDEX device_patient ON device (patient_id);

-- What was shown once and may not be shown again before it expires.
CREATE TABLE seen_assertion (
    hash bytea PRIMARY KEY,
    expires_at timestamptz NOT NULL
);
CREATE INDEX seen_assertion_expiry ON seen_assertion (expires_at);

CREATE TABLE session (
    session_id text PRIMARY KEY,
    account_id text NOT NULL REFERENCES account,
    device_id text REFERENCES device,
    method text NOT NULL CHECK (method IN ('password', 'device', 'issuer')),
    created_at timestamptz NOT NULL,
    refreshed_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    ended_at timestamptz,
    generation integer NOT NULL DEFAULT 1,
    asked_again boolean NOT NULL DEFAULT false
);
CREATE INDEX session_account ON session (account_id);
CREATE INDEX session_device ON session (device_id);

-- Refresh tokens given, the used ones too: who shows an old one has stolen it, or was stolen from.
CREATE TABLE refresh_token (
    session_id text NOT NULL REFERENCES session ON DELETE CASCADE,
    hash bytea NOT NULL,
    generation integer NOT NULL,
    PRIMARY KEY (session_id, hash)
);

CREATE TABLE api_key (
    key_id text PRIMARY KEY,
    account_id text NOT NULL REFERENCES account,
    name text NOT NULL,
    scopes text[] NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    revoked_at timestamptz,
    generation integer NOT NULL DEFAULT 1,
    hash text NOT NULL,
    old_hash text,
    old_until timestamptz
);
CREATE INDEX api_key_account ON api_key (account_id);

-- Attempts in the window that is open; whoever succeeds takes theirs back.
CREATE TABLE failure (
    subject bytea PRIMARY KEY,
    attempts integer NOT NULL,
    window_ends timestamptz NOT NULL
);
CREATE INDEX failure_window ON failure (window_ends);

-- Sessions, keys, devices and accounts that may do nothing any more. Rows are added one
-- transaction at a time (see `tell_revoked`), so that whoever reads on from a seq misses none.
CREATE TABLE revocation (
    seq bigserial PRIMARY KEY,
    revoked text NOT NULL,
    at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX revocation_at ON revocation (at);
