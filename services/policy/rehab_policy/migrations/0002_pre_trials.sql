-- Nudges of trials, those that were withheld among them: the patient's arm, and whether a session
-- followed in time. Empty for what is of no trial.
ALTER TABLE firing
    ADD COLUMN trial text COLLATE "C" NOT NULL DEFAULT '',
    ADD COLUMN arm text COLLATE "C" NOT NULL DEFAULT '',
    ADD COLUMN followed boolean NOT NULL DEFAULT false;
