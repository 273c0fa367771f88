"""How well the exercises were done. docs/domain/adherence.md publishes these formulae."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from statistics import median

from rehab.events.v1 import common_pb2, exercise_pb2
from rehab_clinical.done import GOOD_SCORE
from rehab_clinical.joints import P90, JointQuality, joint_qualities
from rehab_clinical.measures import median_of, pair_slopes, percentile
from rehab_clinical.plan import Item, PlanBook
from rehab_clinical.trend import TrendLine, trend_line

TREND_DAYS = 7


@dataclass(frozen=True, slots=True)
class ObservedSet:
    """The repetitions of one set, with the local day of its first observation."""

    exercise_id: str
    side: int
    day: date
    reps: Sequence[exercise_pb2.Rep]


@dataclass(frozen=True, slots=True)
class CompensationRate:
    """`rate` of repetitions with it, 0 to 1; the magnitude in degrees."""

    code: str
    rate: float
    median_magnitude_deg: float


@dataclass(frozen=True, slots=True)
class QualityDay:
    day: date
    reps: int
    scored: int
    median_score: float | None
    p90_rom_deg: float | None
    median_duration_ms: float | None


@dataclass(frozen=True, slots=True)
class ExerciseQuality:
    """Of one exercise and side. None means that nothing was measured: it is not 0."""

    exercise_id: str
    side: int
    reps: int
    scored: int
    good: int
    median_score: float | None
    p90_rom_deg: float | None
    rom_target_pct: float | None
    median_duration_ms: float | None
    tempo_error: float | None
    median_symmetry_pct: float | None
    median_smoothness: float | None
    compensations: tuple[CompensationRate, ...]
    fatigue_slope: float | None
    trend: float | None
    days: tuple[QualityDay, ...]
    joints: tuple[JointQuality, ...]
    trend_line: TrendLine | None = None


def quality(book: PlanBook, observed: Iterable[ObservedSet]) -> list[ExerciseQuality]:
    """Quality per exercise and side, in their order."""
    grouped: dict[tuple[str, int], list[ObservedSet]] = {}
    for one in observed:
        grouped.setdefault((one.exercise_id, one.side), []).append(one)
    return [
        _of_exercise(book, exercise_id, side, sets)
        for (exercise_id, side), sets in sorted(grouped.items())
    ]


def _of_exercise(
    book: PlanBook, exercise_id: str, side: int, sets: list[ObservedSet]
) -> ExerciseQuality:
    reps = [rep for one in sets for rep in one.reps]
    scores = _scores(reps)
    p90_rom = percentile(_told(reps, "rom_deg"), P90)
    days = _days(sets)
    trend = score_trend(days)
    return ExerciseQuality(
        exercise_id=exercise_id,
        side=side,
        reps=len(reps),
        scored=len(scores),
        good=sum(score >= GOOD_SCORE for score in scores),
        median_score=median_of(scores),
        p90_rom_deg=p90_rom,
        rom_target_pct=_of_target(book, exercise_id, side, sets, p90_rom),
        median_duration_ms=median_of(rep.duration_ms for rep in reps),
        tempo_error=_tempo_error(book, sets),
        median_symmetry_pct=median_of(_told(reps, "symmetry_pct")),
        median_smoothness=median_of(_told(reps, "smoothness")),
        compensations=_compensations(reps),
        fatigue_slope=_fatigue_slope(sets),
        trend=trend,
        days=days,
        joints=joint_qualities(reps),
        trend_line=_trend_line(days, trend),
    )


def _scores(reps: Iterable[exercise_pb2.Rep]) -> list[float]:
    return _told(reps, "score")


def _told(reps: Iterable[exercise_pb2.Rep], field: str) -> list[float]:
    return [getattr(rep, field) for rep in reps if rep.HasField(field)]


def prescribed_item(book: PlanBook, exercise_id: str, side: int, day: date) -> Item | None:
    """The item in force for an exercise on a local day: that of its side, or else of any side."""
    items = [
        item
        for version in book.in_force(day)
        for item in version.items
        if item.exercise_id == exercise_id
    ]
    same = [item for item in items if item.side == side]
    either = (common_pb2.SIDE_UNSPECIFIED, common_pb2.SIDE_BOTH)
    any_side = [item for item in items if item.side in either]
    return next(iter(same or any_side), None)


def _of_target(
    book: PlanBook,
    exercise_id: str,
    side: int,
    sets: Sequence[ObservedSet],
    p90_rom: float | None,
) -> float | None:
    """P90 in percent of the target in force on the last observed day."""
    item = prescribed_item(book, exercise_id, side, max(one.day for one in sets))
    if p90_rom is None or item is None or not item.rom_target_deg:
        return None
    return 100 * p90_rom / item.rom_target_deg


def _trend_line(days: Iterable[QualityDay], trend: float | None) -> TrendLine | None:
    return trend_line([(d.day, d.median_score) for d in days if d.median_score is not None], trend)


def tempo_errors(rep: exercise_pb2.Rep, tempo_s: Sequence[float]) -> list[float]:
    """|t - T| / T of each phase for which a time is prescribed."""
    return [
        abs(phase_ms / 1000 - target_s) / target_s
        for phase_ms, target_s in zip(rep.phases_ms, tempo_s, strict=False)
        if target_s > 0
    ]


def _tempo_error(book: PlanBook, sets: Iterable[ObservedSet]) -> float | None:
    """Median of |t - T| / T over the phases for which the plan of that day prescribes a time."""
    errors: list[float] = []
    prescribed: dict[date, tuple[float, ...]] = {}
    for one in sets:
        if one.day not in prescribed:
            item = prescribed_item(book, one.exercise_id, one.side, one.day)
            prescribed[one.day] = item.tempo_s if item else ()
        for rep in one.reps:
            errors += tempo_errors(rep, prescribed[one.day])
    return median_of(errors)


def _compensations(reps: Sequence[exercise_pb2.Rep]) -> tuple[CompensationRate, ...]:
    worst: dict[str, list[float]] = {}
    for rep in reps:
        of_rep: dict[str, float] = {}
        for seen in rep.compensations:
            of_rep[seen.code] = max(seen.magnitude_deg, of_rep.get(seen.code, 0.0))
        for code, magnitude in of_rep.items():
            worst.setdefault(code, []).append(magnitude)
    return tuple(
        CompensationRate(code, len(magnitudes) / len(reps), median(magnitudes))
        for code, magnitudes in sorted(worst.items())
    )


def _fatigue_slope(sets: Iterable[ObservedSet]) -> float | None:
    """Theil-Sen slope of score over the index within the set, pooled over sets, in points/rep."""
    slopes: list[float] = []
    for one in sets:
        slopes += pair_slopes([(rep.index, rep.score) for rep in one.reps if rep.HasField("score")])
    return median_of(slopes)


def _days(sets: Iterable[ObservedSet]) -> tuple[QualityDay, ...]:
    grouped: dict[date, list[exercise_pb2.Rep]] = {}
    for one in sets:
        grouped.setdefault(one.day, []).extend(one.reps)
    return tuple(_day(day, reps) for day, reps in sorted(grouped.items()))


def _day(day: date, reps: Sequence[exercise_pb2.Rep]) -> QualityDay:
    scores = _scores(reps)
    return QualityDay(
        day=day,
        reps=len(reps),
        scored=len(scores),
        median_score=median_of(scores),
        p90_rom_deg=percentile(_told(reps, "rom_deg"), P90),
        median_duration_ms=median_of(rep.duration_ms for rep in reps),
    )


def score_trend(days: Iterable[QualityDay]) -> float | None:
    """Median of the last 7 scored days' medians minus that of the first 7, in points.

    None with 7 scored days or fewer: both would be the same days.
    """
    scores = [day.median_score for day in days if day.median_score is not None]
    if len(scores) <= TREND_DAYS:
        return None
    return median(scores[-TREND_DAYS:]) - median(scores[:TREND_DAYS])
