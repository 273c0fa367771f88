"""One session at home, from the camera check to the last answer, or told afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from rehab.events.v1 import exercise_pb2 as pb
from rehab.events.v1 import report_pb2
from rehab_cli.clinic import reports
from rehab_cli.clinic.deeds import PainFelt, SessionBegun, SetDone
from rehab_cli.clinic.habit import Intent, Undertaking
from rehab_cli.clinic.happening import Author, Happening
from rehab_cli.clinic.prescription import Plan, Window
from rehab_cli.clinic.scene import Scene
from rehab_cli.clinic.sets import performed, set_done

PAIN_STOP = 8
"""The pain at which a set is stopped, as every plan here prescribes."""


def occurrence(plan: Plan, window: Window) -> pb.OccurrenceRef:
    return pb.OccurrenceRef(
        plan_id=plan.plan_id,
        plan_version=plan.version,
        local_date=window.day.isoformat(),
        slot=window.slot,
    )


def observed(
    scene: Scene, intent: Intent, ref: pb.OccurrenceRef | None, meant: Window | None
) -> Iterator[Happening]:
    """A session before the camera. `meant` is the window it is for, `ref` what it says of that."""
    yield _begun(scene, ref, meant)
    scene.wait(4)
    yield _pain(scene, scene.feeling.pain(), reports.PRE)
    sets = 0
    for undertaking in intent.undertakings:
        if not undertaking.sets:
            yield _skipped(scene, undertaking)
        for number, amount in enumerate(undertaking.sets, start=1):
            if sets < intent.after_sets:
                sets += 1
                yield from performed(scene, undertaking.item, number, amount)
    strain = 0.3 * scene.chance.random() * min(sets, 8)
    given_up = intent.abandon_reason
    worst = scene.feeling.pain(strain)
    if worst >= PAIN_STOP:
        given_up = "pain"
        yield _pain(scene, worst, reports.DURING)
    scene.wait(8)
    yield from _felt(scene, sets / max(1, sum(len(u.sets) for u in intent.undertakings)))
    yield _pain(scene, scene.feeling.pain(strain / 2), reports.POST)
    yield _ended(scene, given_up)


def untold(
    scene: Scene, intent: Intent, ref: pb.OccurrenceRef, meant: Window, told_at: datetime
) -> Iterator[Happening]:
    """A session without the camera, reported at `told_at`."""
    sets: list[pb.SetCompleted] = []
    deeds: list[SetDone] = []
    for undertaking in intent.undertakings:
        item = undertaking.item
        for number, amount in enumerate(undertaking.sets, start=1):
            units = amount * item.unit
            sets.append(set_done(item, number, units))
            deeds.append(SetDone(scene.session_id, item.exercise.id, item.side, units))
    report = pb.SessionSelfReported(sets=sets, occurrence=ref)
    report.started_at.FromDatetime(scene.started_at)
    scene.at = told_at
    begun = SessionBegun(scene.session_id, scene.started_at, meant.key)
    yield scene.step(Author.TOLD, begun, *deeds, self_reported=report)
    scene.wait(5)
    yield _pain(scene, scene.feeling.pain(0.5), reports.POST)


def _pain(scene: Scene, nprs: int, phase: report_pb2.PainPhase) -> Happening:
    body = reports.pain(scene.patient, nprs, phase, scene.session_id)
    return scene.told(Author.TOLD, body, PainFelt(scene.at, nprs))


def _begun(scene: Scene, ref: pb.OccurrenceRef | None, meant: Window | None) -> Happening:
    started = pb.SessionStarted(
        occurrence=ref,
        mode=pb.CAPTURE_MODE_CAMERA,
        environment_ok=scene.chance.random() < 0.95,
    )
    deed = SessionBegun(scene.session_id, scene.started_at, meant.key if meant else None)
    return scene.step(Author.SEEN, deed, started=started)


def _skipped(scene: Scene, undertaking: Undertaking) -> Happening:
    scene.wait(5)
    skipped = pb.ExerciseSkipped(
        exercise_id=undertaking.item.exercise.id, reason=undertaking.skip_reason
    )
    return scene.step(Author.TOLD, exercise_skipped=skipped)


def _felt(scene: Scene, share: float) -> Iterator[Happening]:
    exertion = pb.Exertion(cr10=scene.feeling.exertion(share))
    yield scene.felt(Author.TOLD, exertion=exertion)
    scene.wait(4)
    if scene.chance.random() < 0.5:
        rating = min(5, max(1, round(scene.chance.gauss(2.8, 0.9))))
        yield scene.felt(Author.TOLD, difficulty=pb.Difficulty(rating=rating))
    scene.wait(4)


def _ended(scene: Scene, given_up: str) -> Happening:
    scene.wait(3)
    duration_s = (scene.at - scene.started_at).total_seconds()
    if given_up:
        abandoned = pb.SessionAbandoned(reason=given_up, duration_s=duration_s)
        return scene.step(Author.SEEN, abandoned=abandoned)
    return scene.step(Author.SEEN, completed=pb.SessionCompleted(duration_s=duration_s))
