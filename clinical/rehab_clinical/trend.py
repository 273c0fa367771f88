"""How a daily figure moves, with its confidence, and whether a change is more than chance.

DOMAIN section 4.2: a trend is "changed" only beyond the exercise's repeat error. The repeat error
here is the patient's own: the smallest difference between two days that is not chance.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from math import ceil, floor, perm, sqrt
from statistics import median

Z95 = 1.959964
"""Two-sided 95 % of the normal distribution."""
MAD_TO_SD = 1.4826
"""The standard deviation of a normal distribution over its median absolute deviation."""
LONGEST = 180
"""Of longer series the last days are taken: all pairs are compared, and older days say little."""
MIN_REPEATS = 5
_WEEK_DAYS = 7


@dataclass(frozen=True, slots=True)
class TrendLine:
    """In points per week; ends of the interval are None where too few days allow none."""

    slope_per_week: float
    low_per_week: float | None
    high_per_week: float | None
    days: int
    repeat_error: float | None
    change: str


def trend_line(points: Sequence[tuple[date, float]], trend: float | None) -> TrendLine | None:
    """Theil-Sen over daily figures, oldest first, None with fewer than two days.

    The interval is Sen's (1968): of the ordered slopes those whose ranks lie half of
    z * sqrt(var S) from the middle, var S of Kendall's S with ties. `trend` is the published
    difference of medians that `change` judges.
    """
    told = list(points)[-LONGEST:]
    if len(told) < 2:
        return None
    days = [(day.toordinal(), value) for day, value in told]
    slopes = sorted(
        [
            (after - before) / (later - earlier)
            for i, (earlier, before) in enumerate(days)
            for later, after in days[i + 1 :]
        ]
    )
    low, high = _interval(slopes, [value for _, value in told])
    error = repeat_error([value for _, value in told])
    return TrendLine(
        slope_per_week=_WEEK_DAYS * median(slopes),
        low_per_week=None if low is None else _WEEK_DAYS * low,
        high_per_week=None if high is None else _WEEK_DAYS * high,
        days=len(told),
        repeat_error=error,
        change=_change(trend, error),
    )


def _interval(
    slopes: Sequence[float], values: Sequence[float]
) -> tuple[float | None, float | None]:
    half = Z95 * sqrt(variance_of_s(values)) / 2
    below = floor(len(slopes) / 2 - half) - 1
    above = ceil(len(slopes) / 2 + half)
    return (
        slopes[below] if below >= 0 else None,
        slopes[above] if above < len(slopes) else None,
    )


def variance_of_s(one: Sequence[float], other: Sequence[float] = ()) -> float:
    """Of Kendall's S under no association, with ties in either series (Kendall 1970, chapter 4).

    Without the other series that one has no ties, as time has none.
    """
    n = len(one)
    ties = [[count for count in Counter(told).values() if count > 1] for told in (one, other)]
    first, second = ties
    variance = (_weight(n) - sum(map(_weight, first)) - sum(map(_weight, second))) / 18
    if first and second:
        pairs, triples = n * (n - 1), n * (n - 1) * (n - 2)
        variance += _falling(first, 2) * _falling(second, 2) / (2 * pairs)
        variance += _falling(first, 3) * _falling(second, 3) / (9 * triples) if triples else 0
    return variance


def _weight(count: int) -> int:
    return count * (count - 1) * (2 * count + 5)


def _falling(counts: Sequence[int], length: int) -> int:
    return sum(perm(count, length) for count in counts)


def repeat_error(values: Sequence[float]) -> float | None:
    """1.96 x the robust standard deviation of differences between days that follow each other.

    None with fewer than MIN_REPEATS differences.
    """
    steps = [abs(after - before) for before, after in pairwise(values)]
    return Z95 * MAD_TO_SD * median(steps) if len(steps) >= MIN_REPEATS else None


def _change(trend: float | None, error: float | None) -> str:
    if trend is None or error is None:
        return "unknown"
    if abs(trend) <= error:
        return "steady"
    return "improved" if trend > 0 else "declined"
