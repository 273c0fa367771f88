-- Systems that are notified and pull: `notify` is how much a notification says, empty for those that
-- are pushed to.
ALTER TABLE endpoint
    ADD COLUMN notify text COLLATE "C" NOT NULL DEFAULT ''
        CHECK (notify IN ('', 'empty', 'id-only', 'full-resource')),
    ADD COLUMN heartbeat_s integer NOT NULL DEFAULT 0;

-- How far each of them is. `events` have numbers, without gaps; all up to `accepted` were taken; those
-- up to `sending` were to leave together since `sending_since`, and do so again until they are taken.
-- Whoever owns it notifies, nobody else. `token` is a keyed digest.
CREATE TABLE subscription (
    endpoint_id text COLLATE "C" PRIMARY KEY REFERENCES endpoint ON DELETE CASCADE,
    token bytea NOT NULL,
    events bigint NOT NULL DEFAULT 0,
    sending bigint NOT NULL DEFAULT 0,
    sending_since timestamptz NOT NULL DEFAULT date_trunc('milliseconds', clock_timestamp()),
    accepted bigint NOT NULL DEFAULT 0 CHECK (accepted <= events),
    accepted_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    status text COLLATE "C" NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'error')),
    failures integer NOT NULL DEFAULT 0,
    not_before timestamptz NOT NULL DEFAULT '-infinity',
    owner uuid,
    lease_until timestamptz NOT NULL DEFAULT '-infinity'
);

-- A resource that became known or other, once for each content, whose keyed digest it has. After
-- erasure nothing but the number is left.
CREATE TABLE subscription_event (
    endpoint_id text COLLATE "C" NOT NULL REFERENCES subscription ON DELETE CASCADE,
    number bigint NOT NULL CHECK (number > 0),
    at timestamptz NOT NULL DEFAULT date_trunc('milliseconds', clock_timestamp()),
    patient_id text COLLATE "C",
    kind text COLLATE "C",
    resource_id text COLLATE "C",
    provenance_id text COLLATE "C",
    digest bytea,
    amended boolean NOT NULL,
    PRIMARY KEY (endpoint_id, number)
);
CREATE INDEX subscription_event_of_resource
    ON subscription_event (endpoint_id, resource_id, number) WHERE resource_id IS NOT NULL;
CREATE INDEX subscription_event_of_provenance
    ON subscription_event (endpoint_id, provenance_id, number) WHERE provenance_id IS NOT NULL;
CREATE INDEX subscription_event_of_patient
    ON subscription_event (patient_id) WHERE patient_id IS NOT NULL;
