-- Versions of the read models, each in a schema of its own. One answers, one at most is being built.
CREATE TABLE read_model_version (
    version integer PRIMARY KEY,
    status text NOT NULL CHECK (status IN ('building', 'live', 'retired')),
    begun_at timestamptz NOT NULL DEFAULT now(),
    changed_at timestamptz NOT NULL DEFAULT now()
);

CREATE UNIQUE INDEX read_model_version_live ON read_model_version (status) WHERE status = 'live';
CREATE UNIQUE INDEX read_model_version_building ON read_model_version (status)
WHERE status = 'building';

-- Events that an operator has passed over because they could not be folded: in every version.
CREATE TABLE skipped_event (
    patient_id text NOT NULL,
    event_id text NOT NULL,
    reason text NOT NULL,
    skipped_by text NOT NULL,
    skipped_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (patient_id, event_id)
);
