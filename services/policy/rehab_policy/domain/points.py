"""What windows remember: points of one kind of event, by the time they occurred, bounded."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import takewhile
from operator import itemgetter
from typing import Final, NamedTuple

from rehab_policy.domain.rules import COUNTED, Figure, Window

MOST_POINTS = 1_000
MOST_PARTS = 64
MILLION = 1_000_000
_HOUR = timedelta(hours=1)


Point = tuple[datetime, str, int, float, bool]
"""When, of which event, its place among the points of that event, the value, and whether the
window's `where` held: only a streak keeps those of which it did not. A plain tuple of plain values,
for the garbage collector does not look into those: patients in memory have a thousand each."""
AT: Final = 0
EVENT_ID: Final = 1
VALUE: Final = 3
MATCHED: Final = 4


_matched = itemgetter(MATCHED)


class Peak(NamedTuple):
    """The greatest value, or the least, and how many points have it."""

    value: float
    times: int

    @classmethod
    def of(cls, points: Sequence[Point], value: float) -> Peak:
        return cls(value, sum(point[VALUE] == value for point in points))

    def with_one(self, value: float, *, higher: bool) -> Peak:
        if higher:
            return Peak(value, 1)
        return Peak(value, self.times + 1) if value == self.value else self

    def without(self, value: float) -> Peak | None:
        """None when the last point that had it is gone."""
        if value != self.value:
            return self
        return Peak(value, self.times - 1) if self.times > 1 else None


@dataclass(slots=True)
class Part:
    """Points in order, with what is told of them kept up to date once it was asked for: an average
    over a week costs the same as over a minute. Sums are of whole millionths, so that no order of
    adding changes them."""

    within: timedelta
    points: list[Point] = field(default_factory=list)
    millionths: int | None = None
    most: Peak | None = None
    least: Peak | None = None
    run: int | None = 0
    """How many of the newest in a row matched; None until it is asked for again."""

    def add(self, added: Iterable[Point]) -> None:
        """In the order of their time, so that no order of arrival changes what is remembered."""
        for point in added:
            self._add(point)
        if len(self.points) > MOST_POINTS:
            self.drop(len(self.points) - MOST_POINTS)

    def _add(self, point: Point) -> None:
        points = self.points
        if not points or points[-1] <= point:
            points.append(point)
            if not point[MATCHED]:
                self.run = 0
            elif self.run is not None:
                self.run += 1
        else:
            insort(points, point)
            self.run = None
        if self.millionths is not None:
            self.millionths += round(point[VALUE] * MILLION)
        if self.most is not None:
            self.most = self.most.with_one(point[VALUE], higher=point[VALUE] > self.most.value)
        if self.least is not None:
            self.least = self.least.with_one(point[VALUE], higher=point[VALUE] < self.least.value)

    def drop(self, count: int) -> None:
        """Forget the oldest."""
        gone = self.points[:count]
        del self.points[:count]
        if self.run is not None:
            self.run = min(self.run, len(self.points))
        self._without(gone)

    def age(self, now: datetime) -> None:
        """Forget what has left the window's time."""
        since = now - self.within
        if self.points and self.points[0][AT] <= since:
            self.drop(bisect_left(self.points, (since + timedelta.resolution,)))

    def forget(self, event_id: str) -> None:
        gone = [point for point in self.points if point[EVENT_ID] == event_id]
        if gone:
            self.points = [point for point in self.points if point[EVENT_ID] != event_id]
            self.run = None
            self._without(gone)

    def _without(self, gone: Iterable[Point]) -> None:
        for point in gone:
            if self.millionths is not None:
                self.millionths -= round(point[VALUE] * MILLION)
            if self.most is not None:
                self.most = self.most.without(point[VALUE])
            if self.least is not None:
                self.least = self.least.without(point[VALUE])

    def max(self) -> float | None:
        if self.most is None and self.points:
            self.most = Peak.of(self.points, max(point[VALUE] for point in self.points))
        return self.most.value if self.most else None

    def min(self) -> float | None:
        if self.least is None and self.points:
            self.least = Peak.of(self.points, min(point[VALUE] for point in self.points))
        return self.least.value if self.least else None

    def streak(self) -> int:
        if self.run is None:
            self.run = sum(1 for _ in takewhile(_matched, reversed(self.points)))
        return self.run

    def mean(self) -> float | None:
        if not self.points:
            return None
        if self.millionths is None:
            self.millionths = sum(round(point[VALUE] * MILLION) for point in self.points)
        return self.millionths / MILLION / len(self.points)


Parts = dict[str, Part]


def definition(window: Window) -> str:
    """Windows that remember the same are one, whatever they are called or tell."""
    streak = window.figure is Figure.STREAK
    return "\x00".join(
        (
            *(window.kind, window.where, window.of, window.each, window.element, window.by),
            *(str(window.within.total_seconds()), str(streak)),
        )
    )


def begun(parts: Parts, name: str, within: timedelta) -> Part:
    """A part of which nothing is remembered yet."""
    if len(parts) >= MOST_PARTS:
        _make_room(parts)
    part = parts[name] = Part(within)
    return part


def _make_room(parts: Parts) -> None:
    def age(name: str) -> tuple[bool, tuple[object, ...], str]:
        points = parts[name].points
        return bool(points), points[-1] if points else (), name

    del parts[min(parts, key=age)]


def forget(parts: Parts, event_id: str) -> None:
    """As if the event had never been told."""
    for part in parts.values():
        part.forget(event_id)


def prune(parts: Parts, now: datetime) -> None:
    """Forget what no window will tell of any more."""
    for name, part in list(parts.items()):
        part.age(now)
        if not part.points:
            del parts[name]


def figure(window: Window, part: Part | None, now: datetime) -> float | None:
    """What a window tells, None when it has nothing to tell. Forgets what has grown too old."""
    if part is None:
        return 0 if window.figure in COUNTED else None
    part.age(now)
    return _FIGURES[window.figure](window, part, now)


def _since(_window: Window, part: Part, now: datetime) -> float | None:
    return max(0.0, (now - part.points[-1][AT]) / _HOUR) if part.points else None


def _change(window: Window, part: Part, now: datetime) -> float | None:
    middle = now - window.within / 2
    older = _mean([point[VALUE] for point in part.points if point[AT] <= middle])
    newer = _mean([point[VALUE] for point in part.points if point[AT] > middle])
    return None if older is None or newer is None else newer - older


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


_FIGURES: dict[Figure, Callable[[Window, Part, datetime], float | None]] = {
    Figure.COUNT: lambda _window, part, _now: len(part.points),
    Figure.STREAK: lambda _window, part, _now: part.streak(),
    Figure.SINCE: _since,
    Figure.CHANGE: _change,
    Figure.LAST: lambda _window, part, _now: part.points[-1][VALUE] if part.points else None,
    Figure.AVG: lambda _window, part, _now: part.mean(),
    Figure.MIN: lambda _window, part, _now: part.min(),
    Figure.MAX: lambda _window, part, _now: part.max(),
}
