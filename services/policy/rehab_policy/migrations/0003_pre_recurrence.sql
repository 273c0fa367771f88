-- How often the rule of an alert fired for it, and when last, if again before it was resolved.
ALTER TABLE alert
    ADD COLUMN times integer NOT NULL DEFAULT 1,
    ADD COLUMN last_at timestamptz;
