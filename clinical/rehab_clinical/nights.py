"""Nights of sleep. Several apps tell of one night, and their segments overlap (DOMAIN 1.3)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from rehab.events.v1 import health_pb2
from rehab_clinical.days import local_date
from rehab_clinical.facts import moment
from rehab_clinical.vitals import ASLEEP_STAGES, Counted, hours_asleep

_HOUR = timedelta(hours=1)
_STAGES = ("core", "deep", "rem", "awake", "in_bed", "unspecified")


@dataclass(frozen=True, slots=True)
class Night:
    """The sleep that ended on a local day, as one source told it. Times in hours.

    `sources` are the other sources that told of it as well.
    """

    day: date
    start: datetime
    end: datetime
    asleep_h: float
    stages_h: tuple[tuple[str, float], ...]
    source: str
    sources: tuple[str, ...]
    positions: tuple[int, ...]


def nights(readings: Iterable[Counted], zone: ZoneInfo) -> list[Night]:
    """By local day of their end, oldest first.

    Of several sources the one that tells of stages counts, of those the one with more sleep, then
    by name. Within a source segments are united, so that what overlaps counts once; of totals whose
    times overlap the last received counts, because a night is told again while it goes on.
    """
    by_day: dict[date, dict[str, list[Counted]]] = {}
    for one in readings:
        key = one.reading.key
        told = by_day.setdefault(local_date(key.end, zone), {})
        told.setdefault(key.sources, []).append(one)
    return [_night(day, by_day[day]) for day in sorted(by_day)]


def _night(day: date, by_source: dict[str, list[Counted]]) -> Night:
    told = [_of_source(day, source, readings) for source, readings in sorted(by_source.items())]
    best = max(told, key=lambda night: (_is_staged(night), night.asleep_h))
    others = tuple(night.source for night in told if night is not best)
    return Night(
        best.day,
        best.start,
        best.end,
        best.asleep_h,
        best.stages_h,
        best.source,
        others,
        best.positions,
    )


def _is_staged(night: Night) -> bool:
    return any(stage in ("core", "deep", "rem") for stage, _ in night.stages_h)


def _of_source(day: date, source: str, readings: Sequence[Counted]) -> Night:
    told = [(one, health_pb2.Sleep.FromString(one.reading.told)) for one in _standing(readings)]
    stages = [stage for _, sleep in told for stage in sleep.stages]
    segments = [stage for stage in stages if _is_segment(stage)]
    asleep = _union(segments, ASLEEP_STAGES | {"asleep"}) if segments else 0.0
    if not asleep:
        asleep = sum(hours_asleep(sleep) for _, sleep in told)
    hours = {name: _hours(stages, segments, name) for name in _STAGES}
    return Night(
        day=day,
        start=min(one.reading.key.start for one, _ in told),
        end=max(one.reading.key.end for one, _ in told),
        asleep_h=asleep,
        stages_h=tuple((name, told_h) for name, told_h in hours.items() if told_h),
        source=source,
        sources=(),
        positions=tuple(sorted({one.reading.position for one, _ in told})),
    )


def _is_segment(stage: health_pb2.SleepStage) -> bool:
    return stage.HasField("start") and stage.HasField("end")


def _standing(readings: Sequence[Counted]) -> list[Counted]:
    """All with segments, and of the totals those that no later one overlaps."""
    standing: list[Counted] = []
    for one in sorted(readings, key=lambda told: (-told.reading.position, told.reading.key)):
        key = one.reading.key
        sleep = health_pb2.Sleep.FromString(one.reading.told)
        free = all(
            key.end <= kept.reading.key.start or kept.reading.key.end <= key.start
            for kept in standing
        )
        if free or any(_is_segment(stage) for stage in sleep.stages):
            standing.append(one)
    return standing


def _hours(
    stages: Sequence[health_pb2.SleepStage], segments: Sequence[health_pb2.SleepStage], name: str
) -> float:
    if any(one.stage == name for one in segments):
        return _union(segments, frozenset({name}))
    return sum(one.hours for one in stages if one.stage == name)


def _union(segments: Iterable[health_pb2.SleepStage], names: frozenset[str]) -> float:
    """Hours covered by segments of the named stages."""
    spans = sorted((moment(one.start), moment(one.end)) for one in segments if one.stage in names)
    covered = timedelta()
    reached: datetime | None = None
    for start, end in spans:
        begin = start if reached is None else max(start, reached)
        if end > begin:
            covered += end - begin
        reached = end if reached is None else max(reached, end)
    return covered / _HOUR
