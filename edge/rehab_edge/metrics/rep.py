"""A repetition's figures, all from its own frames."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from rehab_edge import angles
from rehab_edge.angles import AT
from rehab_edge.exercises import Exercise
from rehab_edge.metrics.compensations import Compensation, compensations
from rehab_edge.metrics.measures import Measures, of_path, symmetry_pct
from rehab_edge.metrics.smoothing import LEAST_FRAMES, RATE_HZ, even, smoothed
from rehab_edge.skeleton import Floats
from rehab_edge.skeleton import Sequence as Frames

SideName = Literal["left", "right", "both"]
LEAST_USABLE = 0.6
"""Share of the frames that must show the joints that tell the movement; with less nothing is
measured."""
ANGLE_OF = {"shoulder_extension": "shoulder_flexion"}
"""Where an exercise's joint has another name among the angles."""
TOLD = ("knee", "hip", "shoulder", "elbow")
SIGNED = frozenset({"shoulder_flexion", "shoulder_rotation"})
"""Angles in a plane are noise where the arm does not move in it: told for the primary one alone."""


@dataclass(frozen=True)
class RepMetrics:
    """Degrees, seconds, shares from 0 to 1. `joints` are least and largest angle by joint, in the
    contract's names. `smoothness` is the log dimensionless jerk, less negative is smoother.
    `abstained` says why there are no figures: seen_too_little, too_short."""

    side: SideName
    usable: float
    confidence: float
    primary: Measures | None = None
    joints: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    symmetry_pct: float | None = None
    smoothness: float | None = None
    compensations: Sequence[Compensation] = ()
    abstained: str = ""


def columns_of(joint: str) -> list[int]:
    """Columns of `angles` of both sides, left first."""
    name = ANGLE_OF.get(joint, joint)
    return [AT[f"{name}_{side}"] for side in "lr"]


def measured(frames: Frames, exercise: Exercise) -> RepMetrics:
    """Of one repetition. Says so rather than guesses when too little of it was seen."""
    found: Floats = angles.angles(frames).astype(np.float64)
    columns, telling = columns_of(exercise.joint), columns_of(exercise.telling)
    side = _side(found[:, telling], exercise)
    own = columns if side == "both" else [columns[side == "right"]]
    usable = float(np.isfinite(found[:, own]).all(axis=1).mean()) if len(frames) else 0.0
    confidence = usable * float(frames.visibility.max(axis=1).mean()) if len(frames) else 0.0
    if usable < LEAST_USABLE:
        return RepMetrics(side, usable, confidence, abstained="seen_too_little")
    paths = even(frames.t_s, found)
    if len(paths) < LEAST_FRAMES:
        return RepMetrics(side, usable, confidence, abstained="too_short")
    paths, speeds = smoothed(paths)
    path, speed = paths[:, own].mean(axis=1), speeds[:, own].mean(axis=1)
    return RepMetrics(
        side,
        usable,
        confidence,
        of_path(path, speed),
        _joints(paths, own),
        _symmetry(paths[:, columns]) if side == "both" else None,
        _smoothness(speed),
        compensations(paths, exercise, side),
    )


def _side(telling: Floats, exercise: Exercise) -> SideName:
    """Where the telling joint moves more. A twentieth at either end does not count: jumps."""
    if exercise.both_sides:
        return "both"
    ranges = []
    for path in telling.T:
        seen = np.sort(path[np.isfinite(path)])
        spare = len(seen) // 20
        ranges.append(seen[-1 - spare] - seen[spare] if len(seen) else -1.0)
    return "left" if ranges[0] > ranges[1] else "right"


def _joints(paths: Floats, own: Sequence[int]) -> dict[str, tuple[float, float]]:
    low, high = paths.min(axis=0), paths.max(axis=0)
    found = {}
    for column, name in enumerate(angles.NAMES):
        joint, _, letter = name.rpartition("_")
        told = name == "trunk" or joint in TOLD or (joint in SIGNED and column in own)
        if told and np.isfinite(low[column]):
            side = {"l": "_left", "r": "_right"}.get(letter, "")
            shown = (joint if side else name) + side
            found[shown] = float(low[column]), float(high[column])
    return found


def _symmetry(both: Floats) -> float | None:
    ranges = np.ptp(both, axis=0)
    return symmetry_pct(*ranges.tolist()) if np.isfinite(ranges).all() else None


def _smoothness(speed: Floats) -> float | None:
    """Log dimensionless jerk of the primary angle (Balasubramanian, Melendez-Calderon and Burdet
    2012, doi 10.1109/TBME.2011.2179545)."""
    top = float(np.abs(speed).max())
    if top <= 0:
        return None
    jerk = np.diff(speed, n=2) * RATE_HZ**2
    duration_s = len(speed) / RATE_HZ
    return -float(np.log(duration_s**3 / top**2 * (jerk**2).sum() / RATE_HZ))
