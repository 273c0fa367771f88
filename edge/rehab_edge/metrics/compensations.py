"""Movements that stand in for the intended one.

Each is an angle that leaves where it was at the repetition's start by more than the exercise needs.
The limits are defaults of ours, chosen so that correct takes of healthy volunteers (UI-PRMD) rarely
pass them, and need a clinician's review. The frontal knee angle is that of Willson and Davis 2008,
doi 10.2519/jospt.2008.2706; frontal angles are those of the body's own plane, and a sensor without
depth sees them only from the front.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rehab_edge.angles import AT
from rehab_edge.exercises import Exercise
from rehab_edge.metrics.smoothing import RATE_HZ
from rehab_edge.skeleton import Floats

START_S = 0.1
"""Of a repetition, by which it is told where an angle was."""


@dataclass(frozen=True)
class Compensation:
    """`magnitude_deg` at its worst, beyond where it was at the start; `frames` of 1/30 s in which
    it was beyond the limit."""

    code: str
    magnitude_deg: float
    frames: int
    limit_deg: float


@dataclass(frozen=True)
class Watched:
    """`angle` without its side when `sided`, then of the working side; `away` 1 for more, -1 for
    less, 0 for either."""

    code: str
    angle: str
    limit_deg: float
    away: int = 0
    sided: bool = False


_LEAN = Watched("trunk_lean", "trunk_left", 12)
_TWIST = Watched("trunk_twist", "trunk_twist", 20)
_BEND = Watched("trunk_forward", "trunk_forward", 20, 1)
_SWAY = Watched("trunk_back", "trunk_forward", 15, -1)
_VALGUS = Watched("knee_valgus", "knee_valgus", 15, 1, sided=True)
_DROP = Watched("pelvic_drop", "pelvis_drop", 10)
_HIKE = Watched("shoulder_hike", "shoulder_drop", 10)
_ELBOW = Watched("elbow_bend", "elbow", 35, 1, sided=True)
_KNEE = Watched("knee_bend", "knee", 30, 1, sided=True)
_LEGS = (_LEAN, _TWIST, _VALGUS)
_ARMS = (_LEAN, _TWIST, _BEND, _SWAY, _HIKE)
WATCHED: Mapping[str, Sequence[Watched]] = {
    "m01": (*_LEGS, Watched("trunk_forward", "trunk_forward", 50, 1)),
    "m02": (_LEAN, _TWIST, _BEND, _SWAY, _DROP),
    "m03": (*_LEGS, _BEND),
    "m04": (_TWIST, _VALGUS, Watched("trunk_forward", "trunk_forward", 40, 1)),
    "m05": (*_LEGS, Watched("trunk_forward", "trunk_forward", 55, 1)),
    "m06": (_LEAN, _TWIST, _BEND, _SWAY, _DROP, _KNEE),
    "m07": (_LEAN, _TWIST, _BEND, _SWAY, Watched("shoulder_hike", "shoulder_drop", 20), _ELBOW),
    "m08": (*_ARMS, _ELBOW),
    "m09": _ARMS,
    "m10": (*_ARMS, _ELBOW),
}
"""By exercise."""


def compensations(paths: Floats, exercise: Exercise, side: str) -> list[Compensation]:
    """Of smoothed paths [n, ANGLES], the worst first; what was not seen is not told."""
    start = paths[: max(1, round(START_S * RATE_HZ))].mean(axis=0)
    found = [
        one for watched in WATCHED.get(exercise.id, ()) for one in _of(watched, paths - start, side)
    ]
    return sorted(found, key=lambda one: -one.magnitude_deg)


def _of(watched: Watched, moved: Floats, side: str) -> list[Compensation]:
    letters = {"left": "l", "right": "r"}.get(side, "lr") if watched.sided else ""
    names = [f"{watched.angle}_{letter}" for letter in letters] or [watched.angle]
    worst: list[Compensation] = []
    for name in names:
        path = moved[:, AT[name]]
        beyond = watched.away * path if watched.away else np.abs(path)
        frames = int((beyond > watched.limit_deg).sum())
        if frames:
            worst.append(Compensation(watched.code, float(beyond.max()), frames, watched.limit_deg))
    return sorted(worst, key=lambda one: -one.magnitude_deg)[:1]
