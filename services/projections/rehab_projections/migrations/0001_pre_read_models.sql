-- The read models of one log. Everything here can be folded again from the log; the position of
-- `projection` is moved in the transaction that stores what it stands for.
CREATE TABLE projection (
    name text PRIMARY KEY,
    position bigint NOT NULL,
    incarnation text NOT NULL,
    recorded_at timestamptz
) WITH (fillfactor = 10); -- one hot row: keep its versions on its page

-- Streams held back by an event that could not be folded.
CREATE TABLE parked (
    patient_id text PRIMARY KEY,
    position bigint NOT NULL,
    event_id text NOT NULL,
    reason text NOT NULL,
    parked_at timestamptz NOT NULL
);

-- Events that a later one corrects: not to be folded when they arrive late.
CREATE TABLE corrected (
    patient_id text NOT NULL,
    event_id text NOT NULL,
    PRIMARY KEY (patient_id, event_id)
);

-- One row per patient. `position` is that of its last event, `planned_at` that of its last plan or
-- enrolment. `standing` is what events alone say of the work item; `listed` whether it
-- has a reason, `planned` whether time alone may give it one.
CREATE TABLE patient (
    patient_id text PRIMARY KEY,
    clinic_id text NOT NULL,
    position bigint NOT NULL,
    planned_at bigint NOT NULL DEFAULT 0,
    active_at timestamptz,
    standing text,
    listed boolean NOT NULL DEFAULT false,
    planned boolean NOT NULL DEFAULT false,
    erased boolean NOT NULL DEFAULT false
) WITH (fillfactor = 50);
CREATE INDEX patient_by_clinic ON patient (clinic_id) WHERE listed OR planned;

-- Plans, team, pain, symptoms, alerts and reviews, as told: few per patient, folded when read.
CREATE TABLE care_event (
    patient_id text NOT NULL,
    position bigint NOT NULL,
    kind text NOT NULL,
    event bytea NOT NULL,
    PRIMARY KEY (patient_id, position)
);

-- `record` is the session without its sets, `summary` what was done in it, `position` that of the
-- last event that told of it.
CREATE TABLE session (
    patient_id text NOT NULL,
    session_id text NOT NULL,
    started_at timestamptz NOT NULL,
    position bigint NOT NULL,
    record text NOT NULL,
    summary text NOT NULL,
    PRIMARY KEY (patient_id, session_id)
) WITH (fillfactor = 70);
CREATE INDEX session_by_start ON session (patient_id, started_at DESC, session_id DESC);

-- `record` is the set without its repetitions, `reps` a RepObservation that holds all of them.
CREATE TABLE exercise_set (
    patient_id text NOT NULL,
    session_id text NOT NULL,
    exercise_id text NOT NULL,
    side smallint NOT NULL,
    set_index integer NOT NULL,
    seen_at timestamptz,
    record text NOT NULL,
    reps bytea NOT NULL,
    PRIMARY KEY (patient_id, session_id, exercise_id, side, set_index)
) WITH (fillfactor = 70);
CREATE INDEX exercise_set_by_time ON exercise_set (patient_id, seen_at) WHERE seen_at IS NOT NULL;

-- Quarters of an hour with data that qualify as a monitoring day in the zone they were made in.
CREATE TABLE monitoring (
    patient_id text NOT NULL,
    zone text NOT NULL,
    quarter timestamptz NOT NULL,
    first_at timestamptz NOT NULL,
    PRIMARY KEY (patient_id, quarter, zone)
);
