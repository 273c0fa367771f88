"""Order statistics used by the formulae."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import median

EXHAUSTIVE_POINTS = 64
"""Up to here all pairs of points are taken for a slope; beyond, Theil's incomplete method."""


def median_of(values: Iterable[float]) -> float | None:
    """The median, None of nothing."""
    known = list(values)
    return median(known) if known else None


def percentile(values: Iterable[float], share: float) -> float | None:
    """Linear interpolation between closest ranks (Hyndman and Fan, type 7); None of nothing."""
    known = sorted(values)
    if not known:
        return None
    rank = share * (len(known) - 1)
    below = int(rank)
    above = min(below + 1, len(known) - 1)
    return known[below] + (known[above] - known[below]) * (rank - below)


def pair_slopes(points: Sequence[tuple[int, float]]) -> list[float]:
    """Slopes between points at different x, of which the median is the Theil-Sen slope.

    From many points only pairs half the series apart are taken, as in Theil's incomplete method:
    the work stays linear.
    """
    ordered = sorted(points)
    count = len(ordered)
    if count <= EXHAUSTIVE_POINTS:
        pairs = [(a, b) for i, a in enumerate(ordered) for b in ordered[i + 1 :]]
    else:
        half = count // 2
        pairs = list(zip(ordered[: count - half], ordered[half:], strict=True))
    return [(b[1] - a[1]) / (b[0] - a[0]) for a, b in pairs if b[0] != a[0]]
