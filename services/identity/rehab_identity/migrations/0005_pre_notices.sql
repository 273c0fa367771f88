-- Who is to hear that emergency access was taken: an outbox, one row a grant. It is not emptied when
-- facts are folded anew: nobody is told twice of what is long over.
CREATE TABLE emergency_notice (
    seq bigserial PRIMARY KEY,
    grant_id text NOT NULL UNIQUE,
    clinic_id text NOT NULL,
    patient_id text NOT NULL,
    principal_id text NOT NULL,
    reason text NOT NULL,
    taken_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    recipients text[] NOT NULL,
    attempts integer NOT NULL DEFAULT 0,
    next_at timestamptz NOT NULL DEFAULT now(),
    delivered_at timestamptz
);
CREATE INDEX emergency_notice_open ON emergency_notice (next_at) WHERE delivered_at IS NULL;
CREATE INDEX emergency_notice_of_patient ON emergency_notice (patient_id);
CREATE INDEX emergency_notice_of_clinic ON emergency_notice (clinic_id, seq);
