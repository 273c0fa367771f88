-- How far each shard of the log is folded.
CREATE TABLE log_position (
    shard integer PRIMARY KEY,
    position bigint NOT NULL,
    incarnation text NOT NULL
);

-- Patients whom the log tells of.
CREATE TABLE patient (
    patient_id text COLLATE "C" PRIMARY KEY,
    clinic_id text COLLATE "C" NOT NULL,
    version bigint NOT NULL
);
CREATE INDEX patient_of_clinic ON patient (clinic_id, patient_id);

-- FHIR servers that clinics share with. What shows who we are is sealed. `turn_at` is when the next
-- request may leave; `failures` in a row, and until when the breaker is open.
CREATE TABLE endpoint (
    endpoint_id text COLLATE "C" PRIMARY KEY,
    clinic_id text COLLATE "C" NOT NULL,
    base_url text NOT NULL,
    bundle_type smallint NOT NULL,
    most_entries integer NOT NULL,
    entries_now integer NOT NULL,
    requests_per_second double precision NOT NULL,
    concurrency integer NOT NULL,
    patient_system text NOT NULL,
    rep_series boolean NOT NULL,
    if_none_exist text COLLATE "C" NOT NULL,
    authority_pem text NOT NULL,
    no_backfill boolean NOT NULL,
    auth text COLLATE "C" NOT NULL CHECK (auth IN ('none', 'bearer', 'smart', 'mtls')),
    secret bytea NOT NULL,
    takes_transactions boolean NOT NULL,
    takes_provenance boolean NOT NULL,
    takes_devices boolean NOT NULL,
    warnings text[] NOT NULL,
    paused text NOT NULL DEFAULT '',
    revision bigint NOT NULL DEFAULT 1,
    turn_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    failures integer NOT NULL DEFAULT 0,
    open_until timestamptz,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX endpoint_of_clinic ON endpoint (clinic_id);

-- One patient's way to one endpoint: whoever owns it sends, nobody else. An owner that falls keeps it
-- until the lease ends, for what it sent may still be on its way. `planned` is the version of the
-- stream up to which there are deliveries; `wakes` counts what asked for another look,
-- which comes not before the receiver was left alone for a while. `link` is the
-- patient's reference at the receiver, sealed.
CREATE TABLE lane (
    endpoint_id text COLLATE "C" NOT NULL REFERENCES endpoint ON DELETE CASCADE,
    patient_id text COLLATE "C" NOT NULL,
    planned bigint NOT NULL DEFAULT 0,
    wakes bigint NOT NULL DEFAULT 0,
    due_at timestamptz,
    not_before timestamptz NOT NULL DEFAULT '-infinity',
    owner uuid,
    lease_until timestamptz NOT NULL DEFAULT '-infinity',
    failures integer NOT NULL DEFAULT 0,
    link bytea,
    PRIMARY KEY (endpoint_id, patient_id)
);
CREATE INDEX lane_due ON lane (endpoint_id, due_at) WHERE due_at IS NOT NULL;
CREATE INDEX lane_of_patient ON lane (patient_id);

-- Resources on their way. `digest` is of what was told last, keyed; `accepted` says that the receiver
-- has stored that, `amended` that it may have something else; `outcome` is what it said, sealed.
CREATE SEQUENCE delivery_change;
CREATE TABLE delivery (
    endpoint_id text COLLATE "C" NOT NULL,
    patient_id text COLLATE "C" NOT NULL,
    kind text COLLATE "C" NOT NULL,
    resource_id text COLLATE "C" NOT NULL,
    position bigint NOT NULL,
    state text COLLATE "C" NOT NULL
        CHECK (state IN ('pending', 'held', 'unmatched', 'delivered', 'dead')),
    reason text COLLATE "C" NOT NULL DEFAULT '',
    attempts integer NOT NULL DEFAULT 0,
    next_at timestamptz NOT NULL,
    disclosed_at timestamptz,
    digest bytea,
    accepted boolean NOT NULL DEFAULT false,
    amended boolean NOT NULL DEFAULT false,
    remote text NOT NULL DEFAULT '',
    remote_version text NOT NULL DEFAULT '',
    outcome bytea,
    change bigint NOT NULL DEFAULT nextval('delivery_change'),
    planned_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (endpoint_id, patient_id, kind, resource_id),
    FOREIGN KEY (endpoint_id, patient_id) REFERENCES lane ON DELETE CASCADE
);
CREATE INDEX delivery_pending ON delivery (endpoint_id, patient_id, next_at)
    WHERE state = 'pending';
CREATE INDEX delivery_of_endpoint ON delivery (endpoint_id, state, changed_at DESC);
CREATE INDEX delivery_of_change ON delivery (change);
CREATE INDEX delivery_changed ON delivery (changed_at);

-- What only this service knows: sealed.
CREATE TABLE secret (
    name text COLLATE "C" PRIMARY KEY,
    sealed bytea NOT NULL
);

-- Keys that sign assertions: the newest that signs already does; others are told until they end.
CREATE TABLE signing_key (
    kid text COLLATE "C" PRIMARY KEY,
    public_jwk jsonb NOT NULL,
    private_key bytea NOT NULL,
    signs_from timestamptz NOT NULL,
    told_until timestamptz NOT NULL
);
