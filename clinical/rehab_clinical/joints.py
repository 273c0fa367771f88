"""How each observed joint moved."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from rehab.events.v1 import exercise_pb2
from rehab_clinical.measures import percentile

P90 = 0.9


@dataclass(frozen=True, slots=True)
class JointQuality:
    joint: str
    reps: int
    median_rom_deg: float
    p90_rom_deg: float
    min_deg: float
    max_deg: float


def joint_qualities(reps: Iterable[exercise_pb2.Rep]) -> tuple[JointQuality, ...]:
    moved: dict[str, list[exercise_pb2.JointMotion]] = {}
    for rep in reps:
        for joint in rep.joints:
            moved.setdefault(joint.joint, []).append(joint)
    return tuple(_joint(joint, motions) for joint, motions in sorted(moved.items()))


def _joint(joint: str, motions: Sequence[exercise_pb2.JointMotion]) -> JointQuality:
    roms = [motion.rom_deg for motion in motions]
    return JointQuality(
        joint=joint,
        reps=len(roms),
        median_rom_deg=median(roms),
        p90_rom_deg=percentile(roms, P90) or 0.0,
        min_deg=min(motion.min_deg for motion in motions),
        max_deg=max(motion.max_deg for motion in motions),
    )
