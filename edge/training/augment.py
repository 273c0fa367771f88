"""Repetitions as another sensor, on another day, would have seen them: noise, a camera that is not
level, other frame rates, lost frames and joints, an uneven pace, ends cut elsewhere, the mirror
image."""

from __future__ import annotations

import numpy as np

from rehab_edge.scoring.channels import mirrored
from rehab_edge.skeleton import JOINTS, MIRROR, Float32s, Floats, Joint, Sequence

NOISE_M = 0.012
"""Standard deviation at most; a Kinect's own is 0.005 to 0.02 for limbs in view."""
TILT_DEG = 3.0
CUT = 0.07
"""Of the duration, at most, at either end."""
LOST_FRAMES = 0.3
PACE = 0.15
"""How much faster or slower than even, at most."""
LIMBS = ("WRIST", "ELBOW", "ANKLE", "TOE", "KNEE")


def varied(rep: Sequence, chance: np.random.Generator) -> Sequence:
    """A variant; on average two of the changes apply strongly."""
    t_s, xyz = _cut(rep.t_s - rep.t_s[0], rep.xyz, chance)
    t_s, xyz = _fewer(_paced(t_s, chance), xyz, chance)
    xyz = _tilted(xyz, chance) + _noise(len(xyz), chance)
    if chance.random() < 0.15:
        name = LIMBS[chance.integers(len(LIMBS))]
        xyz[:, Joint[f"{name}_{'LR'[chance.integers(2)]}"]] = np.nan
    return Sequence(t_s, xyz, np.isfinite(xyz).all(axis=-1).astype(np.float32))


def mirror(rep: Sequence) -> Sequence:
    return Sequence(rep.t_s, mirrored(rep.xyz), rep.visibility[:, np.array(MIRROR)])


def _cut(t_s: Floats, xyz: Float32s, chance: np.random.Generator) -> tuple[Floats, Float32s]:
    """Ends a little earlier or later; later means that the person stood still there."""
    step = t_s[1] - t_s[0]
    for _ in range(2):
        frames = round(chance.uniform(-CUT, CUT) * len(xyz))
        if frames < 0:
            xyz = xyz[-frames:]
        else:
            xyz = np.concatenate([np.repeat(xyz[:1], frames, axis=0), xyz])
        xyz = xyz[::-1]
    return np.arange(len(xyz)) * step, xyz


def _paced(t_s: Floats, chance: np.random.Generator) -> Floats:
    """Time goes unevenly, and faster or slower as a whole."""
    share = t_s / t_s[-1]
    wave = np.sin(np.pi * share) * chance.uniform(-PACE, PACE) / np.pi
    wave += np.sin(2 * np.pi * share) * chance.uniform(-PACE, PACE) / (2 * np.pi)
    return (share + wave) * t_s[-1] * chance.uniform(1 - PACE / 2, 1 + PACE / 2)


def _fewer(t_s: Floats, xyz: Float32s, chance: np.random.Generator) -> tuple[Floats, Float32s]:
    kept = np.ones(len(t_s), dtype=bool)
    if chance.random() < 0.3:
        kept[1::2] = False
    if chance.random() < 0.5:
        kept &= chance.random(len(t_s)) > chance.uniform(0, LOST_FRAMES)
    kept[[0, -1]] = True
    return t_s[kept], xyz[kept]


def _tilted(xyz: Float32s, chance: np.random.Generator) -> Float32s:
    pitch, roll = np.radians(chance.uniform(-TILT_DEG, TILT_DEG, 2))
    about_x = np.array(
        [[1, 0, 0], [0, np.cos(pitch), -np.sin(pitch)], [0, np.sin(pitch), np.cos(pitch)]]
    )
    about_z = np.array(
        [[np.cos(roll), -np.sin(roll), 0], [np.sin(roll), np.cos(roll), 0], [0, 0, 1]]
    )
    return (xyz @ (about_x @ about_z).T).astype(np.float32)


def _noise(frames: int, chance: np.random.Generator) -> Float32s:
    """White for each joint, and an offset of each joint that lasts: sensors disagree on where in
    the body a joint is."""
    white = chance.normal(0, chance.uniform(0, NOISE_M), (frames, JOINTS, 3))
    lasting = chance.normal(0, chance.uniform(0, NOISE_M), (1, JOINTS, 3))
    return (white + lasting).astype(np.float32)
