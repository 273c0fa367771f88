"""Paths of angles, brought to 30 frames a second and smoothed, all at once.

A running median over 5 frames takes out jumps of the tracker of up to two frames, then a quadratic
is fitted to each 7 frames (Savitzky and Golay 1964, doi 10.1021/ac60214a047), which keeps the
height of peaks better than a mean. That halves the power at 4.8 Hz, near the 6 Hz at which
kinematics of human movement are customarily cut off (Winter, Biomechanics and Motor Control of
Human Movement).
"""

from __future__ import annotations

from functools import cache
from statistics import median

import numpy as np

from rehab_edge.skeleton import Floats

RATE_HZ = 30
MEDIAN_FRAMES = 5
FIT_FRAMES = 7
LEAST_FRAMES = FIT_FRAMES
TURN_DEG = 360


class Unmeasurable(ValueError):
    """A path from which nothing can be measured: too short, or with gaps."""


def even(t_s: Floats, paths: Floats) -> Floats:
    """[n, k] at any times becomes [m, k] at RATE_HZ, straight between what was seen. A path that
    was seen in less than half of the frames is NaN."""
    times = np.arange(round((t_s[-1] - t_s[0]) * RATE_HZ) + 1) / RATE_HZ + t_s[0]
    seen = np.isfinite(paths)
    found = np.full((len(times), paths.shape[1]), np.nan)
    for column in np.flatnonzero(2 * seen.sum(axis=0) >= len(t_s)):
        there = seen[:, column]
        path = paths[there, column].astype(float)
        found[:, column] = np.interp(times, t_s[there], _followed(path))
    return found


def smoothed(paths: Floats) -> tuple[Floats, Floats]:
    """Smoothed paths and their speeds in degrees per second, both [n, k]; at least LEAST_FRAMES."""
    followed = np.column_stack([_followed(path) for path in paths.T])
    calm = _running_median(followed)
    position, slope = _fits()
    return _fitted(calm, position), _fitted(calm, slope) * RATE_HZ


def _followed(path: Floats) -> Floats:
    """An angle that passes 180 degrees goes on instead of jumping. Each is taken near the median of
    those before: after a jump of the tracker, plain unwrapping may stay off by a whole turn."""
    if len(path) < 2 or not np.abs(np.diff(path)).max() >= TURN_DEG / 2:
        return path
    kept = [float(path[0])]
    for angle in path[1:].tolist():
        turns = round((median(kept[-MEDIAN_FRAMES:]) - angle) / TURN_DEG)
        kept.append(angle + turns * TURN_DEG)
    return np.array(kept)


def _running_median(paths: Floats) -> Floats:
    half = MEDIAN_FRAMES // 2
    padded = np.pad(paths, ((half, half), (0, 0)), mode="edge")
    count = len(paths)
    return np.sort([padded[at : at + count] for at in range(MEDIAN_FRAMES)], axis=0)[half]


@cache
def _fits() -> tuple[Floats, Floats]:
    """Weights of a window's frames in the fitted quadratic, and in its slope, at each frame."""
    at = np.arange(FIT_FRAMES) - FIT_FRAMES // 2
    powers = np.vander(at, 3, increasing=True).astype(float)
    coefficients = np.linalg.pinv(powers)
    slopes = np.column_stack([0 * at, 0 * at + 1, 2 * at]).astype(float)
    return powers @ coefficients, slopes @ coefficients


def _fitted(paths: Floats, weights: Floats) -> Floats:
    """Inside by the window around each frame, near the ends by the first and the last window."""
    half = FIT_FRAMES // 2
    first, last = weights[:half] @ paths[:FIT_FRAMES], weights[-half:] @ paths[-FIT_FRAMES:]
    inside = len(paths) - FIT_FRAMES + 1
    middle = sum(
        weight * paths[at : at + inside] for at, weight in enumerate(weights[half].tolist())
    )
    return np.concatenate([first, middle, last])
