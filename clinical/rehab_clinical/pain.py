"""Pain as reported on the numeric rating scale. An answer that was not given is not a 0."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import pairwise
from statistics import fmean
from zoneinfo import ZoneInfo

from rehab.events.v1 import report_pb2
from rehab_clinical.days import first_zone, local_date
from rehab_clinical.facts import Fact, Stamp


@dataclass(frozen=True, slots=True)
class PainReport:
    """`nprs` is 0 (none) to 10 (worst imaginable)."""

    stamp: Stamp
    position: int
    zone: str
    nprs: int
    phase: int
    session_id: str

    def local_date(self, zone: ZoneInfo) -> date:
        return local_date(self.stamp.at, first_zone(self.zone, zone.key))


@dataclass(frozen=True, slots=True)
class PainSummary:
    """Of a window; None means no answer."""

    reports: int
    latest: PainReport | None
    worst: int | None
    worst_24h: int | None
    mean_pre: float | None
    mean_post: float | None
    mean_delta: float | None
    band: str
    days_since_last: int | None


def pain_report(fact: Fact) -> PainReport:
    told = fact.body.pain_report
    return PainReport(fact.stamp, fact.position, fact.zone, told.nprs, told.phase, told.session_id)


def band(nprs: int) -> str:
    """Boonstra 2016 (n = 2,854): mild up to 5, moderate 6 and 7, severe from 8."""
    if nprs == 0:
        return "none"
    if nprs <= 5:
        return "mild"
    return "moderate" if nprs <= 7 else "severe"


def pain_summary(
    reports: Iterable[PainReport], first: date, last: date, as_of: datetime, zone: ZoneInfo
) -> PainSummary:
    """Pain over the local days from `first` to `last`, both included, as told up to a time."""
    known = sorted((r for r in reports if r.stamp.at <= as_of), key=lambda r: r.stamp)
    window = [r for r in known if first <= r.local_date(zone) <= last]
    latest = window[-1] if window else None
    return PainSummary(
        reports=len(window),
        latest=latest,
        worst=max((r.nprs for r in window), default=None),
        worst_24h=max(
            (r.nprs for r in window if r.phase == report_pb2.PAIN_PHASE_24H), default=None
        ),
        mean_pre=_mean([r.nprs for r in window if r.phase == report_pb2.PAIN_PHASE_PRE]),
        mean_post=_mean([r.nprs for r in window if r.phase == report_pb2.PAIN_PHASE_POST]),
        mean_delta=_mean(_deltas(window)),
        band=band(latest.nprs) if latest else "",
        days_since_last=_days_since(known, as_of, zone),
    )


def _days_since(known: Sequence[PainReport], as_of: datetime, zone: ZoneInfo) -> int | None:
    if not known:
        return None
    return max(0, (local_date(as_of, zone) - known[-1].local_date(zone)).days)


def around_session(reports: Iterable[PainReport]) -> tuple[int | None, int | None]:
    """Last answers before and after one session, from the reports that name it."""
    pre = post = None
    for report in sorted(reports, key=lambda r: r.stamp):
        if report.phase == report_pb2.PAIN_PHASE_PRE:
            pre = report.nprs
        elif report.phase == report_pb2.PAIN_PHASE_POST:
            post = report.nprs
    return pre, post


def rises(reports: Iterable[PainReport]) -> list[tuple[PainReport, int]]:
    """Every report with its rise over the one before of the same phase, where there is one."""
    by_phase: dict[int, list[PainReport]] = {}
    for report in sorted(reports, key=lambda r: r.stamp):
        by_phase.setdefault(report.phase, []).append(report)
    return [
        (after, after.nprs - before.nprs)
        for of_phase in by_phase.values()
        for before, after in pairwise(of_phase)
    ]


def _deltas(window: Iterable[PainReport]) -> list[int]:
    by_session: dict[str, list[PainReport]] = {}
    for report in window:
        if report.session_id:
            by_session.setdefault(report.session_id, []).append(report)
    around = [around_session(reports) for reports in by_session.values()]
    return [post - pre for pre, post in around if pre is not None and post is not None]


def _mean(values: Sequence[int]) -> float | None:
    return fmean(values) if values else None
