"""The course of a patient's prescription: which version rules a day, and when it is paused."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from rehab_cli.clinic.prescription import Plan, Window


@dataclass
class Pause:
    """Nothing is due from `since` to `until`; None while the end is not known."""

    since: datetime
    until: datetime | None = None

    def touches(self, window: Window) -> bool:
        ended = self.until is not None and window.starts_at >= self.until
        return window.ends_at > self.since and not ended


@dataclass
class Course:
    """What was prescribed over time. Versions come in order, each later in force."""

    plans: list[Plan] = field(default_factory=list)
    pauses: list[Pause] = field(default_factory=list)

    def ruling(self, day: date) -> Plan | None:
        """The version in force on a local day: the newest one that has begun."""
        return next((plan for plan in reversed(self.plans) if plan.effective_from <= day), None)

    def windows(self, day: date) -> Iterator[Window]:
        """What is due on a local day; a window that a pause touches is not."""
        plan = self.ruling(day)
        for window in plan.windows(day) if plan else ():
            if not any(pause.touches(window) for pause in self.pauses):
                yield window

    def ended_windows(self, as_of: datetime) -> Iterator[Window]:
        """All windows that were due and have ended, oldest first."""
        if not self.plans:
            return
        day = self.plans[0].effective_from
        while day <= as_of.date() + timedelta(days=1):
            yield from (window for window in self.windows(day) if window.ends_at <= as_of)
            day += timedelta(days=1)
