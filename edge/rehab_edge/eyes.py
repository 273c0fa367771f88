"""From poses to repetitions as they are told: counted, measured, scored, or left unjudged."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Sequence
from functools import cache
from time import perf_counter_ns

import numpy as np

from rehab_edge.exercises import Exercise, Out
from rehab_edge.metrics.measures import Measures
from rehab_edge.metrics.rep import RepMetrics, columns_of, measured
from rehab_edge.metrics.smoothing import LEAST_FRAMES, smoothed
from rehab_edge.observed import Compensated, Observed
from rehab_edge.performing import Seen, Sight, Step
from rehab_edge.plugins import Found, scorers
from rehab_edge.report import Stage
from rehab_edge.scoring.calibration import PatientBaseline
from rehab_edge.scoring.guard import Guarded
from rehab_edge.scoring.protocol import Attempt, FormScore
from rehab_edge.scoring.rules import EXPECTED_DEG, judged
from rehab_edge.segment import Counter, Repetition
from rehab_edge.skeleton import Pose
from rehab_sdk.events import UnscoredName

UNSCORED: dict[str, UnscoredName] = {
    "seen_too_little": "occluded",
    "too_short": "too_few_frames",
    "unknown_exercise": "no_model",
    "scorer_off": "no_model",
    "not_ready": "no_model",
}
KEPT_TIMES = 10_000


def primary_angles(exercise: Exercise) -> list[int]:
    """Columns of `angles`, left and right."""
    return columns_of(exercise.joint)


class Watching:
    """Eyes of one session. Not for several threads at once. The first scorer that is usable scores;
    what was wrong with a repetition is named by rules whoever scores it."""

    def __init__(self, exercise: Exercise, baseline: PatientBaseline | None = None) -> None:
        self._exercise = exercise
        self._baseline = baseline
        self._counter = Counter(exercise)
        self._first_ns: int | None = None
        self._times: dict[str, deque[float]] = defaultdict(lambda: deque(maxlen=KEPT_TIMES))
        found = _installed()
        first = next((one for one in found if not one.problem), None)
        self._scorer = Guarded(first.plugin) if first else None
        self._version = first.plugin.version if first else ""
        smoothed(np.zeros((LEAST_FRAMES, 1)))  # the first call takes longest
        self._notes = _problems(found)

    def push(self, pose: Pose) -> Step:
        began = perf_counter_ns()
        if self._first_ns is None:
            self._first_ns = pose.t_ns
        rep = self._counter.push(pose)
        self._took("follow and count", began)
        reps = [] if rep is None else [self._seen(rep)]
        took_us = (perf_counter_ns() - began) / 1000
        return Step(self._counter.angles, float(pose.visibility.mean()), took_us, reps)

    def finish(self) -> Sequence[Seen]:
        rep = self._counter.finish()
        return [] if rep is None else [self._seen(rep)]

    def sight(self) -> Sight:
        stages = [
            Stage(name, len(times), *np.percentile(times, [50, 99]).tolist())
            for name, times in self._times.items()
        ]
        by = f"Scored by {self._scorer.id} {self._version}." if self._scorer else "Not scored."
        return Sight(stages, tuple(self._notes), by)

    def _seen(self, rep: Repetition) -> Seen:
        began = perf_counter_ns()
        metrics = measured(rep.frames, self._exercise)
        self._took("measure", began)
        score = self._scored(rep, metrics)
        return Seen(self._observed(rep, metrics, score), rep.frames)

    def _scored(self, rep: Repetition, metrics: RepMetrics) -> FormScore | None:
        if self._scorer is None:
            return None
        began = perf_counter_ns()
        attempt = Attempt(self._exercise, rep.frames, metrics.side == "right")
        score = self._scorer.score(attempt, self._baseline)
        self._took("score", began)
        return score

    def _observed(self, rep: Repetition, metrics: RepMetrics, score: FormScore | None) -> Observed:
        assert self._first_ns is not None, "a repetition has frames"
        first_s = self._first_ns / 1e9
        why = "no_model" if score is None else UNSCORED.get(score.abstained, "low_confidence")
        value = None if score is None else score.value
        primary = metrics.primary
        return Observed(
            rep.number,
            rep.start_s - first_s,
            rep.end_s - first_s,
            metrics.side,
            phases_s=() if primary is None else _phases(primary, self._exercise),
            rom_deg=None if primary is None else primary.rom_deg,
            peak_velocity_deg_s=None if primary is None else primary.peak_velocity_deg_s,
            smoothness=metrics.smoothness,
            symmetry_pct=metrics.symmetry_pct,
            joints=metrics.joints,
            compensations=tuple(
                Compensated(one.code, one.magnitude_deg, one.frames)
                for one in metrics.compensations
            ),
            score=value,
            unscored="" if value is not None else why,
            confidence=score.confidence * metrics.confidence if score else 0.0,
            usable=metrics.usable,
            model_id=f"{self._scorer.id}-{self._version}" if self._scorer else "",
            faults=self._faults(metrics, score),
        )

    def _faults(self, metrics: RepMetrics, score: FormScore | None) -> tuple[str, ...]:
        if score is not None and score.faults:
            return tuple(score.faults)
        if metrics.primary is None or self._exercise.id not in EXPECTED_DEG:
            return ()
        return tuple(judged(metrics, self._exercise).faults)

    def _took(self, stage: str, began_ns: int) -> None:
        self._times[stage].append((perf_counter_ns() - began_ns) / 1000)


def _phases(primary: Measures, exercise: Exercise) -> tuple[float, ...]:
    """Eccentric phase, pause, concentric phase, pause; none where weight does not tell."""
    tempo = primary.tempo
    if tempo is None or exercise.out is Out.NEITHER:
        return ()
    if exercise.out is Out.ECCENTRIC:
        return tempo.out_s, tempo.hold_s, tempo.back_s, tempo.rest_s
    return tempo.back_s, tempo.rest_s, tempo.out_s, tempo.hold_s


@cache
def _installed() -> tuple[Found, ...]:
    """Once a process: choosing the fastest of a model's variants takes a while."""
    return tuple(scorers())


def _problems(found: Sequence[Found]) -> list[str]:
    return [f"scorer {one.name}: {one.problem}" for one in found if one.problem]


def eyes(exercise: Exercise, baseline: PatientBaseline | None = None) -> Watching:
    return Watching(exercise, baseline)
