"""How much work a clinic's queue is, who has it, and how fast it is answered."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from statistics import median
from zoneinfo import ZoneInfo

from rehab_clinical.days import day_end, day_start, days_between

from rehab_projections.domain import rules
from rehab_projections.domain.templates import minutes_for
from rehab_projections.domain.work_episodes import Episode
from rehab_projections.domain.work_queue import Status, WorkItem

RECENT = timedelta(days=28)


@dataclass(frozen=True, slots=True)
class TherapistLoad:
    """What one therapist has to do; the empty id is what nobody owns.

    `days_of_work` is what is open over what was closed per day, None when nothing was.
    """

    therapist_id: str
    patients: int
    by_severity: tuple[tuple[int, int], ...]
    overdue: int
    snoozed: int
    expected_minutes: int
    closed: int
    in_time: int
    median_answer_s: float | None
    days_of_work: float | None

    def open(self, severity: int) -> int:
        return dict(self.by_severity).get(severity, 0)


def loads(
    items: Iterable[WorkItem],
    owners: Iterable[str],
    episodes: Iterable[Episode],
    as_of: datetime,
) -> list[TherapistLoad]:
    """By therapist. `owners` names the therapist of each patient who is active or on the list."""
    patients: dict[str, int] = {}
    for owner in owners:
        patients[owner] = patients.get(owner, 0) + 1
    theirs: dict[str, list[WorkItem]] = {}
    for item in items:
        theirs.setdefault(item.therapist_id, []).append(item)
    closed: dict[str, list[Episode]] = {}
    for one in episodes:
        if one.closed_at is not None and as_of - RECENT < one.closed_at <= as_of:
            closed.setdefault(one.closed_by, []).append(one)
    everyone = sorted({*patients, *theirs, *closed})
    return [
        _load(who, patients.get(who, 0), theirs.get(who, []), closed.get(who, []), as_of)
        for who in everyone
    ]


def _load(
    who: str, patients: int, items: Sequence[WorkItem], closed: Sequence[Episode], as_of: datetime
) -> TherapistLoad:
    waiting = [item for item in items if item.status == Status.OPEN]
    answered = [one for one in closed if one.severity]
    severities = (rules.CRITICAL, rules.HIGH, rules.LOW)
    return TherapistLoad(
        therapist_id=who,
        patients=patients,
        by_severity=tuple(
            (severity, sum(item.severity == severity for item in waiting))
            for severity in severities
        ),
        overdue=sum(item.overdue(as_of) for item in waiting),
        snoozed=sum(item.status == Status.SNOOZED for item in items),
        expected_minutes=sum(minutes_for(item.reasons) for item in waiting),
        closed=len(closed),
        in_time=sum(one.answered_in_time for one in answered),
        median_answer_s=_median_answer(answered),
        days_of_work=len(waiting) / (len(closed) / RECENT.days) if closed else None,
    )


def _median_answer(episodes: Iterable[Episode]) -> float | None:
    seconds = [
        max(0.0, (one.closed_at - one.opened_at).total_seconds())
        for one in episodes
        if one.closed_at is not None
    ]
    return median(seconds) if seconds else None


@dataclass(frozen=True, slots=True)
class WorkDay:
    """One local day of a clinic."""

    day: date
    opened: int
    closed: int
    in_time: int
    late: int
    open_at_end: int
    overdue_at_end: int
    median_answer_s: float | None


def work_days(
    episodes: Sequence[Episode], first: date, last: date, zone: ZoneInfo
) -> list[WorkDay]:
    """Every local day from `first` to `last`, both included, oldest first."""
    return [_work_day(episodes, day, zone) for day in days_between(first, last)]


def _work_day(episodes: Iterable[Episode], day: date, zone: ZoneInfo) -> WorkDay:
    start, end = day_start(day, zone), day_end(day, zone)
    begun = [one for one in episodes if one.opened_at < end]
    closed = [one for one in begun if one.closed_at is not None and start <= one.closed_at < end]
    answered = [one for one in closed if one.severity]
    in_time = sum(one.answered_in_time for one in answered)
    rest = [one for one in begun if one.closed_at is None or one.closed_at >= end]
    return WorkDay(
        day=day,
        opened=sum(one.opened_at >= start and one.severity > 0 for one in begun),
        closed=len(closed),
        in_time=in_time,
        late=len(answered) - in_time,
        open_at_end=len(rest),
        overdue_at_end=sum(one.due_at <= end for one in rest),
        median_answer_s=_median_answer(answered),
    )
