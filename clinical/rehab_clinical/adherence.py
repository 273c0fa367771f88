"""How much of the prescription was done. docs/domain/adherence.md publishes these formulae."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

from rehab_clinical.days import day_end, day_start, days_between, first_zone, local_date
from rehab_clinical.done import Done, DoneByExercise
from rehab_clinical.dose import Contribution, Dosed, dosed, exact_mean
from rehab_clinical.matching import match
from rehab_clinical.occurrences import LONGEST_WINDOW, Occurrence, Sliding, occurrences
from rehab_clinical.plan import PlanBook, Unit
from rehab_clinical.sessions import OccurrenceRef


@dataclass(frozen=True, slots=True)
class Session:
    """A session as adherence needs it. `done` is asked only for sessions that are counted."""

    session_id: str
    started_at: datetime
    zone: str
    ref: OccurrenceRef | None
    done: Callable[[], DoneByExercise]

    def local_date(self, zone: ZoneInfo) -> date:
        return local_date(self.started_at, first_zone(self.zone, zone.key))


@dataclass(frozen=True, slots=True)
class Adherence:
    """Counts of due windows, and ratios that are None when nothing was due: None is not 0."""

    due: tuple[Dosed, ...]
    weekly_frequency: Fraction | None
    sessions: int

    @property
    def started(self) -> int:
        return sum(one.started for one in self.due)

    @property
    def full(self) -> int:
        return sum(one.full for one in self.due)

    @property
    def exceeded(self) -> int:
        return sum(one.exceeded for one in self.due)

    @property
    def started_ratio(self) -> Fraction | None:
        return Fraction(self.started, len(self.due)) if self.due else None

    @property
    def dose_ratio(self) -> Fraction | None:
        return mean_dose(self.due)

    @property
    def full_ratio(self) -> Fraction | None:
        return Fraction(self.full, len(self.due)) if self.due else None

    @property
    def streak(self) -> int:
        """Consecutive started windows, newest first. What was not due neither adds nor breaks."""
        length = 0
        for one in reversed(self.due):
            if not one.started:
                break
            length += 1
        return length

    @property
    def longest_streak(self) -> int:
        longest = length = 0
        for one in self.due:
            length = length + 1 if one.started else 0
            longest = max(longest, length)
        return longest

    @property
    def scored_coverage(self) -> Fraction | None:
        tally = self._reps()
        return Fraction(min(tally.scored, tally.reps), tally.reps) if tally.reps else None

    @property
    def quality_adjusted_dose(self) -> Fraction | None:
        """good / prescribed x done / scored, at most 1; None while nothing was scored."""
        tally = self._reps()
        prescribed = sum(
            (item.prescribed for one in self.due for item in one.items if item.unit == Unit.REPS),
            Fraction(0),
        )
        if not prescribed or not tally.scored:
            return None
        return min(Fraction(1), Fraction(tally.good * tally.reps, tally.scored) / prescribed)

    def _reps(self) -> Done:
        return sum(
            (item.tally for one in self.due for item in one.items if item.unit == Unit.REPS), Done()
        )


def mean_dose(due: Sequence[Dosed]) -> Fraction | None:
    return exact_mean([one.ratio for one in due]) if due else None


def dosed_occurrences(
    book: PlanBook,
    sessions: Sequence[Session],
    as_of: datetime,
    zone: ZoneInfo,
    window: tuple[date, date],
) -> list[Dosed]:
    """Occurrences of the local days that are due as of a time, with what was done, oldest first."""
    found = due_occurrences(book, sessions, as_of, zone, window)
    return [dose_of(occurrence, matched) for occurrence, matched in found]


def dose_of(occurrence: Occurrence, sessions: Iterable[Session]) -> Dosed:
    """An occurrence with what the sessions that count for it did."""
    return dosed(
        occurrence,
        [
            Contribution(
                session.session_id,
                session.done(),
                tuple(i for i in occurrence.items if i.admits(session.started_at)),
            )
            for session in sessions
        ],
    )


def due_occurrences(
    book: PlanBook,
    sessions: Sequence[Session],
    as_of: datetime,
    zone: ZoneInfo,
    window: tuple[date, date],
    sliding: Sliding | None = None,
) -> Iterator[tuple[Occurrence, Sequence[Session]]]:
    """Occurrences of the local days that are due as of a time, oldest first, each with the sessions
    that count for it.

    Due means that the window has ended. All occurrences that any session may count for are
    matched, so that what an occurrence shows never depends on which days were asked for. Whoever
    asks day by day has a `sliding` of the book and the zone.
    """
    first, last = window
    starts = [session.started_at for session in sessions]
    since = local_date(min(starts, default=as_of) - LONGEST_WINDOW, zone) - timedelta(days=1)
    horizon = local_date(as_of + LONGEST_WINDOW, zone) + timedelta(days=1)
    days = min(first, since), horizon
    every = sliding.between(*days) if sliding else occurrences(book, *days, zone.key)
    matched = match(every, sessions)
    for index, occurrence in enumerate(every):
        if occurrence.ends_at <= as_of and first <= occurrence.local_date <= last:
            yield occurrence, matched.get(index, ())


def adherence(
    book: PlanBook,
    sessions: Sequence[Session],
    *,
    first: date,
    last: date,
    as_of: datetime,
    zone: ZoneInfo,
) -> Adherence:
    """Adherence over the local days from `first` to `last`, both included, as of a time."""
    due = dosed_occurrences(book, sessions, as_of, zone, (first, last))
    dates = [session.local_date(zone) for session in sessions]
    return Adherence(
        due=tuple(due),
        weekly_frequency=weekly_frequency(book, sessions, (first, last), as_of, zone),
        sessions=sum(first <= day <= last for day in dates),
    )


def weekly_frequency(
    book: PlanBook,
    sessions: Iterable[Session],
    window: tuple[date, date],
    as_of: datetime,
    zone: ZoneInfo,
) -> Fraction | None:
    """Mean of min(1, sessions / prescribed) over the full weeks of the window.

    A full week is seven ended local days, counted back from the last one, on each of which
    sessions were prescribed and nothing was paused.
    """
    first, last = window
    if day_end(last, zone) > as_of:
        last = local_date(as_of, zone) - timedelta(days=1)
    done = [s.local_date(zone) for s in sessions if any(s.done().values())]
    weeks: list[Fraction] = []
    week = timedelta(days=7)
    while last - week + timedelta(days=1) >= first:
        begin = last - week + timedelta(days=1)
        prescribed = _prescribed(book, begin, last, zone)
        if prescribed is not None:
            count = sum(begin <= day <= last for day in done)
            weeks.append(min(Fraction(1), count / prescribed))
        last -= week
    return sum(weeks, Fraction(0)) / len(weeks) if weeks else None


def _prescribed(book: PlanBook, begin: date, last: date, zone: ZoneInfo) -> Fraction | None:
    """Sessions prescribed for the days, None when on one of them none were or all was paused."""
    total = Fraction(0)
    for day in days_between(begin, last):
        of_day = Fraction(sum(version.sessions_per_week for version in book.in_force(day)), 7)
        if not of_day or is_stopped(book, day, zone):
            return None
        total += of_day
    return total


def is_stopped(book: PlanBook, day: date, zone: ZoneInfo) -> bool:
    """Whether a plan in force on the local day is paused or ended at any time of it."""
    start, end = day_start(day, zone), day_end(day, zone)
    return any(
        stop.touches(start, end)
        for version in book.in_force(day)
        for stop in book.stops(version.plan_id)
    )
