"""ProgressService's answers about one session, down to the repetition."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any, cast
from zoneinfo import ZoneInfo

import grpc
from rehab_clinical.adherence import dosed_occurrences
from rehab_clinical.days import first_zone, local_date
from rehab_clinical.dose import Dosed
from rehab_clinical.occurrences import LONGEST_WINDOW
from rehab_clinical.pain import PainReport, around_session
from rehab_clinical.quality import ObservedSet, quality
from rehab_clinical.sessions import SessionRecord

from rehab.events.v1 import common_pb2, report_pb2
from rehab.projections.v1 import progress_service_pb2 as pb
from rehab.projections.v1 import projections_service_pb2 as common
from rehab_projections.answers import (
    SessionAnswer,
    as_session,
    care_of,
    patient_zone,
)
from rehab_projections.asked import DEFAULT_PAGE, Asked, of_patient_kept
from rehab_projections.domain.care import CareRecord
from rehab_projections.domain.session_analysis import (
    RepAnalysis,
    SetAnalysis,
    rep_analyses,
    set_analyses,
)
from rehab_projections.domain.session_notes import session_notes
from rehab_projections.domain.symmetry import symmetries
from rehab_projections.messages import (
    exercise_message,
    occurrence_message,
    session_message,
    stamped,
    symmetry_message,
)
from rehab_projections.reads.spans import PLANNING
from rehab_projections.storage.codec import dump_summary, load_summary
from rehab_projections.storage.progress import notes_of, session_of
from rehab_projections.storage.read import Snapshot
from rehab_runtime import pages
from rehab_runtime.errors import NotFound

Context = grpc.aio.ServicerContext
_PHASES: Mapping[int, str] = {
    report_pb2.PAIN_PHASE_PRE: "pre",
    report_pb2.PAIN_PHASE_DURING: "during",
    report_pb2.PAIN_PHASE_POST: "post",
    report_pb2.PAIN_PHASE_24H: "24h",
}


class SessionReads:
    def __init__(self, asked: Asked) -> None:
        self.asked = asked

    @of_patient_kept(pb.GetSessionResponse)
    async def GetSession(
        self, request: pb.GetSessionRequest, view: Snapshot, fresh: common.Freshness
    ) -> pb.GetSessionResponse:
        record = await _record(view, request.patient_id, request.session_id)
        care = await care_of(view, request.patient_id, (*PLANNING, "pain_report"))
        zone = await patient_zone(view, request.patient_id, care)
        notes = session_notes(await notes_of(view, request.patient_id, record.session_id))
        counts_for = await _occurrence(view, request.patient_id, care, zone, record)
        observed = _observed(record, zone)
        pain = sorted(
            (one for one in care.pain if one.session_id == record.session_id),
            key=lambda one: one.stamp,
        )
        return pb.GetSessionResponse(
            patient_id=request.patient_id,
            summary=session_message(_summary(record, zone, pain)),
            exercises=[exercise_message(one) for one in quality(care.plans, observed)],
            symmetries=[symmetry_message(one) for one in symmetries(observed)],
            sets=[_set(one) for one in set_analyses(record.sets)],
            occurrence=occurrence_message(counts_for) if counts_for else None,
            pain=[
                pb.SessionPain(
                    nprs=one.nprs, phase=_PHASES.get(one.phase, ""), at=stamped(one.stamp.at)
                )
                for one in pain
            ],
            exertion=_ratings(notes.exertion),
            difficulty=_ratings(notes.difficulty),
            skipped=[
                pb.SkippedExercise(exercise_id=one.exercise_id, reason=one.reason)
                for one in notes.skipped
            ],
            cues=[
                pb.CueCount(cue=one.cue, given=one.given, known=one.known, heeded=one.heeded)
                for one in notes.cues
            ],
            abandoned_for=notes.abandoned_for,
            freshness=fresh,
        )

    @of_patient_kept(pb.ListRepsResponse)
    async def ListReps(
        self, request: pb.ListRepsRequest, view: Snapshot, fresh: common.Freshness
    ) -> pb.ListRepsResponse:
        scope = ("reps", request.patient_id, request.session_id, request.exercise_id)
        place = pages.redeem(scope, request.page_token, (str, int, int, int))
        record = await _record(view, request.patient_id, request.session_id)
        care = await care_of(view, request.patient_id, PLANNING)
        zone = await patient_zone(view, request.patient_id, care)
        wanted = {
            key: one
            for key, one in record.sets.items()
            if request.exercise_id in ("", key.exercise_id)
        }
        told = rep_analyses(care.plans, wanted, _local_date(record, zone))
        if place:
            told = [one for one in told if _place(one) > place]
        shown = told[: request.page_size or DEFAULT_PAGE]
        more = len(told) > len(shown)
        return pb.ListRepsResponse(
            reps=[_rep(one) for one in shown],
            next_page_token=pages.issue(scope, _place(shown[-1])) if more else "",
            freshness=fresh,
        )


async def _record(view: Snapshot, patient_id: str, session_id: str) -> SessionRecord:
    record = await session_of(view, patient_id, session_id)
    if record is None:
        raise NotFound("no such session")
    return record


def _local_date(record: SessionRecord, zone: ZoneInfo) -> date:
    return local_date(record.started_at, first_zone(record.zone, zone.key))


def _observed(record: SessionRecord, zone: ZoneInfo) -> list[ObservedSet]:
    """As the quality of a window takes them: a set belongs to the day of its first observation."""
    return [
        ObservedSet(
            key.exercise_id,
            key.side,
            local_date(one.seen.at, first_zone(one.seen_zone, zone.key)),
            [one.reps[index] for index in sorted(one.reps)],
        )
        for key, one in sorted(record.sets.items())
        if one.seen is not None
    ]


def _summary(record: SessionRecord, zone: ZoneInfo, pain: Sequence[PainReport]) -> SessionAnswer:
    return SessionAnswer(
        record.session_id,
        record.started_at,
        _local_date(record, zone),
        load_summary(dump_summary(record)),
        *around_session(pain),
    )


async def _occurrence(
    view: Snapshot, patient_id: str, care: CareRecord, zone: ZoneInfo, record: SessionRecord
) -> Dosed | None:
    """The due window that the session counts for, ended or not, None when it counts for none."""
    rows = (await view.sessions([patient_id]))[patient_id]
    day = _local_date(record, zone)
    reach = LONGEST_WINDOW + timedelta(days=2)
    due = dosed_occurrences(
        care.plans,
        [as_session(row) for row in rows],
        record.started_at + 2 * reach,
        zone,
        (day - reach, day + reach),
    )
    return next((one for one in due if record.session_id in one.session_ids), None)


def _set(one: SetAnalysis) -> pb.SetAnalysis:
    return pb.SetAnalysis(
        exercise_id=one.key.exercise_id,
        side=cast("common_pb2.Side", one.key.side),
        set_index=one.key.set_index,
        reps_seen=one.reps_seen,
        reps_told=one.reps_told,
        reps=one.done.reps,
        hold_s=one.done.hold_ms / 1000,
        active_s=one.done.active_ms / 1000,
        scored=one.done.scored,
        good=one.done.good,
        median_score=one.median_score,
        fatigue_slope=one.fatigue_slope,
        velocity_loss_pct=one.velocity_loss_pct,
    )


def _ratings(told: Sequence[tuple[str, float]]) -> list[pb.ExerciseRating]:
    return [pb.ExerciseRating(exercise_id=exercise, rating=rating) for exercise, rating in told]


def _place(one: RepAnalysis) -> list[Any]:
    return [*one.key, one.rep.index]


def _rep(one: RepAnalysis) -> pb.RepAnalysis:
    return pb.RepAnalysis(
        exercise_id=one.key.exercise_id,
        side=cast("common_pb2.Side", one.key.side),
        set_index=one.key.set_index,
        rep=one.rep,
        good=cast("bool", one.good),
        score_from_median=one.score_from_median,
        tempo_error=one.tempo_error,
        rom_target_pct=one.rom_target_pct,
    )
