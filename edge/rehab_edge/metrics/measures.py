"""Measures of one repetition from the path of a joint's angle, smoothed by `smoothing`: degrees,
seconds, 30 frames a second. The range of motion is what lies between the smallest and the largest
angle of the smoothed path.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rehab_edge.metrics.smoothing import LEAST_FRAMES, RATE_HZ, Unmeasurable, smoothed
from rehab_edge.skeleton import Floats

STILL_DEG = 2.0
"""A range below this is no movement, and has no tempo."""
SLOW = 0.1
"""Of the way's peak speed. Slower is standing still, as onsets of movements are commonly found
by a share of the peak speed."""
NEAR = 0.1
"""Of the range: how near to rest or to the far end a phase may begin and end."""


@dataclass(frozen=True)
class Tempo:
    """Phases in seconds: from rest to the far end, the pause there, back, and the time at rest
    before and after. Together they are the repetition."""

    out_s: float
    hold_s: float
    back_s: float
    rest_s: float


@dataclass(frozen=True)
class Measures:
    """`peak_deg` is the angle farthest from rest. `tempo` is None when nothing moved."""

    low_deg: float
    high_deg: float
    peak_deg: float
    peak_velocity_deg_s: float
    duration_s: float
    tempo: Tempo | None

    @property
    def rom_deg(self) -> float:
        return self.high_deg - self.low_deg


def measure(angle_deg: Floats) -> Measures:
    """Of one repetition that begins and ends at rest. Raises Unmeasurable."""
    if angle_deg.ndim != 1 or len(angle_deg) < LEAST_FRAMES:
        raise Unmeasurable(f"a repetition needs at least {LEAST_FRAMES} frames")
    if not np.isfinite(angle_deg).all():
        raise Unmeasurable("an angle is missing")
    path, speed = smoothed(angle_deg[:, None])
    return of_path(path[:, 0], speed[:, 0])


def of_path(path: Floats, speed: Floats) -> Measures:
    """Of a smoothed path and its speed in degrees per second."""
    rest = (path[:3].mean() + path[-3:].mean()) / 2
    downward = rest - path.min() > path.max() - rest
    away, pace = (rest - path, -speed) if downward else (path - rest, speed)
    return Measures(
        low_deg=float(path.min()),
        high_deg=float(path.max()),
        peak_deg=float(path[away.argmax()]),
        peak_velocity_deg_s=float(np.abs(speed).max()),
        duration_s=len(path) / RATE_HZ,
        tempo=_tempo(away, pace) if np.ptp(path) >= STILL_DEG else None,
    )


def symmetry_pct(left_deg: float, right_deg: float) -> float | None:
    """100 (L - R) / mean of two ranges, None when neither moved."""
    mean = (left_deg + right_deg) / 2
    return 100 * (left_deg - right_deg) / mean if mean else None


def _tempo(away: Floats, pace: Floats) -> Tempo:
    """`away` is how far from rest, `pace` its speed. Where the far end wobbles, it is one pause."""
    started, reached = _out(away, pace)
    backward, arrived = _out(away[::-1], -pace[::-1])
    count = len(away)
    left, ended = count - arrived, count - backward
    frames = (reached - started, left - reached, ended - left, count - ended + started)
    return Tempo(*(frame / RATE_HZ for frame in frames))


def _out(away: Floats, pace: Floats) -> tuple[int, int]:
    """When the way out begins, and when it has come to the far end."""
    far, moving = away.max(), pace >= SLOW * pace.max()
    half_way = int(np.argmax(away >= far / 2))
    before = np.flatnonzero(away[: half_way + 1] < NEAR * far)
    started = int(before[-1]) if before.size else 0
    while started > 0 and moving[started - 1]:
        started -= 1
    reached = int(np.argmax(away >= (1 - NEAR) * far))
    while reached < int(away.argmax()) and moving[reached]:
        reached += 1
    return started, reached
