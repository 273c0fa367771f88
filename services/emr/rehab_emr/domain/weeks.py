"""Adherence of a patient's weeks, each Monday to Sunday in the patient's zone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from rehab_clinical.adherence import Adherence, Session, dosed_occurrences
from rehab_clinical.days import day_end, first_zone, local_date
from rehab_clinical.done import done_in
from rehab_clinical.dose import Dosed
from rehab_clinical.occurrences import LONGEST_WINDOW, occurrences
from rehab_clinical.plan import PlanBook
from rehab_clinical.sessions import SessionRecord
from rehab_clinical.windows import monday_of

from rehab_emr.domain.telling import is_plausible

_TO_SUNDAY = timedelta(days=6)


@dataclass(frozen=True)
class Week:
    """`sessions` are those held in it, oldest first."""

    monday: date
    adherence: Adherence
    sessions: tuple[SessionRecord, ...]


class WeekBook:
    """Reckons once for all weeks: every occurrence has its session, whichever week is asked for."""

    def __init__(
        self,
        book: PlanBook,
        sessions: Sequence[SessionRecord],
        mondays: Iterable[date],
        zone: ZoneInfo,
    ) -> None:
        self._book = book
        self._zone = zone
        told = (one for one in sessions if is_plausible(one.started_at))
        self._records = sorted(told, key=lambda one: (one.started_at, one.session_id))
        self._mondays = sorted(mondays)
        self._ends: dict[date, datetime] = {}
        self._due: dict[date, list[Dosed]] | None = None
        self._held: dict[date, list[SessionRecord]] = {}
        for one in self._records:
            day = local_date(one.started_at, first_zone(one.zone, zone.key))
            self._held.setdefault(monday_of(day), []).append(one)

    def week(self, monday: date) -> Week:
        if self._due is None:
            self._due = self._reckon()
        held = tuple(self._held.get(monday, ()))
        due = tuple(self._due.get(monday, ()))
        return Week(monday, Adherence(due, None, len(held)), held)

    def ends_at(self, monday: date) -> datetime:
        """When the week has ended and every due window that begins in it."""
        if monday not in self._ends:
            sunday = monday + _TO_SUNDAY
            due = occurrences(self._book, monday, sunday, self._zone.key)
            self._ends[monday] = max([day_end(sunday, self._zone), *(one.ends_at for one in due)])
        return self._ends[monday]

    def _reckon(self) -> dict[date, list[Dosed]]:
        if not self._mondays:
            return {}
        first, last = self._mondays[0], self._mondays[-1] + _TO_SUNDAY
        found = dosed_occurrences(
            self._book,
            [_as_session(one) for one in self._records],
            self.ends_at(self._mondays[-1]) + LONGEST_WINDOW,
            self._zone,
            (first, last),
        )
        weeks: dict[date, list[Dosed]] = {}
        for one in found:
            weeks.setdefault(monday_of(one.occurrence.local_date), []).append(one)
        return weeks


def _as_session(record: SessionRecord) -> Session:
    done = done_in(record)
    ref = record.start.ref if record.start else None
    return Session(record.session_id, record.started_at, record.zone, ref, lambda: done)
