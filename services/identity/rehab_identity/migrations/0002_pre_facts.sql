-- What is folded from the log: how far, and what decisions rest on.
CREATE TABLE fact_cursor (
    shard integer PRIMARY KEY,
    position bigint NOT NULL,
    incarnation text NOT NULL
);

-- A patient as the log tells of them; of one who was erased the record holds nothing else.
CREATE TABLE patient (
    patient_id text PRIMARY KEY,
    clinic_id text NOT NULL,
    erased_at timestamptz,
    record jsonb NOT NULL
);

CREATE INDEX patient_unreadable ON patient (patient_id)
    WHERE record->>'unreadable_at' IS NOT NULL;

-- Emergency access, for the queue of those who review it.
CREATE TABLE emergency (
    grant_id text PRIMARY KEY,
    patient_id text NOT NULL,
    clinic_id text NOT NULL,
    principal_id text NOT NULL,
    reason text NOT NULL,
    taken_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    reviewed_at timestamptz,
    reviewed_by text NOT NULL,
    finding text NOT NULL
);
CREATE INDEX emergency_of_clinic ON emergency (clinic_id, taken_at DESC, grant_id DESC);
CREATE INDEX emergency_unreviewed ON emergency (clinic_id, taken_at DESC, grant_id DESC)
    WHERE reviewed_at IS NULL;
CREATE INDEX emergency_of_patient ON emergency (patient_id);

-- Who saw a patient's data, newest first in each patient.
CREATE TABLE access_entry (
    patient_id text NOT NULL,
    at timestamptz NOT NULL,
    event_id uuid NOT NULL,
    actor_id text NOT NULL,
    role smallint NOT NULL,
    rpc text NOT NULL,
    allowed boolean NOT NULL,
    reason text NOT NULL,
    purpose text NOT NULL,
    consent_id text NOT NULL,
    covered_until timestamptz,
    PRIMARY KEY (patient_id, at, event_id)
);

-- Sessions, keys, devices and accounts that may do nothing any more.
CREATE TABLE IF NOT EXISTS revocation (
    seq bigserial PRIMARY KEY,
    revoked text NOT NULL,
    at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX IF NOT EXISTS revocation_at ON revocation (at);
