-- Accounts, and what lets them in.
CREATE TABLE account (
    account_id text PRIMARY KEY,
    clinic_id text NOT NULL,
    role text NOT NULL,
    status text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
