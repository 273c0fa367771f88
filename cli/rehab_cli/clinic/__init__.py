"""A simulated clinic: seeded patients who exercise, lapse, hurt and come back, as events; and an
oracle that knows what the read models must say of them."""

from rehab_cli.clinic.oracle import (
    ExerciseExpectation,
    Expectation,
    Oracle,
    PatientExpectation,
    expected,
)
from rehab_cli.clinic.people import Clinic, Patient, Therapist, clinic
from rehab_cli.clinic.simulate import TimedEvent, simulate

__all__ = [
    "Clinic",
    "ExerciseExpectation",
    "Expectation",
    "Oracle",
    "Patient",
    "PatientExpectation",
    "Therapist",
    "TimedEvent",
    "clinic",
    "expected",
    "simulate",
]
