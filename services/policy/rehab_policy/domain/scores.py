"""How well each exercise went on each day: scores by exercise, side and local day."""

from __future__ import annotations

import json
import zlib
from bisect import insort
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from statistics import median

from rehab_clinical.quality import TREND_DAYS, QualityDay, score_trend
from rehab_clinical.trend import TrendLine, trend_line

from rehab.events.v1 import exercise_pb2

KEPT = timedelta(days=60)
MOST_EXERCISES = 64
MOST_EVENTS = 5_000
"""Of one exercise and day."""

ExerciseSide = tuple[str, int]


@dataclass(slots=True)
class DayScores:
    """Scores of one day by the event that told them, and all of them in order. Those of a day that
    is over are put away, and opened again for an event that comes late."""

    told: dict[str, tuple[float, ...]] = field(default_factory=dict)
    ordered: list[float] = field(default_factory=list)
    put_by: bytes = b""
    middle: float = 0.0
    """The median, of a day that is put away."""

    def put_away(self) -> None:
        if self.told:
            self.middle = self.median
            self.put_by = zlib.compress(json.dumps(self.told).encode(), 1)
            self.told, self.ordered = {}, []

    def every(self) -> Mapping[str, Sequence[float]]:
        known: Mapping[str, Sequence[float]] = self.told
        return json.loads(zlib.decompress(self.put_by)) if self.put_by else known

    def take_out(self) -> None:
        if self.put_by:
            self.told = {event_id: tuple(scores) for event_id, scores in self.every().items()}
            self.ordered = sorted(score for scores in self.told.values() for score in scores)
            self.put_by = b""

    def has(self, event_id: str) -> bool:
        if self.put_by:
            return event_id.encode() in zlib.decompress(self.put_by)
        return event_id in self.told

    @property
    def median(self) -> float:
        if self.put_by:
            return self.middle
        half = len(self.ordered) // 2
        if len(self.ordered) % 2:
            return self.ordered[half]
        return (self.ordered[half - 1] + self.ordered[half]) / 2


@dataclass(frozen=True, slots=True)
class Course:
    """Of the days before today; None while too few were scored."""

    days: int
    newest: float | None
    trend: float | None
    line: TrendLine | None


@dataclass
class _Exercise:
    days: dict[date, DayScores] = field(default_factory=dict)
    course: tuple[date, Course] | None = None
    """What was reckoned on which day."""


class Scores:
    """The scores of one patient."""

    def __init__(self) -> None:
        self.by_exercise: dict[ExerciseSide, _Exercise] = {}

    def add(self, event_id: str, day: date, seen: exercise_pb2.RepObservation) -> None:
        scores = tuple([rep.score for rep in seen.reps if rep.HasField("score")])
        if not scores:
            return
        key = (seen.exercise_id, seen.side)
        exercise = self.by_exercise.get(key)
        if exercise is None:
            if len(self.by_exercise) >= MOST_EXERCISES:
                return
            exercise = self.by_exercise[key] = _Exercise()
        of_day = exercise.days.get(day)
        if of_day is None:
            self._prune(exercise, day)
            of_day = exercise.days[day] = DayScores()
        of_day.take_out()
        if len(of_day.told) >= MOST_EVENTS:
            return
        of_day.told[event_id] = scores
        for score in scores:
            insort(of_day.ordered, score)
        if exercise.course is not None and day < exercise.course[0]:
            exercise.course = None

    def forget(self, event_id: str) -> None:
        for exercise in self.by_exercise.values():
            for day, of_day in list(exercise.days.items()):
                if not of_day.has(event_id):
                    continue
                of_day.take_out()
                if of_day.told.pop(event_id, None) is not None:
                    of_day.ordered = sorted(s for told in of_day.told.values() for s in told)
                    exercise.course = None
                    if not of_day.told:
                        del exercise.days[day]

    def today(self, key: ExerciseSide, today: date) -> float | None:
        """The median score of today, None when nothing was scored."""
        exercise = self.by_exercise.get(key)
        of_day = exercise.days.get(today) if exercise else None
        return of_day.median if of_day else None

    def course(self, key: ExerciseSide, today: date) -> Course | None:
        """How it went on the days before today, None when none was scored. Reckoned once a day."""
        exercise = self.by_exercise.get(key)
        if exercise is None:
            return None
        if exercise.course is None or exercise.course[0] != today:
            exercise.course = (today, _course(exercise, today))
        return exercise.course[1]

    @staticmethod
    def _prune(exercise: _Exercise, day: date) -> None:
        for known in [known for known in exercise.days if known < day - KEPT]:
            del exercise.days[known]
        for of_day in exercise.days.values():
            of_day.put_away()


def _course(exercise: _Exercise, today: date) -> Course:
    days = [
        (day, of_day.median)
        for day, of_day in sorted(exercise.days.items())
        if today - KEPT <= day < today
    ]
    trend = score_trend([QualityDay(day, 0, 0, score, None, None) for day, score in days])
    newest = median([score for _, score in days[-TREND_DAYS:]]) if days else None
    return Course(len(days), newest, trend, trend_line(days, trend))
