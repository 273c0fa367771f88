-- Vitals, billing evidence, what was said in sessions, and the history of work items.
-- What was folded before lacks them, and a read model must not tell half of the log: so all is
-- folded again from the log's beginning.
TRUNCATE projection, parked, corrected, patient, care_event, session, exercise_set, monitoring;

-- Code of before must not fold on, nor begin again: it would pass over what it does not know, and
-- nobody would fold that later. It cannot tell a generation, so it gets no cursor.
ALTER TABLE projection ADD COLUMN generation smallint NOT NULL;

-- The event that proves a quarter of an hour with data.
ALTER TABLE monitoring ADD COLUMN event_id text NOT NULL, ADD COLUMN position bigint NOT NULL;

-- Readings of health apps and sensors, sleep and workouts. A row is one value told for one time:
-- versions of it stand beside each other, which one counts is decided when it is read. `value` is
-- in `ucum` when that is known, else as sent; `told` is the message as sent. `first_position` and
-- `position` are of the first and the last event that told this value.
CREATE TABLE vital (
    patient_id text NOT NULL,
    metric text NOT NULL,
    start_at timestamptz NOT NULL,
    end_at timestamptz NOT NULL,
    aggregation text NOT NULL,
    sources text NOT NULL,
    digest bytea NOT NULL,
    value double precision NOT NULL,
    low double precision,
    high double precision,
    ucum text NOT NULL,
    zone text NOT NULL,
    told bytea NOT NULL,
    first_position bigint NOT NULL,
    position bigint NOT NULL,
    PRIMARY KEY (patient_id, metric, start_at, end_at, aggregation, sources, digest)
) PARTITION BY RANGE (start_at);
CREATE INDEX vital_by_time ON vital USING brin (start_at);

-- One partition a month (UTC) from 2014, when phones began to keep health data, to 2037; outside
-- lie only the times of broken clocks.
CREATE TABLE vital_before PARTITION OF vital FOR VALUES FROM (MINVALUE) TO ('2014-01-01 00:00Z');
CREATE TABLE vital_after PARTITION OF vital FOR VALUES FROM ('2038-01-01 00:00Z') TO (MAXVALUE);

-- Months are made when the first reading of them comes. Attached, not created in place: that locks
-- out neither readers nor writers.
CREATE FUNCTION ensure_vital_month(month date) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    partition text := 'vital_' || to_char(month, 'YYYY_MM');
BEGIN
    IF to_regclass(partition) IS NOT NULL THEN
        RETURN;
    END IF;
    -- The lock that attaching takes anyway: whoever waited for it sees what was made meanwhile.
    LOCK TABLE vital IN SHARE UPDATE EXCLUSIVE MODE;
    IF to_regclass(partition) IS NULL THEN
        EXECUTE format('CREATE TABLE %I (LIKE vital INCLUDING ALL)', partition);
        EXECUTE format(
            'ALTER TABLE vital ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
            partition,
            month::timestamp AT TIME ZONE 'UTC',
            (month + interval '1 month')::timestamp AT TIME ZONE 'UTC'
        );
    END IF;
END
$$;

-- What bills for remote therapeutic monitoring are reckoned from, as told: few per patient.
CREATE TABLE billing_event (
    patient_id text NOT NULL,
    position bigint NOT NULL,
    clinic_id text NOT NULL,
    event bytea NOT NULL,
    PRIMARY KEY (patient_id, position)
);
CREATE INDEX billing_event_by_clinic ON billing_event (clinic_id, patient_id);

-- What was said and felt in a session, as told.
CREATE TABLE session_note (
    patient_id text NOT NULL,
    session_id text NOT NULL,
    position bigint NOT NULL,
    event bytea NOT NULL,
    PRIMARY KEY (patient_id, session_id, position)
);

-- How often and for how long a patient was on the list, from the events that put the patient there
-- and took the patient off it. `number` counts from 1; the open ones have no `closed_at`.
CREATE TABLE work_episode (
    patient_id text NOT NULL,
    number integer NOT NULL,
    clinic_id text NOT NULL,
    therapist_id text NOT NULL,
    severity smallint NOT NULL,
    opened_at timestamptz NOT NULL,
    due_at timestamptz NOT NULL,
    closed_at timestamptz,
    closed_by text NOT NULL,
    outcome text NOT NULL,
    PRIMARY KEY (patient_id, number)
);
CREATE INDEX work_episode_by_clinic ON work_episode (clinic_id, opened_at);
