"""When what happened arrives: phones lose the network and deliver in order once it is back."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

from rehab_cli.clinic.people import Patient

LATENCY = timedelta(milliseconds=40)
ONE_AFTER_THE_OTHER = timedelta(milliseconds=20)


class Phone:
    """Arrivals of one device; they keep the order in which it is given its events."""

    def __init__(self, patient: Patient) -> None:
        self._chance = random.Random(f"{patient.chance_seed}:phone")
        self._offline_per_day = patient.traits.offline_per_day
        self._back_at: datetime | None = None
        self._last: datetime | None = None

    def wake(self, day_begins: datetime) -> None:
        """A day on which the network may go for an hour, or for more than a day."""
        if self._chance.random() < self._offline_per_day:
            away = timedelta(hours=self._chance.choice((1, 2, 4, 12, 30)))
            self._gone_at = day_begins + timedelta(hours=self._chance.uniform(6, 20))
            self._back_at = self._gone_at + away

    def arrival(self, at: datetime) -> datetime:
        arrives = at + timedelta(milliseconds=self._chance.randint(40, 1500))
        if self._back_at is not None and self._gone_at <= at < self._back_at:
            arrives = self._back_at
        if self._last is not None:
            arrives = max(arrives, self._last + ONE_AFTER_THE_OTHER)
        self._last = arrives
        return arrives
