"""ProgressService: adherence week by week, what was missed, and pain against quality."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import grpc
from rehab_clinical.adherence import Session, dosed_occurrences
from rehab_clinical.days import first_zone, local_date
from rehab_clinical.pain import PainReport, around_session
from rehab_clinical.sessions import SetRecord
from rehab_clinical.windows import monday_of

from rehab.projections.v1 import progress_service_pb2 as pb
from rehab.projections.v1 import progress_service_pb2_grpc as pb_grpc
from rehab.projections.v1 import projections_service_pb2 as common
from rehab_projections.answers import AsOf, around, as_session
from rehab_projections.asked import DEFAULT_PAGE, Asked, next_page, of_patient_kept
from rehab_projections.domain.monitoring import monitoring_days
from rehab_projections.domain.session_analysis import (
    MOST_SESSIONS,
    PainAndQuality,
    association,
    score_of,
    worst_and_delta,
)
from rehab_projections.domain.weeks import WeekSnapshot, missed, weeks
from rehab_projections.messages import occurrence_message, ratio
from rehab_projections.reads.sessions_servicer import SessionReads
from rehab_projections.reads.spans import PLANNING, Span, scope_of, span_of
from rehab_projections.storage.progress import scored_sets
from rehab_projections.storage.read import Snapshot
from rehab_projections.watch import Watches, watching
from rehab_runtime import pages

WITH_PAIN = (*PLANNING, "pain_report")
_A_DAY = timedelta(days=1)
Context = grpc.aio.ServicerContext


@watching(pb.DESCRIPTOR.services_by_name["ProgressService"])
class ProgressServicer(SessionReads, pb_grpc.ProgressServiceServicer):
    def __init__(self, asked: Asked, watches: Watches) -> None:
        super().__init__(asked)
        self.watches = watches

    @of_patient_kept(pb.ListAdherenceWeeksResponse)
    async def ListAdherenceWeeks(
        self, request: pb.ListAdherenceWeeksRequest, view: Snapshot, fresh: common.Freshness
    ) -> pb.ListAdherenceWeeksResponse:
        scope = scope_of("weeks", request)
        as_of, place = self.asked.page(scope, request, date)
        span = await span_of(view, request, as_of, WITH_PAIN)
        sessions = await _sessions(view, request.patient_id, as_of)
        last = span.last
        if place:
            last = pages.day_within(place[0], span.first + _A_DAY, span.last) - _A_DAY
        size = request.page_size or DEFAULT_PAGE
        first = max(span.first, monday_of(last) - timedelta(days=7 * (size - 1)))
        told = weeks(span.book, sessions, (first, last), as_of.instant, span.zone)
        messages = [await _week(view, request.patient_id, span, as_of, one) for one in told]
        more = monday_of(first) > monday_of(span.first)
        return pb.ListAdherenceWeeksResponse(
            patient_id=request.patient_id,
            weeks=messages,
            next_page_token=next_page(scope, as_of, [told[-1].monday]) if more else "",
            freshness=fresh,
            **span.told(),
        )

    @of_patient_kept(pb.ListMissedSessionsResponse)
    async def ListMissedSessions(
        self, request: pb.ListMissedSessionsRequest, view: Snapshot, fresh: common.Freshness
    ) -> pb.ListMissedSessionsResponse:
        scope = scope_of("missed", request, str(request.include_incomplete))
        as_of, place = self.asked.page(scope, request, datetime, datetime, str)
        span = await span_of(view, request, as_of)
        sessions = await _sessions(view, request.patient_id, as_of)
        due = dosed_occurrences(
            span.book, sessions, as_of.instant, span.zone, (span.first, span.last)
        )
        told = missed(due, incomplete=request.include_incomplete)
        if place:
            told = [one for one in told if one.occurrence.order() < tuple(place)]
        shown = told[: request.page_size or DEFAULT_PAGE]
        token = ""
        if len(told) > len(shown):
            token = next_page(scope, as_of, shown[-1].occurrence.order())
        return pb.ListMissedSessionsResponse(
            patient_id=request.patient_id,
            missed=[
                pb.MissedSession(occurrence=occurrence_message(one), incomplete=one.started)
                for one in shown
            ],
            next_page_token=token,
            freshness=fresh,
            **span.told(),
        )

    @of_patient_kept(pb.GetPainAgainstQualityResponse)
    async def GetPainAgainstQuality(
        self, request: pb.GetPainAgainstQualityRequest, view: Snapshot, fresh: common.Freshness
    ) -> pb.GetPainAgainstQualityResponse:
        as_of = self.asked.as_of(request)
        span = await span_of(view, request, as_of, WITH_PAIN)
        points = await _points(view, request, span, as_of)
        told = association(points)
        return pb.GetPainAgainstQualityResponse(
            patient_id=request.patient_id,
            sessions=[_point(point) for point in points],
            freshness=fresh,
            tau=told.tau,
            p_value=told.p_value,
            association=told.words,
            from_date=span.first.isoformat(),
            to_date=span.last.isoformat(),
            zone=span.zone.key,
        )


async def _sessions(view: Snapshot, patient_id: str, as_of: AsOf) -> list[Session]:
    rows = (await view.sessions([patient_id]))[patient_id]
    return [as_session(row) for row in rows if row.started_at <= as_of.facts_until]


async def _week(
    view: Snapshot, patient_id: str, span: Span, as_of: AsOf, week: WeekSnapshot
) -> pb.AdherenceWeek:
    told = week.adherence
    marks = await view.marks(patient_id, *around(week.monday, week.sunday, span.zone))
    pain = [
        report.nprs
        for report in span.care.pain
        if report.stamp.at <= as_of.facts_until
        and week.monday <= report.local_date(span.zone) <= week.sunday
    ]
    return pb.AdherenceWeek(
        monday=week.monday.isoformat(),
        sunday=week.sunday.isoformat(),
        ended=week.ended,
        due=len(told.due),
        started=told.started,
        full=told.full,
        exceeded=told.exceeded,
        missed=week.missed,
        started_ratio=ratio(told.started_ratio),
        dose_ratio=ratio(told.dose_ratio),
        full_ratio=ratio(told.full_ratio),
        frequency=ratio(told.weekly_frequency),
        sessions=told.sessions,
        monitoring_days=monitoring_days(
            marks, week.monday, week.sunday, as_of.facts_until, span.zone
        ),
        worst_pain=max(pain, default=None),
    )


async def _points(
    view: Snapshot, request: pb.GetPainAgainstQualityRequest, span: Span, as_of: AsOf
) -> list[PainAndQuality]:
    """The newest sessions with both, oldest first, each on the day of its first observation."""
    told: dict[str, list[PainReport]] = {}
    for report in span.care.pain:
        if report.session_id and report.stamp.at <= as_of.facts_until:
            told.setdefault(report.session_id, []).append(report)
    seen: dict[str, list[SetRecord]] = {}
    window = around(span.first, span.last, span.zone)
    for one in await scored_sets(view, request.patient_id, *window, request.exercise_id):
        if one.record.seen and one.record.seen.at <= as_of.facts_until:
            seen.setdefault(one.session_id, []).append(one.record)
    points = []
    for session_id in sorted(seen.keys() & told.keys()):
        day = _day(seen[session_id], span)
        score = score_of(seen[session_id])
        if score is None or not span.first <= day <= span.last:
            continue
        reports = told[session_id]
        worst, delta = worst_and_delta([one.nprs for one in reports], around_session(reports))
        points.append(PainAndQuality(session_id, day, score, worst, delta))
    return sorted(points, key=lambda one: (one.day, one.session_id))[-MOST_SESSIONS:]


def _day(sets: list[SetRecord], span: Span) -> date:
    first = min((one for one in sets if one.seen), key=lambda one: one.seen or ())
    assert first.seen is not None
    return local_date(first.seen.at, first_zone(first.seen_zone, span.zone.key))


def _point(point: PainAndQuality) -> pb.PainAndQuality:
    return pb.PainAndQuality(
        session_id=point.session_id,
        local_date=point.day.isoformat(),
        median_score=point.median_score,
        worst_pain=point.worst_pain,
        pain_delta=point.pain_delta,
    )
