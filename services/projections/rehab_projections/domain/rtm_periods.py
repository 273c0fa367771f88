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

from rehab_clinical.days import day_end, first_zone, local_date

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
    """Local days from a start of monitoring to its end, both included; None while it goes on."""

    start: MonitoringStep
    first: date
    last: date | None

    def covers(self, day: date) -> bool:
        return self.first <= day and (self.last is None or day <= self.last)

    def touches(self, first: date, last: date) -> bool:
        return self.first <= last and (self.last is None or self.last >= first)


def device_periods(
    record: RtmRecord, marks: Iterable[Mark], zone: ZoneInfo, as_of: datetime, payer: str
) -> list[DevicePeriod]:
    """Every period that has begun as of a time, oldest first. Raises LookupError for the payer."""
    days = _data_days(marks, zone)
    stretches = _stretches(record.monitoring, zone)
    set_up: set[str] = set()
    periods: list[DevicePeriod] = []
    for first, last in _windows(stretches, local_date(as_of, zone), payer):
        within = [stretch for stretch in stretches if stretch.touches(first, last)]
        told = [
            one
            for one in days
            if first <= one.day <= last and any(stretch.covers(one.day) for stretch in within)
        ]
        period = _period(record, within, (first, last), told, zone, as_of, payer, set_up)
        if period.setup:
            set_up.add(period.episode_id)
        periods.append(period)
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


def _stretches(steps: Sequence[MonitoringStep], zone: ZoneInfo) -> list[_Stretch]:
    """A start while monitoring is on changes nothing: the clock runs on."""
    stretches: list[_Stretch] = []
    for step in steps:
        day = local_date(step.stamp.at, first_zone(step.zone, zone.key))
        running = stretches and stretches[-1].last is None
        if step.active and not running:
            stretches.append(_Stretch(step, day, None))
        elif not step.active and running:
            stretches[-1] = _Stretch(stretches[-1].start, stretches[-1].first, day)
    return stretches


def _windows(stretches: Sequence[_Stretch], today: date, payer: str) -> list[tuple[date, date]]:
    """First and last day of each window that has begun.

    Windows follow each other as long as monitoring goes on. A start within the last one goes on in
    it, a later one begins a new one: no two windows share a day.
    """
    windows: list[tuple[date, date]] = []

    def begin(first: date) -> None:
        length = policy_on(first, payer).window_days
        windows.append((first, first + timedelta(days=length - 1)))

    for stretch in stretches:
        if stretch.first <= today and (not windows or windows[-1][1] < stretch.first):
            begin(stretch.first)
        until = min(stretch.last or today, today)
        while windows and windows[-1][1] < until:
            begin(windows[-1][1] + _A_DAY)
    return windows


def _period(
    record: RtmRecord,
    within: Sequence[_Stretch],
    span: tuple[date, date],
    days: Sequence[DataDay],
    zone: ZoneInfo,
    as_of: datetime,
    payer: str,
    set_up: set[str],
) -> DevicePeriod:
    first, last = span
    start, count, policy = within[0].start, len(days), policy_on(last, payer)
    monitored_until = max(min(last, stretch.last or last) for stretch in within)
    taught = _taught(record, start.episode_id, last, zone)
    is_set_up = taught and count >= policy.setup_days and start.episode_id not in set_up
    blocked, proofs = common_blocks(record, first, last, zone)
    left = _days_left(monitored_until, local_date(as_of, zone), days)
    goal = policy.next_days(count)
    return DevicePeriod(
        first=first,
        last=last,
        monitored_until=monitored_until,
        system=start.system,
        episode_id=start.episode_id,
        days=tuple(days),
        supply=policy.supply(start.system, count),
        setup=policy.setup if is_set_up else None,
        started=start.proof,
        closed=day_end(last, zone) <= as_of,
        days_missing=goal - count if goal is not None and goal - count <= left else None,
        days_left=left,
        blocked_by=(*blocked, *_blocks(policy, start.system, count, taught)),
        proofs=(*([taught] if taught else []), *proofs),
        policy=policy,
    )


def _blocks(policy: Policy, system: int, days: int, taught: Proof | None) -> list[str]:
    told = {
        "system_unknown": system not in policy.high,
        "too_few_days": days < policy.low_days,
        "education_not_recorded": taught is None,
    }
    return [code for code, holds in told.items() if holds]


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
