"""What is watched of each repetition: of the sensor on its own, and of the movement."""

from __future__ import annotations

import warnings

import numpy as np

from rehab_edge.drift.reference import Chosen, Feature
from rehab_edge.drift.statistics import Floats
from rehab_edge.observed import Observed
from rehab_edge.skeleton import Joint, Sequence

SENSOR = (
    "visibility",  # mean of the joints that this sensor knows, 0 to 1
    "unseen",  # share of them that is missing
    "frame_ms",  # median time between frames
    "frame_jitter",  # mean deviation of it, relative
    "shake",  # noise of a joint's place, relative to the trunk's length
    "bone_spread",  # how much the length of a thigh or shank varies, relative: bones do not
    "trunk_length",  # in the sensor's unit: distance to the camera, or another lens
)
MOVEMENT = (
    "rom_deg",
    "duration_s",
    "peak_velocity_deg_s",
    "smoothness",
    "symmetry_pct",
    "trunk_rom_deg",
    "score",
)
FEATURES = (
    *(Feature(name, "sensor") for name in SENSOR),
    *(Feature(name, "movement") for name in MOVEMENT),
)
_LIMBS = (
    (Joint.HIP_L, Joint.KNEE_L),
    (Joint.KNEE_L, Joint.ANKLE_L),
    (Joint.HIP_R, Joint.KNEE_R),
    (Joint.KNEE_R, Joint.ANKLE_R),
)
LEAST_FRAMES = 8
DIFFERENCE, GAIN = 4, 70**0.5
"""Noise is what the fourth difference leaves: of a joint that swings 40 cm at 1 Hz, seen 30 times a
second, that leaves 0.1 mm, of noise all. The second would leave 7 mm, and take a brisk person for a
shaking camera. White noise of deviation 1 has a fourth difference of deviation GAIN."""


def sample(frames: Sequence, seen: Observed) -> Floats:
    """One repetition's features in the order of FEATURES; NaN where nothing was measured."""
    trunk = seen.joints.get("trunk")
    movement = (
        seen.rom_deg,
        seen.duration_s,
        seen.peak_velocity_deg_s,
        seen.smoothness,
        seen.symmetry_pct,
        None if trunk is None else trunk[1] - trunk[0],
        seen.score,
    )
    told = [np.nan if value is None else float(value) for value in movement]
    return np.array([*_of_sensor(frames), *told])


def _of_sensor(frames: Sequence) -> list[float]:
    if len(frames) < LEAST_FRAMES:
        return [np.nan] * len(SENSOR)
    xyz = frames.xyz.astype(np.float64)
    there: Chosen = np.asarray(np.isfinite(xyz).all(axis=-1))
    known = there.any(axis=0)
    if not known.any():
        return [np.nan, 1.0, *[np.nan] * (len(SENSOR) - 2)]
    gaps_ms = 1000 * np.diff(frames.t_s)
    frame_ms = float(np.median(gaps_ms))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of joints that are never seen
        trunk = float(np.nanmedian(_lengths(xyz, Joint.MID_HIP, Joint.NECK)))
        shake = np.nanmedian(np.linalg.norm(np.diff(xyz, n=DIFFERENCE, axis=0), axis=-1)) / GAIN
        limbs = [_lengths(xyz, start, end) for start, end in _LIMBS]
        spread = np.nanmean([np.nanstd(one) / np.nanmean(one) for one in limbs])
    return [
        float(frames.visibility[:, known].mean()),
        float(1 - there[:, known].mean()),
        frame_ms,
        float(np.abs(gaps_ms - frame_ms).mean() / frame_ms) if frame_ms > 0 else np.nan,
        float(shake / trunk) if trunk > 0 else np.nan,
        float(spread),
        trunk,
    ]


def _lengths(xyz: Floats, start: Joint, end: Joint) -> Floats:
    return np.linalg.norm(xyz[:, end] - xyz[:, start], axis=-1)
