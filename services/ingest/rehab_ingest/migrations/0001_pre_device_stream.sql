-- How far each device's sequence is settled. It may lag behind by a flush: then events are sent
-- again, and the log knows their ids.
CREATE TABLE device_stream (
    clinic_id text COLLATE "C" NOT NULL,
    device_id text COLLATE "C" NOT NULL,
    epoch bigint NOT NULL,
    acked_seq bigint NOT NULL,
    acked_position bigint NOT NULL,
    owner uuid NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (clinic_id, device_id)
) WITH (fillfactor = 50);
