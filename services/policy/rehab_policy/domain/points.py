"""What windows remember: points of one kind of event, by the time they occurred, bounded."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from itertools import takewhile
from typing import NamedTuple

from rehab_policy.domain.rules import Figure, Window

MOST_POINTS = 1_000
MOST_PARTS = 64
_HOUR = timedelta(hours=1)


class Point(NamedTuple):
    """`matched` says that the window's `where` held; only a streak keeps those that did not."""

    at: datetime
    event_id: str
    place: int
    """Among the points of one event."""
    value: float
    matched: bool


Parts = dict[str, list[Point]]


def definition(window: Window) -> str:
    """Windows that remember the same are one, whatever they are called or tell."""
    streak = window.figure is Figure.STREAK
    return "\x00".join(
        (
            *(window.kind, window.where, window.of, window.each, window.element, window.by),
            *(str(window.within.total_seconds()), str(streak)),
        )
    )


def add(parts: Parts, part: str, points: Iterable[Point]) -> None:
    """In the order of their time, so that no order of arrival changes what is remembered."""
    if part not in parts and len(parts) >= MOST_PARTS:
        stalest = min(parts, key=lambda known: (parts[known][-1], known))
        del parts[stalest]
    known = parts.setdefault(part, [])
    for point in points:
        if not known or known[-1] <= point:
            known.append(point)
        else:
            insort(known, point)
    if len(known) > MOST_POINTS:
        del known[: len(known) - MOST_POINTS]


def forget(parts: Parts, event_id: str) -> None:
    """As if the event had never been told."""
    for part, points in list(parts.items()):
        rest = [point for point in points if point.event_id != event_id]
        if rest:
            parts[part] = rest
        else:
            del parts[part]


def figure(window: Window, points: list[Point], now: datetime) -> float | None:
    """What a window tells, None when it has nothing to tell. Forgets what has grown too old."""
    if points and points[0].at <= now - window.within:
        del points[: bisect_left(points, (now - window.within + timedelta.resolution,))]
    return _FIGURES[window.figure](window, points, now)


def _streak(_window: Window, points: list[Point], _now: datetime) -> float:
    return sum(1 for _ in takewhile(lambda point: point.matched, reversed(points)))


def _since(_window: Window, points: list[Point], now: datetime) -> float | None:
    return max(0.0, (now - points[-1].at) / _HOUR) if points else None


def _change_of(window: Window, points: list[Point], now: datetime) -> float | None:
    return _change(points, now - window.within / 2)


def _mean(points: Sequence[Point]) -> float | None:
    return sum(point.value for point in points) / len(points) if points else None


_FIGURES: dict[Figure, Callable[[Window, list[Point], datetime], float | None]] = {
    Figure.COUNT: lambda _window, points, _now: len(points),
    Figure.STREAK: _streak,
    Figure.SINCE: _since,
    Figure.CHANGE: _change_of,
    Figure.LAST: lambda _window, points, _now: points[-1].value if points else None,
    Figure.AVG: lambda _window, points, _now: _mean(points),
    Figure.MIN: lambda _window, points, _now: min((p.value for p in points), default=None),
    Figure.MAX: lambda _window, points, _now: max((p.value for p in points), default=None),
}


def _change(points: Sequence[Point], middle: datetime) -> float | None:
    older = _mean([point for point in points if point.at <= middle])
    newer = _mean([point for point in points if point.at > middle])
    return None if older is None or newer is None else newer - older
