"""Motions as the contract's repetitions."""

from __future__ import annotations

import random

from rehab.events.v1 import exercise_pb2 as pb
from rehab_cli.clinic.kinematics import FRAMES_PER_S, WORTH_TELLING_DEG, Motion


def rep_message(index: int, start_ms: int, motion: Motion, compensation: str) -> pb.Rep:
    rep = pb.Rep(
        index=index,
        start_ms=start_ms,
        duration_ms=motion.duration_ms,
        phases_ms=motion.phases_ms,
        rom_deg=motion.rom_deg,
        peak_velocity_deg_s=motion.peak_velocity_deg_s,
        smoothness=motion.smoothness,
        symmetry_pct=motion.symmetry_pct,
        score=motion.score,
        confidence=motion.confidence,
        usable_frames_pct=motion.usable_frames_pct,
        unscored_reason=motion.unscored,
    )
    if motion.compensation_deg >= WORTH_TELLING_DEG:
        frames = motion.duration_ms * FRAMES_PER_S // 4000
        rep.compensations.add(
            code=compensation, magnitude_deg=motion.compensation_deg, frames=frames
        )
    for joint, low, high in motion.joints:
        rep.joints.add(joint=joint, min_deg=low, max_deg=high, rom_deg=high - low)
    return rep


def held_message(chance: random.Random, start_ms: int, held_ms: int, share: float) -> pb.Rep:
    """A held position as one repetition; the score falls with what is missing of the time."""
    steadiness = 60 + 35 * min(1.0, share) + chance.gauss(0, 4)
    return pb.Rep(
        index=1,
        start_ms=start_ms,
        duration_ms=held_ms,
        score=round(min(100.0, max(0.0, steadiness)), 1),
        confidence=round(chance.uniform(0.8, 0.99), 2),
        usable_frames_pct=round(chance.uniform(92, 100), 1),
    )
