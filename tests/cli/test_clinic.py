"""The simulated clinic: the same seed lives the same weeks, and all of it keeps the contract."""

from __future__ import annotations

from datetime import UTC, datetime

from rehab_cli.clinic import CLINIC, Expectation, live, patients
from rehab_ingest.domain.door import refusal
from rehab_sdk import Actor, Context

END = datetime(2026, 3, 30, 12, tzinfo=UTC)


def test_every_simulated_event_may_come_in() -> None:
    for patient in patients(1, 8, 3):
        context = Context(
            clinic_id=CLINIC,
            actor=Actor(patient.id, "patient"),
            consent_id=patient.consent,
            zone=patient.zone,
        )
        told = Expectation()
        for happened in live(patient, 1, END, 28, told):
            event = context.event(patient.id, happened.body, occurred_at=happened.at)
            assert refusal(event, CLINIC, 262_144) is None
        assert told.events > 4


def test_the_same_seed_lives_the_same_weeks() -> None:
    def weeks(seed: int) -> list[bytes]:
        return [
            told.body.SerializeToString(deterministic=True)
            for patient in patients(seed, 4, 2)
            for told in live(patient, seed, END, 28, Expectation())
        ]

    assert weeks(7) == weeks(7)
    assert weeks(7) != weeks(8)


def test_nothing_happens_after_the_end() -> None:
    for patient in patients(3, 8, 3):
        assert all(told.at <= END for told in live(patient, 3, END, 28, Expectation()))
