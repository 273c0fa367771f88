"""Measures of one repetition from the path of a joint's angle. Degrees, seconds, 30 frames/s.

The path is smoothed first: a running median over 5 frames takes out jumps of the tracker of up to
two frames, then a quadratic is fitted to each 7 frames (Savitzky and Golay 1964, doi
10.1021/ac60214a047), which keeps the height of peaks better than a mean. That halves the power at
4.8 Hz, near the 6 Hz at which kinematics of human movement are customarily cut off (Winter,
Biomechanics and Motor Control of Human Movement). The range of motion is what lies between the
smallest and the largest angle of the smoothed path.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

FRAMES_PER_S = 30
MEDIAN_FRAMES = 5
FIT_FRAMES = 7
LEAST_FRAMES = FIT_FRAMES
TURN_DEG = 360
STILL_DEG = 2.0
"""A range below this is no movement, and has no tempo."""
SLOW = 0.1
"""Of the way's peak speed. Slower is standing still, as onsets of movements are commonly found
by a share of the peak speed."""
NEAR = 0.1
"""Of the range: how near to rest or to the far end a phase may begin and end."""


class Unmeasurable(ValueError):
    """A path from which nothing can be measured: too short, or with gaps."""


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
    path, speed = smoothed(angle_deg)
    rest = (path[:3].mean() + path[-3:].mean()) / 2
    downward = rest - path.min() > path.max() - rest
    away, pace = (rest - path, -speed) if downward else (path - rest, speed)
    return Measures(
        low_deg=float(path.min()),
        high_deg=float(path.max()),
        peak_deg=float(path[away.argmax()]),
        peak_velocity_deg_s=float(np.abs(speed).max()),
        duration_s=len(path) / FRAMES_PER_S,
        tempo=_tempo(away, pace) if np.ptp(path) >= STILL_DEG else None,
    )


def smoothed(angle_deg: Floats) -> tuple[Floats, Floats]:
    """The smoothed path and its speed in degrees per second. Raises Unmeasurable."""
    if angle_deg.ndim != 1 or len(angle_deg) < LEAST_FRAMES:
        raise Unmeasurable(f"a repetition needs at least {LEAST_FRAMES} frames")
    if not np.isfinite(angle_deg).all():
        raise Unmeasurable("an angle is missing")
    path = _running_median(_followed(angle_deg))
    position, slope = _fits()
    return _fitted(path, position), _fitted(path, slope) * FRAMES_PER_S


def symmetry_pct(left_deg: float, right_deg: float) -> float | None:
    """100 (L - R) / mean of two ranges, None when neither moved."""
    mean = (left_deg + right_deg) / 2
    return 100 * (left_deg - right_deg) / mean if mean else None


def _followed(path: Floats) -> Floats:
    """An angle that passes 180 degrees goes on instead of jumping. Each is taken near the median of
    those before: after a jump of the tracker, plain unwrapping may stay off by a whole turn."""
    if np.abs(np.diff(path)).max() < TURN_DEG / 2:
        return path
    kept = [float(path[0])]
    for angle in path[1:].tolist():
        turns = round((median(kept[-MEDIAN_FRAMES:]) - angle) / TURN_DEG)
        kept.append(angle + turns * TURN_DEG)
    return np.array(kept)


def _running_median(path: Floats) -> Floats:
    half = MEDIAN_FRAMES // 2
    padded = np.pad(path, half, mode="edge")
    return np.median(np.lib.stride_tricks.sliding_window_view(padded, MEDIAN_FRAMES), axis=1)


def _fits() -> tuple[Floats, Floats]:
    """Weights of a window's frames in the fitted quadratic, and in its slope, at each frame."""
    at = np.arange(FIT_FRAMES) - FIT_FRAMES // 2
    powers = np.vander(at, 3, increasing=True).astype(float)
    coefficients = np.linalg.pinv(powers)
    slopes = np.column_stack([0 * at, 0 * at + 1, 2 * at]).astype(float)
    return powers @ coefficients, slopes @ coefficients


def _fitted(path: Floats, weights: Floats) -> Floats:
    """Inside by the window around each frame, near the ends by the first and the last window."""
    half = FIT_FRAMES // 2
    windows = np.lib.stride_tricks.sliding_window_view(path, FIT_FRAMES)
    first, last = weights[:half] @ windows[0], weights[-half:] @ windows[-1]
    return np.concatenate([first, windows @ weights[half], last])


def _tempo(away: Floats, pace: Floats) -> Tempo:
    """`away` is how far from rest, `pace` its speed. Where the far end wobbles, it is one pause."""
    started, reached = _out(away, pace)
    backward, arrived = _out(away[::-1], -pace[::-1])
    count = len(away)
    left, ended = count - arrived, count - backward
    frames = (reached - started, left - reached, ended - left, count - ended + started)
    return Tempo(*(frame / FRAMES_PER_S for frame in frames))


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
