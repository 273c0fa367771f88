"""One repetition as the learned scorer takes it: a window of fixed length and its summary.

Positions are brought to 30 frames a second by their times, whatever the sensor's rate, and a
running median over five frames takes out jumps of the tracker. Then the channels are read at 48
moments spread evenly over the repetition.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rehab_edge.scoring.channels import CHANNELS, channels
from rehab_edge.skeleton import JOINTS, Float32s, Floats, Joint, Sequence

RATE_HZ = 30.0
MOMENTS = 48
LONGEST_S = 30.0
"""Beyond that nothing is a repetition; it bounds the work for one."""
START = 2
"""Moments at the beginning that count as its start."""
_READ = [one for one in Joint if one not in (Joint.HEEL_L, Joint.HEEL_R, Joint.CHEST)]
"""No channel is of the others, and a Kinect has no heels: unseen joints cost time."""
STATISTICS = ("low", "high", "range", "mean", "spread", "start", "change", "speed", "top_speed")
SUMMARY = CHANNELS * len(STATISTICS) + 1
"""Statistics of each channel, and the duration."""


@dataclass(frozen=True)
class Window:
    """`curve` is [MOMENTS, CHANNELS], `summary` [SUMMARY]; NaN where nothing was seen."""

    curve: Float32s
    summary: Float32s

    @property
    def seen(self) -> float:
        """Share of the channels that are known."""
        return float(np.isfinite(self.curve).mean())


def window(rep: Sequence, *, right: bool) -> Window:
    """Of one repetition of at least two frames and at most LONGEST_S."""
    duration_s = float(rep.t_s[-1] - rep.t_s[0])
    xyz = rep.xyz[:, _READ].reshape(len(rep), -1)
    even = np.arange(max(2, round(duration_s * RATE_HZ) + 1)) / RATE_HZ + rep.t_s[0]
    smooth = running_median(at_times(rep.t_s, xyz, even))
    moments = np.linspace(even[0], even[-1], MOMENTS)
    placed = np.full((MOMENTS, JOINTS, 3), np.nan, dtype=np.float32)
    placed[:, _READ] = at_times(even, smooth, moments).reshape(MOMENTS, len(_READ), 3)
    curve = channels(placed, right=right)
    return Window(curve, summary(curve, duration_s))


def summary(curve: Float32s, duration_s: float) -> Float32s:
    """[SUMMARY]: the second lowest and highest value stand for the range's ends, since one frame
    may be an outlier."""
    ordered = np.sort(curve, axis=0)
    low, high = ordered[1], ordered[-2]
    start = curve[:START].mean(axis=0)
    middle = curve[MOMENTS * 2 // 5 : MOMENTS * 3 // 5].mean(axis=0)
    speed = np.abs(np.diff(curve, axis=0)) * ((MOMENTS - 1) / duration_s)
    top = np.sort(speed, axis=0)[-3]
    mean = curve.sum(axis=0) / MOMENTS
    away = curve - mean
    spread = np.sqrt(np.einsum("ij,ij->j", away, away) / MOMENTS)
    parts = (low, high, high - low, mean, spread, start, middle - start, speed.mean(axis=0), top)
    return np.concatenate([*parts, [duration_s]]).astype(np.float32)


def running_median(values: Float32s) -> Float32s:
    """Over five rows; the ends stand for what lies beyond them. By exchanges of pairs, which for
    five is many times faster than sorting."""
    a, b, c, d, e = (
        np.concatenate([values[:1]] * max(0, -by) + [values[max(0, by) : len(values) + min(0, by)]]
                       + [values[-1:]] * max(0, by))[: len(values)]
        for by in (-2, -1, 0, 1, 2)
    )  # fmt: skip
    low = np.maximum(np.minimum(a, b), np.minimum(d, e))
    high = np.minimum(np.maximum(a, b), np.maximum(d, e))
    return np.maximum(np.minimum(low, high), np.minimum(np.maximum(low, high), c))


def at_times(t_s: Floats, values: Float32s, times: Floats) -> Float32s:
    """Columns linearly between their known frames. A column known in fewer than half of the frames
    is not known at all."""
    known = np.isfinite(values)
    if known.all():
        return _between(t_s, values, times)
    found = np.full((len(times), values.shape[1]), np.nan, dtype=np.float32)
    whole = known.all(axis=0)
    found[:, whole] = _between(t_s, values[:, whole], times)
    for column in np.flatnonzero(~whole & (known.mean(axis=0) >= 0.5)):
        there = known[:, column]
        found[:, column] = np.interp(times, t_s[there], values[there, column])
    return found


def _between(t_s: Floats, values: Float32s, times: Floats) -> Float32s:
    after = np.clip(np.searchsorted(t_s, times), 1, len(t_s) - 1)
    past = np.clip((times - t_s[after - 1]) / (t_s[after] - t_s[after - 1]), 0, 1)
    share = past.astype(np.float32)[:, None]
    return values[after - 1] * (1 - share) + values[after] * share
