"""What happens in a session of exercise."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Literal

from rehab.events.v1 import exercise_pb2 as pb
from rehab.events.v1.event_pb2 import Body
from rehab_sdk.events._fill import SideName, choice, fill, side_of

CaptureModeName = Literal["", "camera", "sensor", "manual"]
UnscoredName = Literal["", "low_confidence", "occluded", "no_model", "too_few_frames"]
SkipReason = Literal["pain", "too_hard", "no_time", "no_equipment", "other"]
PlanRef = int | pb.OccurrenceRef
"""The version of the plan in force, or the due window that a session is meant for."""
AbandonReason = Literal["pain", "fatigue", "interrupted", "technical", "other"]


def occurrence(
    plan_id: str, plan_version: int, local_date: date | str, slot: str
) -> pb.OccurrenceRef:
    """A due window of a plan; `slot` is its local start, "HH:MM"."""
    day = local_date.isoformat() if isinstance(local_date, date) else local_date
    return fill(
        pb.OccurrenceRef(), plan_id=plan_id, plan_version=plan_version, local_date=day, slot=slot
    )


def session_started(
    session_id: str,
    *,
    mode: CaptureModeName = "",
    environment_ok: bool = False,
    occurrence: pb.OccurrenceRef | None = None,
) -> Body:
    started = fill(
        pb.SessionStarted(),
        mode=choice("mode", pb.CaptureMode.DESCRIPTOR, mode),
        environment_ok=environment_ok,
        occurrence=occurrence,
    )
    return _session(session_id, started=started)


def set_done(
    exercise: str,
    *,
    reps: int,
    set_index: int = 1,
    side: SideName = "",
    good_reps: int | None = None,
    hold_s: float = 0,
    duration_s: float = 0,
    load_kg: float | None = None,
    rpe: float | None = None,
) -> pb.SetCompleted:
    """One set. `hold_s` and `duration_s` in seconds, `load_kg` in kilograms, `rpe` Borg CR10;
    `good_reps` have a score of at least 70 and stay None when nothing was scored."""
    return fill(
        pb.SetCompleted(),
        exercise_id=exercise,
        reps=reps,
        set_index=set_index,
        side=side_of(side),
        good_reps=good_reps,
        hold_s=hold_s,
        duration_s=duration_s,
        load_kg=load_kg,
        rpe=rpe,
    )


def set_completed(session_id: str, done: pb.SetCompleted) -> Body:
    return _session(session_id, set_completed=done)


def exercise_skipped(session_id: str, exercise: str, reason: SkipReason) -> Body:
    skipped = fill(pb.ExerciseSkipped(), exercise_id=exercise, reason=reason)
    return _session(session_id, exercise_skipped=skipped)


def session_completed(session_id: str, duration_s: float) -> Body:
    return _session(session_id, completed=fill(pb.SessionCompleted(), duration_s=duration_s))


def session_abandoned(session_id: str, reason: AbandonReason, duration_s: float) -> Body:
    abandoned = fill(pb.SessionAbandoned(), reason=reason, duration_s=duration_s)
    return _session(session_id, abandoned=abandoned)


def session_self_reported(
    session_id: str,
    started_at: datetime,
    sets: Sequence[pb.SetCompleted],
    *,
    occurrence: pb.OccurrenceRef | None = None,
) -> Body:
    """A session without observation, told afterwards."""
    told = fill(pb.SessionSelfReported(), started_at=started_at, sets=sets, occurrence=occurrence)
    return _session(session_id, self_reported=told)


def rep(
    index: int,
    *,
    score: float | None = None,
    unscored: UnscoredName = "",
    start_ms: int = 0,
    duration_ms: int = 0,
    phases_ms: Sequence[int] = (),
    rom_deg: float | None = None,
    peak_velocity_deg_s: float | None = None,
    smoothness: float | None = None,
    symmetry_pct: float | None = None,
    confidence: float = 0,
    usable_frames_pct: float = 0,
    compensations: Sequence[pb.Compensation] = (),
    joints: Sequence[pb.JointMotion] = (),
) -> pb.Rep:
    """One repetition. `score` from 0 to 100; without one `unscored` says why. `start_ms` counts
    from the session's start; `phases_ms` are eccentric, pause, concentric, pause, or none."""
    return fill(
        pb.Rep(),
        index=index,
        score=score,
        unscored_reason=choice("unscored", pb.UnscoredReason.DESCRIPTOR, unscored),
        start_ms=start_ms,
        duration_ms=duration_ms,
        phases_ms=phases_ms,
        rom_deg=rom_deg,
        peak_velocity_deg_s=peak_velocity_deg_s,
        smoothness=smoothness,
        symmetry_pct=symmetry_pct,
        confidence=confidence,
        usable_frames_pct=usable_frames_pct,
        compensations=compensations,
        joints=joints,
    )


def compensation(code: str, magnitude_deg: float, frames: int = 0) -> pb.Compensation:
    return fill(pb.Compensation(), code=code, magnitude_deg=magnitude_deg, frames=frames)


def joint(name: str, min_deg: float, max_deg: float) -> pb.JointMotion:
    return fill(
        pb.JointMotion(), joint=name, min_deg=min_deg, max_deg=max_deg, rom_deg=max_deg - min_deg
    )


def reps_observed(
    session_id: str,
    exercise: str,
    reps: Sequence[pb.Rep],
    *,
    set_index: int = 1,
    side: SideName = "",
) -> Body:
    """Repetitions of one set, or of at most two seconds, in order."""
    seen = fill(
        pb.RepObservation(),
        session_id=session_id,
        exercise_id=exercise,
        reps=reps,
        set_index=set_index,
        side=side_of(side),
    )
    return Body(rep_observation=seen)


def cue_given(
    session_id: str,
    cue: str,
    *,
    exercise: str = "",
    latency_ms: int = 0,
    heeded: bool | None = None,
    rep_event_id: str = "",
) -> Body:
    """Coaching given during the movement; `latency_ms` from the repetition's end to the cue."""
    form = fill(
        pb.FormFeedback(),
        cue=cue,
        latency_ms=latency_ms,
        heeded=heeded,
        rep_event_id=rep_event_id,
    )
    return _feedback(session_id, exercise, form=form)


def exertion(session_id: str, cr10: float, *, exercise: str = "") -> Body:
    """How hard it was on Borg's CR10 scale, 0 to 10."""
    return _feedback(session_id, exercise, exertion=fill(pb.Exertion(), cr10=cr10))


def difficulty(session_id: str, rating: int, *, exercise: str = "") -> Body:
    """From 1 (too easy) to 5 (too hard)."""
    return _feedback(session_id, exercise, difficulty=fill(pb.Difficulty(), rating=rating))


def _session(session_id: str, **action: object) -> Body:
    step = fill(pb.ExerciseSession(), session_id=session_id, **action)
    return Body(exercise_session=step)


def _feedback(session_id: str, exercise: str, **said: object) -> Body:
    felt = fill(pb.Feedback(), session_id=session_id, exercise_id=exercise, **said)
    return Body(feedback=felt)
