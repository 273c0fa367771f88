"""Excursions of a signal: away from where it rested, and back.

A turn counts once the signal has come back from it by a share of what this person usually moves:
hysteresis whose thresholds follow the person. Where rest is may drift, for only the way from one
turning point to the next is looked at.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from enum import Enum
from statistics import median

SHARE = 0.42
"""Of the usual excursion, that a way must have to be one. 0.4 to 0.45 count equally well."""
REMEMBERED = 5
"""Excursions by which the usual one is told."""
EDGE = 0.1
"""Of an excursion: nearer to rest than that, it has not begun or is over."""
MARGIN_S = 0.4
"""Of rest, that belongs to it at either end."""
RISES = 0.15
"""Of an excursion, by which the signal rises again after it: the next one begins."""
STANDS_S = 0.4
"""After so long without coming nearer to rest an excursion is over."""
LONGEST_S = 60.0
"""Nothing that takes longer is one: the signal is where it is."""
LEFT_OPEN = 0.2
"""Of the way back, that the end of a recording must have seen."""


@dataclass(frozen=True)
class Excursion:
    """Times in seconds; `amplitude` is from rest before to the far end."""

    start_s: float
    far_s: float
    end_s: float
    amplitude: float


class _State(Enum):
    REST = 0
    AWAY = 1
    BACK = 2


class Turns:
    """`least` is an excursion that may be one before the person is known, in the signal's unit;
    `usual` tells it when the person is."""

    def __init__(self, least: float, usual: float | None = None) -> None:
        self._least = least
        self._amplitudes: deque[float] = deque([usual] if usual else (), maxlen=REMEMBERED)
        self.begin()

    def begin(self) -> None:
        """Forget where the signal was, and keep what is usual."""
        self._state = _State.REST
        self._path: list[tuple[float, float]] = []
        self._low = self._far = self._near = (0.0, 0.0)

    @property
    def usual(self) -> float | None:
        return median(self._amplitudes) if self._amplitudes else None

    @property
    def turn(self) -> float:
        """By how much the signal must turn."""
        return (
            max(self._least, SHARE * median(self._amplitudes)) if self._amplitudes else self._least
        )

    def push(self, at_s: float, value: float) -> Excursion | None:
        """The excursion that is known to be over with this."""
        point = (at_s, value)
        if not self._path:
            self._low = point
        self._path.append(point)
        if self._state is _State.REST:
            self._resting(point)
        elif self._state is _State.AWAY:
            self._away(point)
        else:
            return self._back(point)
        return None

    def finish(self) -> Excursion | None:
        """What the end of the recording completes."""
        if self._state is _State.BACK:
            return self._over()
        if self._state is _State.AWAY and self._path:
            at, value = min(self._path, key=lambda one: (one[0] < self._far[0], one[1]))
            if self._far[1] - value >= LEFT_OPEN * (self._far[1] - self._low[1]):
                self._near = (at, value)
                return self._over()
        return None

    def _resting(self, point: tuple[float, float]) -> None:
        if point[1] <= self._low[1]:
            self._low = point
            del self._path[:-1]
        elif point[1] - self._low[1] > self.turn:
            self._state, self._far = _State.AWAY, point
        elif point[0] - self._low[0] > LONGEST_S:
            self._low = min(self._path[1:], key=lambda one: one[1])
            self._path = [one for one in self._path if one[0] >= self._low[0]]

    def _away(self, point: tuple[float, float]) -> None:
        if point[1] >= self._far[1]:
            self._far = point
        elif self._far[1] - point[1] > self.turn:
            self._state, self._near = _State.BACK, point
        if point[0] - self._low[0] > LONGEST_S:
            self.begin()

    def _back(self, point: tuple[float, float]) -> Excursion | None:
        amplitude = self._far[1] - self._low[1]
        if point[1] <= self._near[1]:
            self._near = point
        rises = point[1] - self._near[1] > min(RISES * amplitude, self.turn)
        stands = point[0] - self._near[0] > STANDS_S
        return self._over() if rises or stands else None

    def _over(self) -> Excursion:
        amplitude = self._far[1] - self._low[1]
        found = Excursion(self._started(amplitude), self._far[0], self._ended(), amplitude)
        self._amplitudes.append(amplitude)
        self._state, self._low = _State.REST, self._near
        self._path = [one for one in self._path if one[0] >= self._near[0]]
        self._resting_again()
        return found

    def _started(self, amplitude: float) -> float:
        """When it was last at rest."""
        edge = self._low[1] + EDGE * amplitude
        rested = [at for at, value in self._path if value <= edge and at <= self._far[0]]
        return max(self._low[0], (rested[-1] if rested else self._low[0]) - MARGIN_S)

    def _ended(self) -> float:
        """When it was at rest again."""
        edge = self._near[1] + EDGE * (self._far[1] - self._near[1])
        rests = (at for at, value in self._path if at > self._far[0] and value <= edge)
        return min(self._near[0], next(rests, self._near[0]) + MARGIN_S)

    def _resting_again(self) -> None:
        """What was seen since may be the beginning of the next one."""
        path, self._path = self._path, []
        for point in path:
            self._path.append(point)
            if self._state is _State.REST:
                self._resting(point)
            else:
                self._away(point)
