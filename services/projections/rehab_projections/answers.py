"""Answers questions about one patient: facts from a snapshot, formulae from the domain."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from rehab_clinical import windows
from rehab_clinical.adherence import Adherence, Session, adherence
from rehab_clinical.days import day_end, day_start, first_zone, local_date
from rehab_clinical.pain import PainReport, PainSummary, around_session, pain_summary
from rehab_clinical.plan import PlanBook
from rehab_clinical.quality import ExerciseQuality, ObservedSet, quality
from rehab_clinical.windows import Window

from rehab_projections.domain.care import CareRecord, fold
from rehab_projections.domain.monitoring import monitoring_days
from rehab_projections.domain.symmetry import JointSymmetry, symmetries
from rehab_projections.storage.codec import Summary
from rehab_projections.storage.read import Patient, SessionRow, Snapshot
from rehab_runtime.errors import NotFound

CLOCK_TOLERANCE = timedelta(minutes=5)
"""How far a device's clock may run ahead, as the contract of events allows."""
_A_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class AsOf:
    """The time of an answer, and up to when facts count for it."""

    instant: datetime
    facts_until: datetime

    @classmethod
    def at(cls, told: datetime | None, now: datetime) -> AsOf:
        """The told time exactly; now, when none is told, with what fast clocks have said."""
        return cls(now, now + CLOCK_TOLERANCE) if told is None else cls(told, told)


@dataclass(frozen=True)
class AdherenceAnswer:
    first: date
    last: date
    zone: str
    adherence: Adherence
    monitoring_days: int
    last_session_at: datetime | None
    plan_version: int
    paused: bool


@dataclass(frozen=True)
class QualityAnswer:
    first: date
    last: date
    zone: str
    exercises: list[ExerciseQuality]
    pain: PainSummary
    symmetries: list[JointSymmetry]


@dataclass(frozen=True)
class SessionAnswer:
    session_id: str
    started_at: datetime
    local_date: date
    summary: Summary
    pain_pre: int | None
    pain_post: int | None


@dataclass(frozen=True)
class Page:
    """A page of sessions; `after` is where the next one begins, None at the end."""

    sessions: list[SessionAnswer]
    after: tuple[datetime, str] | None


async def known(view: Snapshot, patient_id: str) -> Patient:
    """Raises NotFound."""
    found = await view.patient(patient_id)
    if found is None:
        raise NotFound("no such patient")
    return found


async def answer_adherence(
    view: Snapshot, patient_id: str, window: Window, as_of: AsOf
) -> AdherenceAnswer:
    care = await care_of(view, patient_id, ("plan", "enrolment"))
    zone, today = await zone_and_day(view, patient_id, care, as_of)
    book = care.plans.as_of(as_of.facts_until)
    first, last = windows.bounds(window, today, book.first_day())
    rows = (await view.sessions([patient_id]))[patient_id]
    sessions = [as_session(row) for row in rows if row.started_at <= as_of.facts_until]
    marks = await view.marks(patient_id, *around(first, last, zone))
    end = min(as_of.instant, day_end(last, zone))
    in_force = book.in_force(min(last, local_date(as_of.instant, zone)))
    return AdherenceAnswer(
        first=first,
        last=last,
        zone=zone.key,
        adherence=adherence(book, sessions, first=first, last=last, as_of=as_of.instant, zone=zone),
        monitoring_days=monitoring_days(marks, first, last, as_of.facts_until, zone),
        last_session_at=max((session.started_at for session in sessions), default=None),
        plan_version=max((version.version for version in in_force), default=0),
        paused=bool(in_force) and all(_is_stopped(book, v.plan_id, end) for v in in_force),
    )


async def answer_quality(
    view: Snapshot, patient_id: str, window: Window, as_of: AsOf, exercise_id: str
) -> QualityAnswer:
    care = await care_of(view, patient_id, ("plan", "enrolment", "pain_report"))
    zone, today = await zone_and_day(view, patient_id, care, as_of)
    book = care.plans.as_of(as_of.facts_until)
    first, last = windows.bounds(window, today, book.first_day())
    rows = await view.observed_sets(patient_id, *around(first, last, zone), exercise_id)
    observed = []
    for row in rows:
        seen = row.record.seen
        if seen is None or seen.at > as_of.facts_until:
            continue
        day = local_date(seen.at, first_zone(row.record.seen_zone, zone.key))
        if first <= day <= last:
            reps = [row.record.reps[index] for index in sorted(row.record.reps)]
            observed.append(ObservedSet(row.exercise_id, row.side, day, reps))
    return QualityAnswer(
        first=first,
        last=last,
        zone=zone.key,
        exercises=quality(book, observed),
        pain=_pain(care, first, last, as_of, zone),
        symmetries=symmetries(observed),
    )


def _pain(care: CareRecord, first: date, last: date, as_of: AsOf, zone: ZoneInfo) -> PainSummary:
    told = [report for report in care.pain if report.stamp.at <= as_of.facts_until]
    return pain_summary(told, first, last, as_of.facts_until, zone)


async def answer_sessions(
    view: Snapshot, patient_id: str, after: tuple[datetime, str] | None, size: int
) -> Page:
    care = await care_of(view, patient_id, ("plan", "enrolment", "pain_report"))
    zone = await patient_zone(view, patient_id, care)
    rows = await view.session_page(patient_id, after, size + 1)
    by_session: dict[str, list[PainReport]] = {}
    for report in care.pain:
        by_session.setdefault(report.session_id, []).append(report)
    shown = [_session(row, zone, by_session.get(row.session_id, [])) for row in rows[:size]]
    more = len(rows) > size
    return Page(shown, (shown[-1].started_at, shown[-1].session_id) if more else None)


def _session(row: SessionRow, zone: ZoneInfo, pain: list[PainReport]) -> SessionAnswer:
    summary = row.summary
    day = local_date(row.started_at, first_zone(summary.zone, zone.key))
    return SessionAnswer(row.session_id, row.started_at, day, summary, *around_session(pain))


def as_session(row: SessionRow) -> Session:
    """A stored session as adherence counts it."""
    summary = row.summary
    return Session(row.session_id, row.started_at, summary.zone, summary.ref, lambda: summary.done)


async def care_of(view: Snapshot, patient_id: str, kinds: tuple[str, ...]) -> CareRecord:
    return fold(await view.care_facts(patient_id, kinds))


async def patient_zone(view: Snapshot, patient_id: str, care: CareRecord) -> ZoneInfo:
    return _zone(care, await view.newest_session(patient_id))


def _zone(care: CareRecord, newest: SessionRow | None) -> ZoneInfo:
    return first_zone(care.zone_name(), newest.summary.zone if newest else "")


async def zone_and_day(
    view: Snapshot, patient_id: str, care: CareRecord, as_of: AsOf
) -> tuple[ZoneInfo, date]:
    """The patient's zone, and today.

    Today is what the calendar says there, or the day of the newest session if that is later, as it
    is where a patient travels eastwards or a device's clock is fast: else what they did a minute
    ago would be in no window that ends today.
    """
    newest = await view.newest_session(patient_id, as_of.facts_until)
    zone = _zone(care, newest)
    today = local_date(as_of.instant, zone)
    return zone, max(today, as_session(newest).local_date(zone)) if newest else today


def around(first: date, last: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Instants that hold the local days in every zone of the earth."""
    return day_start(first, zone) - 2 * _A_DAY, day_end(last, zone) + 2 * _A_DAY


def _is_stopped(book: PlanBook, plan_id: str, instant: datetime) -> bool:
    until = instant + timedelta.resolution
    return any(stop.touches(instant, until) for stop in book.stops(plan_id))
