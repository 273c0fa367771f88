"""Rules: which fire, and what they made of a patient's events. Pure: no clock, no I/O."""
