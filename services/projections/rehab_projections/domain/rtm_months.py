"""Management per calendar month: minutes of work and live conversations.

DOMAIN section 2.3: `minutes(month) = sum over clinicians of length(union(intervals))`, split at the
month's end in the clinic's zone, in whole minutes; codes only with at least one live interaction
(audio or video) and without physiologic monitoring in the month.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from rehab_clinical.days import day_end, day_start, local_date

from rehab_projections.domain.rtm import (
    LIVE_MODES,
    Interaction,
    Proof,
    RtmRecord,
    TimeEntry,
)
from rehab_projections.domain.rtm_blocks import common_blocks
from rehab_projections.domain.rtm_policy import ASSISTANTS, Policy, policy_on

_A_DAY = timedelta(days=1)
_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class ClinicianTime:
    """What one clinician worked in the month; overlapping entries count once."""

    clinician_id: str
    credential: str
    worked: timedelta
    entries: tuple[TimeEntry, ...]


@dataclass(frozen=True, slots=True)
class ManagementMonth:
    """One calendar month, both days included, and what it proves."""

    first: date
    last: date
    minutes: int
    clinicians: tuple[ClinicianTime, ...]
    live: tuple[Interaction, ...]
    supported: tuple[tuple[str, int], ...]
    modifiers: tuple[str, ...]
    minutes_missing: int
    closed: bool
    blocked_by: tuple[str, ...]
    proofs: tuple[Proof, ...]
    policy: Policy

    @property
    def item_id(self) -> str:
        return f"rtm-month-{self.first:%Y-%m}"

    @property
    def codes(self) -> tuple[tuple[str, int], ...]:
        return self.supported


def management_months(
    record: RtmRecord, first: date, last: date, zone: ZoneInfo, as_of: datetime, payer: str
) -> list[ManagementMonth]:
    """Every calendar month that a day of the window lies in and that has begun, oldest first.

    Raises LookupError for the payer.
    """
    months = []
    begin = first.replace(day=1)
    today = local_date(as_of, zone)
    while begin <= min(last, today):
        following = (begin + timedelta(days=31)).replace(day=1)
        months.append(_month(record, begin, following - _A_DAY, zone, as_of, payer))
        begin = following
    return months


def _month(
    record: RtmRecord, first: date, last: date, zone: ZoneInfo, as_of: datetime, payer: str
) -> ManagementMonth:
    since, until = day_start(first, zone), day_end(last, zone)
    policy = policy_on(last, payer)
    clinicians = _clinicians(record.entries, since, until)
    minutes = int(sum((one.worked for one in clinicians), timedelta()) / _MINUTE)
    live = tuple(
        one for one in record.interactions if one.mode in LIVE_MODES and since <= one.start < until
    )
    blocked, proofs = common_blocks(record, first, last, zone)
    supported = policy.management(minutes)
    if not supported:
        blocked.append("too_few_minutes")
    if not live:
        blocked.append("no_live_interaction")
    return ManagementMonth(
        first=first,
        last=last,
        minutes=minutes,
        clinicians=clinicians,
        live=live,
        supported=supported,
        modifiers=_modifiers(record, first, last, clinicians),
        minutes_missing=policy.next_minutes(minutes) - minutes,
        closed=until <= as_of,
        blocked_by=tuple(blocked),
        proofs=tuple(proofs),
        policy=policy,
    )


def _clinicians(
    entries: Iterable[TimeEntry], since: datetime, until: datetime
) -> tuple[ClinicianTime, ...]:
    by_clinician: dict[str, list[TimeEntry]] = {}
    for entry in entries:
        if entry.start < until and entry.end > since:
            by_clinician.setdefault(entry.clinician_id, []).append(entry)
    return tuple(
        _clinician(clinician_id, sorted(told, key=lambda one: (one.start, one.proof)), since, until)
        for clinician_id, told in sorted(by_clinician.items())
    )


def _clinician(
    clinician_id: str, entries: Sequence[TimeEntry], since: datetime, until: datetime
) -> ClinicianTime:
    worked, reached = timedelta(), since
    for entry in entries:
        begin, end = max(entry.start, reached), min(entry.end, until)
        if end > begin:
            worked += end - begin
            reached = end
    newest = max(entries, key=lambda one: one.stamp)
    return ClinicianTime(clinician_id, newest.credential, worked, tuple(entries))


def _modifiers(
    record: RtmRecord, first: date, last: date, clinicians: Iterable[ClinicianTime]
) -> tuple[str, ...]:
    """The discipline of the newest plan of care that covers a day, and that of an assistant."""
    plans = [one for one in record.plans if one.first <= last and one.last >= first]
    newest = max(plans, key=lambda one: one.stamp, default=None)
    assistants = {
        ASSISTANTS[entry.credential]
        for one in clinicians
        for entry in one.entries
        if entry.credential in ASSISTANTS
    }
    discipline = [newest.discipline] if newest and newest.discipline else []
    return (*discipline, *sorted(assistants))
