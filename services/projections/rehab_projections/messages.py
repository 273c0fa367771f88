"""Answers as messages."""

from __future__ import annotations

from datetime import datetime, timedelta
from fractions import Fraction
from typing import cast

from google.protobuf.timestamp_pb2 import Timestamp
from rehab_clinical.dose import Dosed
from rehab_clinical.facts import moment
from rehab_clinical.joints import JointQuality
from rehab_clinical.pain import PainSummary
from rehab_clinical.quality import (
    CompensationRate,
    ExerciseQuality,
    QualityDay,
)
from rehab_clinical.trend import TrendLine

from rehab.events.v1 import common_pb2, exercise_pb2, report_pb2
from rehab.events.v1.event_pb2 import LogPosition
from rehab.projections.v1 import projections_service_pb2 as pb
from rehab_projections.answers import AdherenceAnswer, QualityAnswer, SessionAnswer
from rehab_projections.domain.symmetry import JointSymmetry
from rehab_projections.domain.work_queue import WorkItem
from rehab_projections.storage.cursors import Cursor, Cursors


def stamped(at: datetime) -> Timestamp:
    timestamp = Timestamp()
    timestamp.FromDatetime(at)
    return timestamp


def freshness(cursor: Cursor) -> pb.Freshness:
    """Of an answer about one patient, whose shard's cursor it is."""
    recorded_at = stamped(cursor.recorded_at) if cursor.recorded_at else None
    return pb.Freshness(
        position=cursor.position,
        incarnation=cursor.incarnation,
        recorded_at=recorded_at,
        shard=cursor.shard,
    )


def freshness_of_all(cursors: Cursors) -> pb.Freshness:
    """Of an answer about patients of any shard."""
    told = freshness(cursors.of(0))
    told.positions.extend(
        LogPosition(shard=one.shard, position=one.position) for one in cursors.each
    )
    times = [one.recorded_at for one in cursors.each if one.recorded_at]
    if times:
        told.recorded_at.FromDatetime(max(times))
    return told


def ratio(value: Fraction | None) -> float | None:
    return None if value is None else float(value)


def adherence_message(
    patient_id: str, answer: AdherenceAnswer, fresh: pb.Freshness, *, occurrences: bool
) -> pb.GetAdherenceResponse:
    told = answer.adherence
    return pb.GetAdherenceResponse(
        patient_id=patient_id,
        from_date=answer.first.isoformat(),
        to_date=answer.last.isoformat(),
        zone=answer.zone,
        due=len(told.due),
        started=told.started,
        full=told.full,
        exceeded=told.exceeded,
        started_ratio=ratio(told.started_ratio),
        dose_ratio=ratio(told.dose_ratio),
        full_ratio=ratio(told.full_ratio),
        weekly_frequency=ratio(told.weekly_frequency),
        streak=told.streak,
        longest_streak=told.longest_streak,
        sessions=told.sessions,
        quality_adjusted_dose=ratio(told.quality_adjusted_dose),
        scored_coverage=ratio(told.scored_coverage),
        last_session_at=stamped(answer.last_session_at) if answer.last_session_at else None,
        monitoring_days=answer.monitoring_days,
        occurrences=[occurrence_message(one) for one in told.due] if occurrences else (),
        plan_version=answer.plan_version,
        paused=answer.paused,
        freshness=fresh,
    )


def occurrence_message(one: Dosed) -> pb.Occurrence:
    due = one.occurrence
    return pb.Occurrence(
        plan_version=due.plan_version,
        local_date=due.local_date.isoformat(),
        slot=due.slot,
        starts_at=stamped(due.starts_at),
        ends_at=stamped(due.ends_at),
        dose_ratio=float(one.ratio),
        raw_dose_ratio=float(one.raw_ratio),
        items=[
            pb.OccurrenceItem(
                exercise_id=item.exercise_id,
                side=cast("common_pb2.Side", item.side),
                prescribed=float(item.prescribed),
                done=float(item.done),
                unit=item.unit,
            )
            for item in one.items
        ],
        session_ids=one.session_ids,
    )


def quality_message(
    patient_id: str, answer: QualityAnswer, fresh: pb.Freshness
) -> pb.GetQualityResponse:
    return pb.GetQualityResponse(
        patient_id=patient_id,
        from_date=answer.first.isoformat(),
        to_date=answer.last.isoformat(),
        zone=answer.zone,
        exercises=[exercise_message(one) for one in answer.exercises],
        pain=_pain(answer.pain),
        symmetries=[symmetry_message(one) for one in answer.symmetries],
        freshness=fresh,
    )


def exercise_message(one: ExerciseQuality) -> pb.ExerciseQuality:
    return pb.ExerciseQuality(
        exercise_id=one.exercise_id,
        side=cast("common_pb2.Side", one.side),
        reps=one.reps,
        scored=one.scored,
        good=one.good,
        median_score=one.median_score,
        p90_rom_deg=one.p90_rom_deg,
        rom_target_pct=one.rom_target_pct,
        median_duration_ms=one.median_duration_ms,
        tempo_error=one.tempo_error,
        median_symmetry_pct=one.median_symmetry_pct,
        median_smoothness=one.median_smoothness,
        compensations=[_compensation(seen) for seen in one.compensations],
        fatigue_slope=one.fatigue_slope,
        trend=one.trend,
        days=[_day(day) for day in one.days],
        joints=[_joint(joint) for joint in one.joints],
        trend_line=_trend_line(one.trend_line) if one.trend_line else None,
    )


def _trend_line(line: TrendLine) -> pb.TrendLine:
    return pb.TrendLine(
        slope_per_week=line.slope_per_week,
        low_per_week=line.low_per_week,
        high_per_week=line.high_per_week,
        days=line.days,
        repeat_error=line.repeat_error,
        change=line.change,
    )


def symmetry_message(one: JointSymmetry) -> pb.JointSymmetry:
    return pb.JointSymmetry(
        exercise_id=one.exercise_id,
        joint=one.joint,
        left_deg=one.left_deg,
        right_deg=one.right_deg,
        symmetry_pct=one.symmetry_pct,
        left_reps=one.left_reps,
        right_reps=one.right_reps,
    )


def _compensation(seen: CompensationRate) -> pb.CompensationRate:
    return pb.CompensationRate(
        code=seen.code, rate=seen.rate, median_magnitude_deg=seen.median_magnitude_deg
    )


def _day(day: QualityDay) -> pb.QualityDay:
    return pb.QualityDay(
        local_date=day.day.isoformat(),
        reps=day.reps,
        scored=day.scored,
        median_score=day.median_score,
        p90_rom_deg=day.p90_rom_deg,
        median_duration_ms=day.median_duration_ms,
    )


def _joint(joint: JointQuality) -> pb.JointQuality:
    return pb.JointQuality(
        joint=joint.joint,
        reps=joint.reps,
        median_rom_deg=joint.median_rom_deg,
        p90_rom_deg=joint.p90_rom_deg,
        min_deg=joint.min_deg,
        max_deg=joint.max_deg,
    )


def _pain(pain: PainSummary) -> pb.PainSummary:
    latest = pain.latest
    return pb.PainSummary(
        reports=pain.reports,
        latest=latest.nprs if latest else None,
        latest_phase=cast("report_pb2.PainPhase", latest.phase if latest else 0),
        worst=pain.worst,
        worst_24h=pain.worst_24h,
        mean_pre=pain.mean_pre,
        mean_post=pain.mean_post,
        mean_delta=pain.mean_delta,
        band=pain.band,
        days_since_last=pain.days_since_last,
    )


def session_message(one: SessionAnswer) -> pb.SessionSummary:
    summary = one.summary
    return pb.SessionSummary(
        session_id=one.session_id,
        started_at=stamped(one.started_at),
        local_date=one.local_date.isoformat(),
        status=summary.status,
        mode=cast("exercise_pb2.CaptureMode", summary.mode),
        duration_s=summary.duration_s,
        reps=summary.seen,
        scored=summary.scored,
        median_score=summary.median_score,
        pain_pre=one.pain_pre,
        pain_post=one.pain_post,
    )


def work_item_message(item: WorkItem, clinic_id: str, rank: int, as_of: datetime) -> pb.WorkItem:
    return pb.WorkItem(
        item_id=item.item_id,
        patient_id=item.patient_id,
        clinic_id=clinic_id,
        therapist_id=item.therapist_id,
        severity=cast("common_pb2.Severity", item.severity),
        status=cast("pb.WorkItemStatus", item.status.value),
        reasons=[
            pb.WorkReason(
                code=reason.code,
                severity=cast("common_pb2.Severity", reason.severity),
                since=stamped(reason.since),
                event_ids=reason.event_ids,
                rule=reason.rule,
            )
            for reason in item.reasons
        ],
        waiting_since=stamped(item.waiting_since),
        due_at=stamped(item.due_at),
        snoozed_until=stamped(item.snoozed_until) if item.snoozed_until else None,
        rank=rank,
        overdue=item.overdue(as_of),
    )


def aged(item: pb.WorkItem, as_of: datetime) -> pb.WorkItem:
    """With how long it waits and how long it may. Watchers are not told: that is no change."""
    second = timedelta(seconds=1)
    item.age_s = max(0, (as_of - moment(item.waiting_since)) // second)
    item.remaining_s = (moment(item.due_at) - as_of) // second
    return item
