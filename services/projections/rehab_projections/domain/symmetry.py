"""Left against right: 100 (L - R) / mean of both (DOMAIN section 4.2)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import median

from rehab_clinical.quality import ObservedSet

from rehab.events.v1 import common_pb2

_LEFT, _RIGHT = "_left", "_right"


@dataclass(frozen=True, slots=True)
class JointSymmetry:
    """Medians of range of motion in degrees; positive when the left moves more. `joint` is empty
    for the exercise itself, done on one side and on the other."""

    exercise_id: str
    joint: str
    left_deg: float
    right_deg: float
    symmetry_pct: float
    left_reps: int
    right_reps: int


@dataclass(frozen=True, slots=True)
class _Sides:
    left: list[float]
    right: list[float]


def symmetries(observed: Iterable[ObservedSet]) -> list[JointSymmetry]:
    """By exercise and joint, where both sides were seen to move."""
    moved: dict[tuple[str, str], _Sides] = {}
    for one in observed:
        for rep in one.reps:
            for joint in rep.joints:
                _add(moved, one.exercise_id, joint.joint, joint.rom_deg)
            if rep.HasField("rom_deg") and one.side in _SUFFIX:
                _add(moved, one.exercise_id, _SUFFIX[one.side], rep.rom_deg)
    found = (_symmetry(*key, moved[key]) for key in sorted(moved))
    return [one for one in found if one is not None]


_SUFFIX: Mapping[int, str] = {common_pb2.SIDE_LEFT: _LEFT, common_pb2.SIDE_RIGHT: _RIGHT}


def _add(moved: dict[tuple[str, str], _Sides], exercise_id: str, joint: str, rom: float) -> None:
    for suffix in (_LEFT, _RIGHT):
        if joint.endswith(suffix):
            sides = moved.setdefault((exercise_id, joint.removesuffix(suffix)), _Sides([], []))
            (sides.left if suffix == _LEFT else sides.right).append(rom)


def _symmetry(exercise_id: str, joint: str, sides: _Sides) -> JointSymmetry | None:
    if not sides.left or not sides.right:
        return None
    left, right = median(sides.left), median(sides.right)
    mean = (left + right) / 2
    if not mean:
        return None
    index = 100 * (left - right) / mean
    return JointSymmetry(exercise_id, joint, left, right, index, len(sides.left), len(sides.right))
