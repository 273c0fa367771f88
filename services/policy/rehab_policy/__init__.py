"""Rules over the log: form feedback, nudges, alerts and their escalation. Reads the log; writes
alert, nudge and feedback events with ids that depend on nothing but rule, patient and cause."""
