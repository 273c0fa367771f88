"""Adherence of the local days that have ended, by the shared formulae."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from fractions import Fraction
from functools import cached_property
from itertools import takewhile
from typing import NamedTuple
from zoneinfo import ZoneInfo

from rehab_clinical.adherence import Session, dose_of, due_occurrences
from rehab_clinical.days import day_start
from rehab_clinical.done import DoneByExercise
from rehab_clinical.dose import exact_mean
from rehab_clinical.occurrences import Occurrence, Sliding
from rehab_clinical.plan import PlanBook

from rehab_policy.domain.sessions import KnownSession

RECENT, WHOLE = timedelta(days=7), timedelta(days=28)
_SHARED = {one: one for one in (Fraction(0), Fraction(1))}
"""What most days come to; kept once, not by patient."""


class DueWindow(NamedTuple):
    """A due window with what was done in it, as `rehab_clinical.dose.Dosed` tells it."""

    local_date: date
    started: bool
    full: bool
    ratio: Fraction


class Span:
    """Due windows of some days. Ratios are None when nothing was due."""

    def __init__(self, due: Sequence[DueWindow]) -> None:
        self.due = due

    @property
    def started(self) -> int:
        return sum(one.started for one in self.due)

    @cached_property
    def dose_ratio(self) -> Fraction | None:
        return exact_mean([one.ratio for one in self.due]) if self.due else None

    @property
    def full_ratio(self) -> Fraction | None:
        return Fraction(sum(one.full for one in self.due), len(self.due)) if self.due else None


@dataclass(frozen=True, slots=True)
class AdherenceFigures:
    """Of the last 7 and 28 ended local days, and of the 21 days before the last 7."""

    recent: Span
    whole: Span
    before: Span
    missed_in_a_row: int
    started_in_a_row: int


_Place = tuple[str, int, date, str]
_Did = tuple[tuple[datetime, DoneByExercise], ...]
"""What the sessions of a window did, each with its start: as the sessions keep it themselves."""


class Reckoned:
    """Windows as they were reckoned the day before, of one book and zone: one whose sessions did
    what they did then is what it was."""

    def __init__(self, book: PlanBook, zone: ZoneInfo) -> None:
        self.book, self.zone = book, zone
        self.sliding = Sliding(book, zone.key)
        self._known: dict[_Place, tuple[_Did, DueWindow]] = {}

    def windows(self, due: Iterable[tuple[Occurrence, Sequence[Session]]]) -> list[DueWindow]:
        """Those of today; others are forgotten."""
        known, self._known = self._known, {}
        return [self._window(known, *one) for one in due]

    def _window(
        self,
        known: dict[_Place, tuple[_Did, DueWindow]],
        occurrence: Occurrence,
        sessions: Sequence[Session],
    ) -> DueWindow:
        place = occurrence.plan_id, occurrence.plan_version, occurrence.local_date, occurrence.slot
        did = tuple([(session.started_at, session.done()) for session in sessions])
        before = known.get(place)
        if before is None or not _same(before[0], did):
            dosed = dose_of(occurrence, sessions)
            ratio = _SHARED.get(dosed.ratio, dosed.ratio)
            window = DueWindow(occurrence.local_date, dosed.started, dosed.full, ratio)
            before = did, window
        self._known[place] = before
        return before[1]


def _same(before: _Did, now: _Did) -> bool:
    """What a session did is made anew whenever an event of it comes."""
    return len(before) == len(now) and all(
        was[1] is done and was[0] == at for was, (at, done) in zip(before, now, strict=True)
    )


def figures(reckoned: Reckoned, sessions: Iterable[KnownSession], today: date) -> AdherenceFigures:
    """As of the start of `today`, of sessions that began before it."""
    book, zone = reckoned.book, reckoned.zone
    as_of = day_start(today, zone)
    told = [session.session() for session in sessions]
    days = today - WHOLE, today - timedelta(days=1)
    found = due_occurrences(book, told, as_of, zone, days, reckoned.sliding)
    due = reckoned.windows(found)
    recent = [one for one in due if one.local_date >= today - RECENT]
    before = [one for one in due if one.local_date < today - RECENT]
    return AdherenceFigures(
        Span(recent),
        Span(due),
        Span(before),
        _in_a_row(due, lambda one: not one.started),
        _in_a_row(due, lambda one: one.started),
    )


def _in_a_row(due: Sequence[DueWindow], holds: Callable[[DueWindow], bool]) -> int:
    return sum(1 for _ in takewhile(holds, reversed(due)))
