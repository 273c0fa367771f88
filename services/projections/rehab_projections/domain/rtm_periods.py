"""Device periods: days with data in rolling windows of 30 days from the start of monitoring.

DOMAIN section 2.3: `days` are distinct local days with qualifying events in the patient's zone
(counted in UTC, 22 days of evenings in California are 13); `supply` is decided by the policy in
force on the period's last day and proposed only when the period is closed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from rehab_projections.domain.days import day_end, first_zone, local_date
from rehab_projections.domain.monitoring import Mark
from rehab_projections.domain.rtm import MonitoringStep, Proof, RtmRecord
from rehab_projections.domain.rtm_blocks import common_blocks
from rehab_projections.domain.rtm_policy import Policy, policy_on

_A_DAY = timedelta(days=1)
PROOFS_A_DAY = 8
"""One proves a day. A billing item holds 1,000 ids, and a period has 30 days."""


@dataclass(frozen=True, slots=True)
class DataDay:
    """A local day with data, proved by the first event of each of its first quarters of an hour
    with some."""

    day: date
    proofs: tuple[Proof, ...]


@dataclass(frozen=True, slots=True)
class DevicePeriod:
    """One window, both days included, and what it proves.

    `monitored_until` is earlier than `last` when monitoring ended within it. `supply` is the code
    that the days prove so far, `setup` the code of the set-up when this period is the first of its
    episode to prove it. `days_missing` are missing to the next code, of `days_left` that may still
    bring some; None when there is no next one or it is out of reach.
    """

    first: date
    last: date
    monitored_until: date
    system: int
    episode_id: str
    days: tuple[DataDay, ...]
    supply: str | None
    setup: str | None
    started: Proof
    closed: bool
    days_missing: int | None
    days_left: int
    blocked_by: tuple[str, ...]
    proofs: tuple[Proof, ...]
    policy: Policy

    @property
    def item_id(self) -> str:
        return f"rtm-device-{self.first.isoformat()}"

    @property
    def codes(self) -> tuple[tuple[str, int], ...]:
        return tuple((code, 1) for code in (self.setup, self.supply) if code)


@dataclass(frozen=True, slots=True)
class _Stretch:
    """From a start of monitoring to its end. Windows roll from `anchor`."""

    start: MonitoringStep
    anchor: date
    until: date | None


def device_periods(
    record: RtmRecord, marks: Iterable[Mark], zone: ZoneInfo, as_of: datetime, payer: str
) -> list[DevicePeriod]:
    """Every period that has begun as of a time, oldest first. Raises LookupError for the payer."""
    days = _data_days(marks, zone)
    today = local_date(as_of, zone)
    periods: list[DevicePeriod] = []
    set_up: set[str] = set()
    for stretch in _stretches(record.monitoring, zone, payer):
        first = stretch.anchor
        while first <= today and (stretch.until is None or first <= stretch.until):
            policy = policy_on(first, payer)
            last = first + timedelta(days=policy.window_days - 1)
            policy = policy_on(last, payer)
            told = [one for one in days if first <= one.day <= min(last, stretch.until or last)]
            period = _period(record, stretch, (first, last), told, policy, zone, as_of, set_up)
            periods.append(period)
            first = last + _A_DAY
    return periods


def _data_days(marks: Iterable[Mark], zone: ZoneInfo) -> list[DataDay]:
    by_day: dict[date, list[Mark]] = {}
    for mark in marks:
        by_day.setdefault(mark.local_date(zone), []).append(mark)
    return [
        DataDay(
            day,
            tuple(
                Proof(mark.position, mark.event_id)
                for mark in sorted(by_day[day], key=Mark.order)[:PROOFS_A_DAY]
            ),
        )
        for day in sorted(by_day)
    ]


def _stretches(steps: Sequence[MonitoringStep], zone: ZoneInfo, payer: str) -> list[_Stretch]:
    """A start while monitoring is on changes nothing: the clock runs on.

    After an end the next start begins a new window, but not before the one under way has run out:
    two windows must not share a day.
    """
    stretches: list[_Stretch] = []
    begun: MonitoringStep | None = None
    free_from = date.min
    for step in steps:
        day = local_date(step.stamp.at, first_zone(step.zone, zone.key))
        if step.active and begun is None:
            begun = step
            stretches.append(_Stretch(step, max(day, free_from), None))
        elif not step.active and begun is not None:
            begun = None
            open_one = stretches[-1]
            stretches[-1] = _Stretch(open_one.start, open_one.anchor, day)
            free_from = _after(open_one.anchor, day, payer, free_from)
    return stretches


def _after(anchor: date, until: date, payer: str, free_from: date) -> date:
    """The first day after the window in which monitoring ended."""
    if until < anchor:
        return free_from
    first = anchor
    while True:
        following = first + timedelta(days=policy_on(first, payer).window_days)
        if following > until:
            return following
        first = following


def _period(
    record: RtmRecord,
    stretch: _Stretch,
    span: tuple[date, date],
    days: Sequence[DataDay],
    policy: Policy,
    zone: ZoneInfo,
    as_of: datetime,
    set_up: set[str],
) -> DevicePeriod:
    first, last = span
    start = stretch.start
    today = local_date(as_of, zone)
    monitored_until = min(last, stretch.until or last)
    count = len(days)
    closed = day_end(last, zone) <= as_of
    taught = _taught(record, start.episode_id, last, zone)
    setup = None
    if taught and count >= policy.setup_days and start.episode_id not in set_up:
        setup = policy.setup
        set_up.add(start.episode_id)
    blocked, proofs = common_blocks(record, first, last, zone)
    if not policy.high.get(start.system):
        blocked.append("system_unknown")
    if count < policy.low_days:
        blocked.append("too_few_days")
    if not taught:
        blocked.append("education_not_recorded")
    left = _days_left(monitored_until, today, days)
    goal = policy.next_days(count)
    reachable = goal is not None and goal - count <= left
    return DevicePeriod(
        first=first,
        last=last,
        monitored_until=monitored_until,
        system=start.system,
        episode_id=start.episode_id,
        days=tuple(days),
        supply=policy.supply(start.system, count),
        setup=setup,
        started=start.proof,
        closed=closed,
        days_missing=goal - count if goal is not None and reachable else None,
        days_left=left,
        blocked_by=tuple(blocked),
        proofs=(*([taught] if taught else []), *proofs),
        policy=policy,
    )


def _taught(record: RtmRecord, episode_id: str, last: date, zone: ZoneInfo) -> Proof | None:
    """The event that says that the patient was taught the device, in this episode by that day."""
    until = day_end(last, zone)
    told = (
        step.proof
        for step in record.monitoring
        if step.education_done and step.episode_id == episode_id and step.stamp.at < until
    )
    return next(told, None)


def _days_left(until: date, today: date, days: Sequence[DataDay]) -> int:
    """Days that may still become days with data, today included."""
    has_today = any(one.day == today for one in days)
    return max(0, (until - today).days + 1 - int(has_today))
