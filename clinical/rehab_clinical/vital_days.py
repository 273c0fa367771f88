"""Readings of one local day: totals of what adds up, spread and latest of what does not.

Totals merged from several sources by adding count twice, and merging by a maximum over whole days
loses what only one of them saw (DOMAIN section 7, Open Wearables 1104). Here a moment counts once.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from math import fsum
from zoneinfo import ZoneInfo

from rehab_clinical.days import local_date
from rehab_clinical.vitals import CUMULATIVE, Counted, Reading


@dataclass(frozen=True, slots=True)
class VitalDay:
    """One metric on one local day, in one unit.

    `total` is of a cumulative metric, the others of a gauge. A unit that is unknown is empty, and
    its readings are never mixed with those of a known one.
    """

    metric: str
    day: date
    ucum: str
    readings: int
    total: float | None
    mean: float | None
    lowest: float | None
    highest: float | None
    latest: Reading


def vital_days(readings: Iterable[Counted], zone: ZoneInfo) -> list[VitalDay]:
    """By metric, day and unit. A reading belongs to the local day on which it starts."""
    grouped: dict[tuple[str, date, str], list[Reading]] = {}
    for one in readings:
        told = one.reading
        day = local_date(told.key.start, zone)
        grouped.setdefault((told.key.metric, day, told.ucum), []).append(told)
    return [vital_day(*key, grouped[key]) for key in sorted(grouped)]


def vital_day(metric: str, day: date, ucum: str, readings: Sequence[Reading]) -> VitalDay:
    """Of readings of the metric and unit that all belong to the day, at least one."""
    latest = max(readings, key=lambda one: (one.key.end, one.position, one.key))
    if metric in CUMULATIVE:
        return VitalDay(
            metric, day, ucum, len(readings), _total(readings), None, None, None, latest
        )
    chosen = _finest(readings)
    return VitalDay(
        metric=metric,
        day=day,
        ucum=ucum,
        readings=len(chosen),
        total=None,
        mean=fsum(one.value for one in chosen) / len(chosen),
        lowest=min(_low(one) for one in chosen),
        highest=max(one.value if one.high is None else one.high for one in chosen),
        latest=latest,
    )


def _low(one: Reading) -> float:
    # The low of a blood pressure is the diastolic: another quantity, not a lower systolic.
    return one.value if one.low is None or one.high is None else one.low


def _finest(readings: Sequence[Reading]) -> list[Reading]:
    """Those of the aggregation with the most readings: the same time exported twice, by minutes
    and by hours, must not weigh twice."""
    by_aggregation: dict[str, list[Reading]] = {}
    for one in readings:
        by_aggregation.setdefault(one.key.aggregation, []).append(one)
    return max(by_aggregation.items(), key=lambda told: (len(told[1]), told[0]))[1]


def _total(readings: Sequence[Reading]) -> float:
    """The greatest of the totals of the aggregations, each of which counts a moment once."""
    by_aggregation: dict[str, list[Reading]] = {}
    for one in readings:
        by_aggregation.setdefault(one.key.aggregation, []).append(one)
    return max(_once(told) for told in by_aggregation.values())


def _once(readings: Sequence[Reading]) -> float:
    """The sum of what does not overlap.

    Of values for the very same time the greatest counts: they are one bucket, whose sources were
    told differently while it grew. Then the sources are taken in the order of their sums, greatest
    first; a reading that overlaps one which counts already does not count.
    """
    same: dict[tuple[datetime, datetime], Reading] = {}
    for one in readings:
        span = (one.key.start, one.key.end)
        known = same.get(span)
        if known is None or (one.value, one.key.sources) > (known.value, known.key.sources):
            same[span] = one
    sums: dict[str, list[float]] = {}
    for one in same.values():
        sums.setdefault(one.key.sources, []).append(one.value)
    weight = {sources: fsum(values) for sources, values in sums.items()}
    taken = _Taken()
    ordered = sorted(
        same.values(), key=lambda one: (-weight[one.key.sources], one.key.sources, one.key.start)
    )
    return fsum(one.value for one in ordered if taken.take(one.key.start, one.key.end))


class _Taken:
    """Times that count already, without overlaps."""

    def __init__(self) -> None:
        self._starts: list[datetime] = []
        self._ends: list[datetime] = []

    def take(self, start: datetime, end: datetime) -> bool:
        """Take a time unless a part of it is taken. Times may touch; an instant within is taken."""
        place = bisect_left(self._starts, start)
        if place < len(self._starts) and self._starts[place] < max(end, start):
            return False
        if place < len(self._starts) and self._starts[place] == start == end:
            return False
        if place and self._ends[place - 1] > start:
            return False
        self._starts.insert(place, start)
        self._ends.insert(place, end)
        return True
