"""Sets of exercises: what the phone sees of them and what it tells when they are over."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rehab.events.v1 import exercise_pb2 as pb
from rehab.events.v1.event_pb2 import Body
from rehab_cli.clinic.deeds import RepsSeen, SetDone
from rehab_cli.clinic.happening import Author, Happening
from rehab_cli.clinic.kinematics import WORTH_TELLING_DEG
from rehab_cli.clinic.library import Dose
from rehab_cli.clinic.prescription import Item
from rehab_cli.clinic.repetitions import held_message, rep_message
from rehab_cli.clinic.scene import Scene

GOOD_SCORE = 70
"""A repetition is good from here on, as the contract says of good_reps."""
MISSES = 0.02
"""Chance that the camera misses a repetition of a set; the patient's own count has it."""
WEARS_PER_SET = 2.5
"""A set before tires like so many repetitions."""
CUES = {
    "trunk_lean": "straighten_up",
    "knee_valgus": "knees_out",
    "hip_hike": "keep_hips_level",
    "knee_bend": "keep_knee_straight",
    "trunk_rotation": "keep_trunk_still",
}


def performed(scene: Scene, item: Item, number: int, amount: int) -> Iterator[Happening]:
    """One set of so many repetitions, seconds or minutes; the scene's clock moves on."""
    scene.wait(scene.chance.uniform(20, 75))
    match item.exercise.dose:
        case Dose.REPS:
            yield from _repeated(scene, item, number, amount)
        case Dose.HOLD:
            yield from _held(scene, item, number, amount)
        case Dose.DURATION:
            yield _moved(scene, item, number, amount)


def set_done(item: Item, number: int, amount: int) -> pb.SetCompleted:
    """The summary of a set of so many repetitions or milliseconds."""
    done = pb.SetCompleted(
        exercise_id=item.exercise.id,
        side=item.side,
        set_index=number,
    )
    match item.exercise.dose:
        case Dose.REPS:
            done.reps = amount
        case Dose.HOLD:
            done.hold_s = amount / 1000
        case Dose.DURATION:
            done.duration_s = amount / 1000
    return done


def _repeated(scene: Scene, item: Item, number: int, amount: int) -> Iterator[Happening]:
    limb = scene.feeling.limb(item)
    chance, began = scene.chance, scene.at
    seen = amount - (amount > 1 and chance.random() < MISSES)
    batch: list[pb.Rep] = []
    scores: list[float] = []
    worst = 0.0
    for index in range(1, seen + 1):
        motion = limb.repetition(chance, index - 1 + WEARS_PER_SET * (number - 1))
        batch.append(rep_message(index, scene.since_start_ms, motion, item.exercise.compensation))
        scene.wait(motion.duration_ms / 1000)
        worst = max(worst, motion.compensation_deg)
        if motion.score is not None:
            scores.append(motion.score)
        if len(batch) == scene.reps_per_event or index == seen:
            yield _observed(scene, item, number, batch)
            batch = []
    if worst > 2 * WORTH_TELLING_DEG and chance.random() < 0.3:
        yield _cue(scene, item)
    scene.wait(1)
    done = set_done(item, number, amount)
    done.duration_s = (scene.at - began).total_seconds()
    if scores:
        done.good_reps = sum(score >= GOOD_SCORE for score in scores)
    yield _told(scene, done, amount)


def _held(scene: Scene, item: Item, number: int, amount: int) -> Iterator[Happening]:
    chance, began, start_ms = scene.chance, scene.at, scene.since_start_ms
    share = chance.uniform(0.92, 1.0)
    held_ms = round(10 * amount * share) * 100
    scene.wait(held_ms / 1000)
    if item.exercise.observed:
        yield _observed(scene, item, number, [held_message(chance, start_ms, held_ms, share)])
    scene.wait(1)
    done = set_done(item, number, held_ms)
    done.duration_s = (scene.at - began).total_seconds()
    yield _told(scene, done, held_ms)


def _moved(scene: Scene, item: Item, number: int, amount: int) -> Happening:
    seconds = round(60 * amount * scene.chance.uniform(0.9, 1.05))
    scene.wait(seconds)
    return _told(scene, set_done(item, number, 1000 * seconds), 1000 * seconds)


def _told(scene: Scene, done: pb.SetCompleted, amount: int) -> Happening:
    deed = SetDone(scene.session_id, done.exercise_id, done.side, amount)
    return scene.step(Author.SEEN, deed, set_completed=done)


def _observed(scene: Scene, item: Item, number: int, reps: Sequence[pb.Rep]) -> Happening:
    observation = pb.RepObservation(
        session_id=scene.session_id,
        exercise_id=item.exercise.id,
        side=item.side,
        set_index=number,
        reps=reps,
    )
    deed = RepsSeen(
        scene.session_id,
        item.exercise.id,
        item.side,
        scene.at,
        tuple(rep.score if rep.HasField("score") else None for rep in reps),
        tuple(rep.rom_deg if rep.HasField("rom_deg") else None for rep in reps),
    )
    return scene.told(Author.SEEN, Body(rep_observation=observation), deed)


def _cue(scene: Scene, item: Item) -> Happening:
    form = pb.FormFeedback(
        cue=CUES[item.exercise.compensation],
        latency_ms=scene.chance.randint(150, 900),
        heeded=scene.chance.random() < 0.6,
    )
    return scene.felt(Author.SEEN, exercise_id=item.exercise.id, form=form)
