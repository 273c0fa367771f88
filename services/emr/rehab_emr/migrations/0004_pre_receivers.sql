-- Whether each reading is sent. What a receiver does on a condition, and whether it takes batches; what was listed and turned out not
-- to be so; when its CapabilityStatement was read last, when that was tried last (infinity for never
-- again), and why it could not be read since.
ALTER TABLE endpoint
    ADD COLUMN readings boolean NOT NULL DEFAULT false,
    ADD COLUMN conditional_create boolean NOT NULL DEFAULT true,
    ADD COLUMN conditional_update boolean NOT NULL DEFAULT true,
    ADD COLUMN takes_batches boolean NOT NULL DEFAULT true,
    ADD COLUMN disproved text[] NOT NULL DEFAULT '{}',
    ADD COLUMN examined_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    ADD COLUMN looked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    ADD COLUMN unread text NOT NULL DEFAULT '';

-- Until when nothing is asked or sent, whatever wakes the lane: what became of a request that was not
-- answered may not show yet.
ALTER TABLE lane
    ADD COLUMN quiet_until timestamptz NOT NULL DEFAULT '-infinity',
-- Why all of its deliveries wait, empty while they go; how many consents had begun when it was last looked
-- what they cover; when the receiver was last asked who the patient is.
    ADD COLUMN held text COLLATE "C" NOT NULL DEFAULT '',
    ADD COLUMN consents integer NOT NULL DEFAULT 0,
    ADD COLUMN sought_at timestamptz;
