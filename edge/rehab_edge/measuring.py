"""Measures of one repetition from the path of its primary angle: tempo, speed, smoothness."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from rehab_edge.exercises import Out
from rehab_edge.skeleton import Floats

RATE_HZ = 30.0
LEAST_FRAMES = 8
FAR = 0.9
"""Of the range: beyond it is the pause at the far end."""
NEAR = 0.1
"""Of the range: within it is rest."""
SMOOTHING = np.array([-2, 3, 6, 7, 6, 3, -2]) / 21
"""A quadratic through each 7 frames (Savitzky and Golay 1964, doi 10.1021/ac60214a047)."""


@dataclass(frozen=True)
class Measured:
    """Degrees, seconds. `phases_s` are eccentric, pause, concentric, pause; none where weight does
    not tell the ways apart. `smoothness` is the logarithm of the dimensionless jerk, higher is
    smoother (Balasubramanian et al. 2015, doi 10.1186/s12984-015-0090-9)."""

    rom_deg: float
    peak_velocity_deg_s: float
    smoothness: float | None
    phases_s: tuple[float, ...]


def measured(t_s: Floats, angle_deg: Floats, out: Out) -> Measured | None:
    """None when too little of it was seen."""
    seen = np.isfinite(angle_deg)
    if seen.sum() < LEAST_FRAMES or t_s[-1] - t_s[0] <= LEAST_FRAMES / RATE_HZ:
        return None
    at = np.arange(t_s[0], t_s[-1], 1 / RATE_HZ)
    even = np.interp(at, t_s[seen], angle_deg[seen].astype(np.float64))
    path = np.convolve(np.pad(even, len(SMOOTHING) // 2, mode="edge"), SMOOTHING, mode="valid")
    speed = np.gradient(path) * RATE_HZ
    return Measured(
        float(np.ptp(path)),
        float(np.abs(speed).max()),
        _smoothness(speed, len(path) / RATE_HZ),
        _phases(path, float(t_s[-1] - t_s[0]), out),
    )


def _smoothness(speed: Floats, duration_s: float) -> float | None:
    peak = float(np.abs(speed).max())
    jerk = np.gradient(np.gradient(speed)) * RATE_HZ**2
    total = float(np.sum(jerk**2)) / RATE_HZ
    if peak <= 0 or total <= 0:
        return None
    return min(0.0, -math.log(duration_s**3 / peak**2 * total))


def _phases(path: Floats, duration_s: float, out: Out) -> tuple[float, ...]:
    rest = (path[0] + path[-1]) / 2
    away = np.abs(path - rest)
    span = away.max()
    if out is Out.NEITHER or span <= 0:
        return ()
    far = np.flatnonzero(away >= FAR * span)
    left = np.flatnonzero(away[: far[0] + 1] <= NEAR * span)
    home = np.flatnonzero(away[far[-1] :] <= NEAR * span)
    began = int(left[-1]) if len(left) else 0
    ended = int(far[-1] + home[0]) if len(home) else len(path) - 1
    first, hold, back = (
        steps / RATE_HZ for steps in (far[0] - began, far[-1] - far[0], ended - far[-1])
    )
    still = max(0.0, duration_s - first - hold - back)
    if out is Out.ECCENTRIC:
        return (first, hold, back, still)
    return (back, still, first, hold)


def symmetry_pct(left_deg: float, right_deg: float) -> float | None:
    """100 (L - R) / mean of two ranges, None when neither moved."""
    mean = (left_deg + right_deg) / 2
    return 100 * (left_deg - right_deg) / mean if mean > 0 else None
