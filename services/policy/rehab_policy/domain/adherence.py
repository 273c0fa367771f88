"""Adherence of the local days that have ended, by the shared formulae."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import takewhile
from zoneinfo import ZoneInfo

from rehab_clinical.adherence import Adherence, dosed_occurrences
from rehab_clinical.days import day_start
from rehab_clinical.dose import Dosed
from rehab_clinical.plan import PlanBook

from rehab_policy.domain.sessions import KnownSession

RECENT, WHOLE = timedelta(days=7), timedelta(days=28)


@dataclass(frozen=True, slots=True)
class AdherenceFigures:
    """Of the last 7 and 28 ended local days, and of the 21 days before the last 7."""

    recent: Adherence
    whole: Adherence
    before: Adherence
    missed_in_a_row: int
    started_in_a_row: int


def figures(
    book: PlanBook, sessions: Iterable[KnownSession], today: date, zone: ZoneInfo
) -> AdherenceFigures:
    """As of the start of `today`, of sessions that began before it."""
    as_of = day_start(today, zone)
    told = [session.session() for session in sessions]
    due = dosed_occurrences(book, told, as_of, zone, (today - WHOLE, today - timedelta(days=1)))
    recent = [one for one in due if one.occurrence.local_date >= today - RECENT]
    before = [one for one in due if one.occurrence.local_date < today - RECENT]
    return AdherenceFigures(
        _adherence(recent),
        _adherence(due),
        _adherence(before),
        _in_a_row(due, lambda one: not one.started),
        _in_a_row(due, lambda one: one.started),
    )


def _adherence(due: Sequence[Dosed]) -> Adherence:
    return Adherence(due=tuple(due), weekly_frequency=None, sessions=0)


def _in_a_row(due: Sequence[Dosed], holds: Callable[[Dosed], bool]) -> int:
    return sum(1 for _ in takewhile(holds, reversed(due)))
