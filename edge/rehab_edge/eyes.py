"""From poses to repetitions as they are told: counted, measured, scored, or left unjudged."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter_ns

import numpy as np

from rehab_edge.angles import AT, NAMES, angles
from rehab_edge.exercises import Exercise
from rehab_edge.observed import Observed
from rehab_edge.performing import Seen, Sight, Step
from rehab_edge.plugins import scorers
from rehab_edge.report import Stage
from rehab_edge.scoring.calibration import PatientBaseline
from rehab_edge.scoring.guard import Guarded
from rehab_edge.scoring.protocol import Attempt, FormScore
from rehab_edge.skeleton import Float32s, Pose, sequence
from rehab_sdk.events import UnscoredName
from rehab_sdk.events._fill import SideName

LEAVES, REACHES = 0.25, 0.5
"""Shares of the range at which a repetition begins or ends, and that it has to reach."""
LEAST_RANGE_DEG = 20.0
LEAST_S, MOST_S = 0.5, 20.0
SMOOTHED = 5
"""Frames of the running median, which takes out jumps of a tracker of two frames."""
ANGLE_OF = {"shoulder_extension": "shoulder_flexion"}
"""Where an exercise's joint has another name among the angles."""
UNSCORED: dict[str, UnscoredName] = {
    "seen_too_little": "occluded",
    "too_short": "too_few_frames",
    "unknown_exercise": "no_model",
    "scorer_off": "no_model",
    "not_ready": "no_model",
}
JOINTS = ("knee", "hip", "shoulder", "elbow")
KEPT_TIMES = 10_000


def primary_angles(exercise: Exercise) -> list[int]:
    """Columns of `angles`, left and right."""
    name = ANGLE_OF.get(exercise.joint, exercise.joint)
    return [AT[f"{name}_l"], AT[f"{name}_r"]]


@dataclass
class Hysteresis:
    """Counts by one angle. Thresholds follow what the person does: their own rest, their own
    range."""

    low: float = float("nan")
    high: float = float("nan")
    out: bool = False
    reached: bool = False
    began_s: float = 0.0

    def push(self, t_s: float, value: float) -> tuple[float, float] | None:
        """Begin and end of a repetition that ended with it."""
        if np.isnan(value):
            return None
        self.low, self.high = np.fmin(self.low, value), np.fmax(self.high, value)
        span = max(self.high - self.low, LEAST_RANGE_DEG)
        share = (value - self.low) / span
        if not self.out:
            self.out, self.reached, self.began_s = share > LEAVES, False, t_s
            return None
        self.reached = self.reached or share > REACHES
        if share > LEAVES:
            return None
        self.out = False
        good = self.reached and LEAST_S <= t_s - self.began_s <= MOST_S
        return (self.began_s, t_s) if good else None


class Watching:
    """Eyes of one session. Not for several threads at once."""

    def __init__(self, exercise: Exercise, baseline: PatientBaseline | None = None) -> None:
        self._exercise = exercise
        self._baseline = baseline
        self._columns = primary_angles(exercise)
        self._recent: deque[Float32s] = deque(maxlen=SMOOTHED)
        self._counters = [Hysteresis() for _ in range(1 if exercise.both_sides else 2)]
        self._poses: deque[Pose] = deque()
        self._angles: deque[Float32s] = deque()
        self._first_ns: int | None = None
        self._count = 0
        self._times: dict[str, deque[float]] = defaultdict(lambda: deque(maxlen=KEPT_TIMES))
        found = scorers()
        self._scorer = next((Guarded(one.plugin) for one in found if not one.problem), None)
        self._version = next((one.plugin.version for one in found if not one.problem), "")
        self._notes = [f"scorer {one.name}: {one.problem}" for one in found if one.problem]

    def push(self, pose: Pose) -> Step:
        began = perf_counter_ns()
        if self._first_ns is None:
            self._first_ns = pose.t_ns
        t_s = (pose.t_ns - self._first_ns) / 1e9
        found = angles(pose)
        self._keep(pose, found)
        self._took("angles", began)
        reps = self._counted(t_s)
        took_us = (perf_counter_ns() - began) / 1000
        return Step(found, float(pose.visibility.mean()), took_us, reps)

    def finish(self) -> Sequence[Seen]:
        return ()

    def sight(self) -> Sight:
        stages = [
            Stage(name, len(times), *np.percentile(times, [50, 99]).tolist())
            for name, times in self._times.items()
        ]
        by = f"Scored by {self._scorer.id} {self._version}." if self._scorer else "Not scored."
        return Sight(stages, tuple(self._notes), by)

    def _keep(self, pose: Pose, found: Float32s) -> None:
        self._poses.append(pose)
        self._angles.append(found)
        self._recent.append(found[self._columns])
        while (self._poses[-1].t_ns - self._poses[0].t_ns) / 1e9 > MOST_S + 1:
            self._poses.popleft()
            self._angles.popleft()

    def _counted(self, t_s: float) -> list[Seen]:
        began = perf_counter_ns()
        smooth = np.median(self._recent, axis=0)
        values = [float(smooth.mean())] if self._exercise.both_sides else smooth.tolist()
        ended = [one.push(t_s, value) for one, value in zip(self._counters, values, strict=True)]
        spans = [one.high - one.low for one in self._counters]
        leading = int(np.nanargmax(spans)) if np.isfinite(spans).any() else 0
        self._took("count", began)
        rep = ended[leading]
        if rep is None:
            return []
        return [self._seen(*rep, right=leading == 1)]

    def _seen(self, start_s: float, end_s: float, *, right: bool) -> Seen:
        began = perf_counter_ns()
        assert self._first_ns is not None
        first = round(start_s * 1e9) + self._first_ns
        frames = sequence([pose for pose in self._poses if pose.t_ns >= first])
        paths = np.stack(list(self._angles)[-len(frames) :])
        self._count += 1
        self._took("measure", began)
        score = self._scored(Attempt(self._exercise, frames, right))
        return Seen(self._observed(start_s, end_s, paths, score, right), frames)

    def _scored(self, attempt: Attempt) -> FormScore | None:
        if self._scorer is None:
            return None
        began = perf_counter_ns()
        score = self._scorer.score(attempt, self._baseline)
        self._took("score", began)
        return score

    def _observed(
        self,
        start_s: float,
        end_s: float,
        paths: Float32s,
        score: FormScore | None,
        right: bool,
    ) -> Observed:
        primary = paths[:, self._columns]
        path = primary.mean(axis=1) if self._exercise.both_sides else primary[:, int(right)]
        side: SideName = "both" if self._exercise.both_sides else "right" if right else "left"
        why = "no_model" if score is None else UNSCORED.get(score.abstained, "low_confidence")
        return Observed(
            self._count,
            start_s,
            end_s,
            side,
            rom_deg=float(np.ptp(path[np.isfinite(path)])) if np.isfinite(path).any() else None,
            joints=_joints(paths),
            score=None if score is None else score.value,
            unscored="" if score is not None and score.value is not None else why,
            confidence=score.confidence if score else 0.0,
            usable=float(np.isfinite(primary).all(axis=1).mean()),
            model_id=f"{self._scorer.id}-{self._version}" if self._scorer else "",
            faults=tuple(score.faults) if score else (),
        )

    def _took(self, stage: str, began_ns: int) -> None:
        self._times[stage].append((perf_counter_ns() - began_ns) / 1000)


def _joints(paths: Float32s) -> dict[str, tuple[float, float]]:
    """Least and largest of what a clinician asks for, in the contract's names."""
    found = {}
    for column, name in enumerate(NAMES):
        joint, _, side = name.rpartition("_")
        told = f"{joint}_{'left' if side == 'l' else 'right'}" if joint in JOINTS else name
        path = paths[:, column][np.isfinite(paths[:, column])]
        if (joint in JOINTS or name == "trunk") and len(path):
            found[told] = float(path.min()), float(path.max())
    return found


def eyes(exercise: Exercise, baseline: PatientBaseline | None = None) -> Watching:
    return Watching(exercise, baseline)
