"""Adherence week by week, and what was missed of it. docs/domain/adherence.md publishes this."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from rehab_clinical.adherence import (
    Adherence,
    Session,
    dosed_occurrences,
    weekly_frequency,
)
from rehab_clinical.days import day_end
from rehab_clinical.dose import Dosed
from rehab_clinical.plan import PlanBook
from rehab_clinical.windows import monday_of

_WEEK = timedelta(days=7)
_TO_SUNDAY = timedelta(days=6)


@dataclass(frozen=True, slots=True)
class WeekSnapshot:
    """One local week, Monday to Sunday. `ended` says that only what is told late changes it."""

    monday: date
    sunday: date
    ended: bool
    adherence: Adherence

    @property
    def missed(self) -> int:
        return len(self.adherence.due) - self.adherence.started


def weeks(
    book: PlanBook,
    sessions: Sequence[Session],
    window: tuple[date, date],
    as_of: datetime,
    zone: ZoneInfo,
) -> list[WeekSnapshot]:
    """Every whole week that touches the local days of the window, newest first.

    Figures are those of DOMAIN section 4.2 over the days of the week: None when nothing was due.
    """
    first, last = window
    begin, end = monday_of(first), monday_of(last) + _TO_SUNDAY
    due = dosed_occurrences(book, sessions, as_of, zone, (begin, end))
    by_week: dict[date, list[Dosed]] = {}
    for one in due:
        by_week.setdefault(monday_of(one.occurrence.local_date), []).append(one)
    attended: dict[date, int] = {}
    for session in sessions:
        monday = monday_of(session.local_date(zone))
        attended[monday] = attended.get(monday, 0) + 1
    found: list[WeekSnapshot] = []
    monday = monday_of(last)
    while monday >= begin:
        sunday = monday + _TO_SUNDAY
        ended = day_end(sunday, zone) <= as_of
        frequency = (
            weekly_frequency(book, sessions, (monday, sunday), as_of, zone) if ended else None
        )
        told = Adherence(tuple(by_week.get(monday, ())), frequency, attended.get(monday, 0))
        found.append(WeekSnapshot(monday, sunday, ended, told))
        monday -= _WEEK
    return found


def missed(due: Sequence[Dosed], *, incomplete: bool) -> list[Dosed]:
    """Due windows in which nothing was done, newest first; with `incomplete` those that were begun
    and are not full as well."""
    wanted = (one for one in due if (incomplete and not one.full) or not one.started)
    return sorted(wanted, key=lambda one: one.occurrence.order(), reverse=True)
