"""What SDK tests are made of."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from rehab.errors.v1 import error_reason_pb2 as reasons
from rehab.errors.v1.failure_pb2 import Failure
from rehab_sdk import events
from rehab_sdk.events import Actor, Context, Event

CLINIC, DEVICE, PATIENT, CONSENT = "clinic-1", "device-1", "patient-1", "consent-1"
START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
REFUSAL = Failure(reason=reasons.ERROR_REASON_INVALID_ARGUMENT, message="refused")


class StandingClock:
    """Stands until it is moved."""

    def __init__(self, start: datetime = START) -> None:
        self.at = start

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return (self.at - START).total_seconds()

    def advance(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


def context(clock: StandingClock | None = None) -> Context:
    return Context(
        clinic_id=CLINIC,
        actor=Actor(PATIENT, "patient"),
        device_id=DEVICE,
        consent_id=CONSENT,
        zone="Europe/Berlin",
        clock=clock or StandingClock(),
    )


def pain(number: int, who: Context) -> Event:
    """The number-th of many different events."""
    return who.event(PATIENT, events.pain(number % 11, phase="post"))
