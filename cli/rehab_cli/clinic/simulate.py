"""The whole clinic in time order, made as it is asked for, for as long as it is asked for."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count

from rehab.events.v1.event_pb2 import Event
from rehab_cli.clinic.deeds import Deed
from rehab_cli.clinic.envelope import Scribe
from rehab_cli.clinic.happening import Author
from rehab_cli.clinic.life import Life
from rehab_cli.clinic.people import Patient, clinic
from rehab_cli.clinic.phone import LATENCY, Phone


@dataclass(frozen=True, slots=True)
class TimedEvent:
    """An event and when it reaches the suite, which is later than it happened when the device was
    offline. `deeds` is the simulation's own record of what was done, for the oracle."""

    at: datetime
    device_id: str
    event: Event
    deeds: tuple[Deed, ...] = ()


def simulate(
    seed: int,
    *,
    start: datetime,
    days: int | None,
    patients: int = 40,
    therapists: int = 3,
    reps_per_event: int = 0,
) -> Iterator[TimedEvent]:
    """The events of a seeded clinic in the order of their arrival, endless when `days` is None.

    The same seed and start make the same events, of which fewer days are a part. At the end every
    phone is back online: what happened before it has arrived by then. `reps_per_event` bounds the
    repetitions of one event; 0 puts a whole set into one. Raises ValueError.
    """
    if start.tzinfo is None:
        raise ValueError("start must have a time zone")
    if patients < 1 or therapists < 1 or reps_per_event < 0 or (days is not None and days < 1):
        raise ValueError("patients, therapists and days must be at least 1, reps_per_event 0")
    end = None if days is None else start + timedelta(days=days)
    people = clinic(seed, patients, therapists).patients
    return _merged([_Household(p, start, end, reps_per_event) for p in people], end)


def _merged(households: list[_Household], end: datetime | None) -> Iterator[TimedEvent]:
    """A day of every patient at a time: of what is ready, all that no later day can precede."""
    ready: list[tuple[datetime, int, TimedEvent]] = []
    order = count()
    for number in count():
        for household in households:
            for timed in household.day(number):
                heapq.heappush(ready, (timed.at, next(order), timed))
        horizon = min(household.life.begins(number + 1) for household in households)
        while ready and ready[0][0] < horizon:
            yield heapq.heappop(ready)[2]
        if end is not None and horizon >= end:
            break
    while ready:
        yield heapq.heappop(ready)[2]


class _Household:
    """A patient, the phone, and the events both make."""

    def __init__(
        self, patient: Patient, start: datetime, end: datetime | None, reps_per_event: int
    ) -> None:
        self.life = Life(patient, start, reps_per_event)
        self._scribe = Scribe(patient)
        self._phone = Phone(patient)
        self._end = end

    def day(self, number: int) -> Iterator[TimedEvent]:
        self._phone.wake(self.life.begins(number))
        for told in self.life.day(number):
            event = self._scribe.event(told)
            by_phone = told.author is not Author.CLINICIAN
            arrives = self._phone.arrival(told.at) if by_phone else told.at + LATENCY
            if self._end is not None:
                if told.at >= self._end:
                    continue
                arrives = min(arrives, self._end)
            yield TimedEvent(arrives, event.envelope.device_id, event, told.deeds)
