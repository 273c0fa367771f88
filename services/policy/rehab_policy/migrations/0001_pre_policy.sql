-- How far each shard of the log is folded. What was recorded before the fold began is known, and told
-- to nobody.
CREATE TABLE log_position (
    shard integer PRIMARY KEY,
    position bigint NOT NULL,
    incarnation text NOT NULL,
    begun_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- Patients whom the log tells of, and who leads their care: whom to tell.
CREATE TABLE patient (
    patient_id text COLLATE "C" PRIMARY KEY,
    shard smallint NOT NULL,
    clinic_id text COLLATE "C" NOT NULL,
    therapist_id text COLLATE "C" NOT NULL
);
CREATE INDEX patient_of_shard ON patient (shard, patient_id);

-- Versions of the rules. What a version says never changes.
CREATE TABLE rule_set (
    version integer PRIMARY KEY,
    files jsonb NOT NULL,
    sha256 bytea NOT NULL,
    rules integer NOT NULL,
    status text COLLATE "C" NOT NULL
        CHECK (status IN ('draft', 'shadow', 'approved', 'live', 'retired')),
    author text COLLATE "C" NOT NULL,
    note text NOT NULL,
    created_at timestamptz NOT NULL,
    approved_by text COLLATE "C" NOT NULL DEFAULT '',
    approved_at timestamptz,
    shadow_from timestamptz,
    live_from timestamptz,
    ended_at timestamptz,
    CHECK (approved_by = '' OR approved_by <> author OR author = 'rehab'),
    CHECK (status <> 'live' OR (live_from IS NOT NULL AND approved_at IS NOT NULL))
);
-- One is in force, or is about to be: the one before it ends when it begins.
CREATE UNIQUE INDEX rule_set_live ON rule_set (status) WHERE status = 'live';

-- What the log is told of rule sets: in the order in which it happened.
CREATE TABLE rule_change (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    version integer NOT NULL REFERENCES rule_set,
    status text COLLATE "C" NOT NULL,
    actor text COLLATE "C" NOT NULL,
    role text COLLATE "C" NOT NULL,
    at timestamptz NOT NULL,
    effective_from timestamptz,
    told boolean NOT NULL DEFAULT false
);
CREATE INDEX rule_change_untold ON rule_change (number) WHERE NOT told;

-- Patients whose rules wait for a time. A fold of the patient sets it: the one whose decisions are
-- carried out is track 0, one in the shadow has the version of its rules.
CREATE TABLE due_timer (
    patient_id text COLLATE "C" NOT NULL,
    track integer NOT NULL,
    shard smallint NOT NULL,
    due_at timestamptz NOT NULL,
    PRIMARY KEY (patient_id, track)
);
CREATE INDEX due_timer_next ON due_timer (shard, due_at);

-- How far timers are set anew, by patient, after the rules of a track became others.
CREATE TABLE timers_set (
    track integer NOT NULL,
    generation integer NOT NULL,
    shard smallint NOT NULL,
    after_patient text COLLATE "C" NOT NULL,
    done boolean NOT NULL,
    PRIMARY KEY (track, generation, shard)
);

-- Alerts as the log tells of them, and by which way they reached people. Ids and codes only.
CREATE TABLE alert (
    alert_id text COLLATE "C" PRIMARY KEY,
    clinic_id text COLLATE "C" NOT NULL,
    patient_id text COLLATE "C" NOT NULL,
    therapist_id text COLLATE "C" NOT NULL,
    rule_id text COLLATE "C" NOT NULL,
    rule_version integer NOT NULL,
    severity smallint NOT NULL,
    channel text COLLATE "C" NOT NULL,
    emergency boolean NOT NULL,
    message_key text COLLATE "C" NOT NULL,
    consent_id text COLLATE "C" NOT NULL,
    event_id uuid NOT NULL,
    trigger_id text COLLATE "C" NOT NULL,
    raised_at timestamptz NOT NULL,
    deadline timestamptz,
    route text COLLATE "C" NOT NULL CHECK (route IN ('immediate', 'grouped', 'digest')),
    grouped_with text COLLATE "C" NOT NULL,
    routed_on date NOT NULL,
    acknowledged_at timestamptz,
    acknowledged_by text COLLATE "C" NOT NULL DEFAULT '',
    resolved_at timestamptz,
    resolved_by text COLLATE "C" NOT NULL DEFAULT '',
    outcome text COLLATE "C" NOT NULL DEFAULT '',
    useful boolean
);
CREATE INDEX alert_of_clinic ON alert (clinic_id, raised_at DESC, alert_id DESC);
CREATE INDEX alert_of_patient ON alert (patient_id, raised_at DESC, alert_id DESC);
CREATE INDEX alert_of_day ON alert (clinic_id, therapist_id, routed_on) WHERE route <> 'grouped';

-- The outbox: every step of every alert, in the order of commits. The head's row is locked by
-- whoever adds a step, so no number becomes visible behind a larger one.
CREATE TABLE alert_step (
    seq bigint PRIMARY KEY,
    alert_id text COLLATE "C" NOT NULL REFERENCES alert ON DELETE CASCADE,
    event_id uuid NOT NULL UNIQUE,
    kind text COLLATE "C" NOT NULL
);
CREATE INDEX alert_step_of_alert ON alert_step (alert_id);
CREATE TABLE step_head (
    sole boolean PRIMARY KEY DEFAULT true CHECK (sole),
    seq bigint NOT NULL
) WITH (fillfactor = 10);
INSERT INTO step_head (seq) VALUES (0);

-- What rules did, or in the shadow would have done: once each, however often it is evaluated.
CREATE TABLE firing (
    book integer NOT NULL,
    firing_id uuid NOT NULL,
    rule_id text COLLATE "C" NOT NULL,
    rule_version integer NOT NULL,
    action text COLLATE "C" NOT NULL,
    alert_id text COLLATE "C" NOT NULL,
    clinic_id text COLLATE "C" NOT NULL,
    patient_id text COLLATE "C" NOT NULL,
    shadow boolean NOT NULL,
    at timestamptz NOT NULL,
    PRIMARY KEY (book, firing_id)
);
CREATE INDEX firing_of_clinic ON firing (clinic_id, at);
CREATE INDEX firing_of_patient ON firing (patient_id);
