"""Repetitions by the path of one angle: two thresholds, both of the person's own range."""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass

LEAVES, REACHES = 0.25, 0.5
"""Shares of the range at which a repetition is under way, and that it has to reach."""
HOME, TURNS = 0.05, 0.08
"""Shares of the range: so near to rest it has come back, or risen so much it is the next one."""
SETTLES_S = 0.5
"""After which a repetition that does not come all the way back has ended."""
FORGETS = 0.3
"""How much of what it knew of the range a repetition replaces: a tracker's leap is not for ever."""
LEAST_RANGE_DEG = 20.0
TURN_DEG = 360.0
LEAST_S, MOST_S = 0.5, 20.0


class Phase(enum.Enum):
    REST = "rest"
    OUT = "out"
    COMING_HOME = "coming home"


@dataclass
class Hysteresis:
    """Thresholds follow what the person does: their own rest, their own range, and to which side of
    rest they move."""

    rest: float = math.nan
    last: float = math.nan
    direction: int = 0
    low: float = 0.0
    high: float = 0.0
    phase: Phase = Phase.REST
    reached: bool = False
    peak: float = 0.0
    """Farthest from rest in the running repetition."""
    began_s: float = 0.0
    bottom: float = math.inf
    """Nearest to rest since the last repetition, or on the way home, and when."""
    bottom_s: float = 0.0
    below_s: float = 0.0
    """When it came below LEAVES on the way home."""

    @property
    def span(self) -> float:
        return self.high - self.low

    def push(self, t_s: float, value: float) -> tuple[float, float] | None:
        """Begin and end, in seconds, of a repetition that is known to have ended with it."""
        if math.isnan(value):
            return None
        away = self._away(value)
        share = (away - self.low) / max(self.span, LEAST_RANGE_DEG)
        if self.phase is Phase.REST:
            self._resting(t_s, away, share)
        elif self.phase is Phase.OUT:
            self._out(t_s, away, share)
        else:
            return self._coming_home(t_s, away, share)
        return None

    def finish(self) -> tuple[float, float] | None:
        """What was on its way home when the recording ended."""
        return self._ended() if self.phase is Phase.COMING_HOME else None

    def _away(self, value: float) -> float:
        if math.isnan(self.rest):
            self.rest = self.last = value
        value += TURN_DEG * round((self.last - value) / TURN_DEG)  # beyond 180 it goes on
        self.last = value
        away = value - self.rest
        if not self.direction and abs(away) > LEAST_RANGE_DEG / 2:
            self.direction = 1 if away > 0 else -1
            if away < 0:  # what was the low end so far is the high one
                self.low, self.high = -self.high, -self.low
        away *= self.direction or 1
        self.low, self.high = min(self.low, away), max(self.high, away)
        return away

    def _resting(self, t_s: float, away: float, share: float) -> None:
        if away < self.bottom or share <= HOME:
            self.bottom, self.bottom_s = away, t_s
        if share > LEAVES:
            self.phase, self.reached, self.peak = Phase.OUT, share > REACHES, away
            self.began_s = self.bottom_s

    def _out(self, t_s: float, away: float, share: float) -> None:
        self.peak = max(self.peak, away)
        self.reached = self.reached or share > REACHES
        if share <= LEAVES:
            self.phase = Phase.COMING_HOME
            self.bottom, self.bottom_s, self.below_s = away, t_s, t_s

    def _coming_home(self, t_s: float, away: float, share: float) -> tuple[float, float] | None:
        if away < self.bottom:
            self.bottom, self.bottom_s = away, t_s
        risen = (away - self.bottom) / max(self.span, LEAST_RANGE_DEG)
        if share <= HOME or risen > TURNS or t_s - self.below_s > SETTLES_S:
            return self._ended()
        return None

    def _ended(self) -> tuple[float, float] | None:
        self.phase = Phase.REST
        began_s, ended_s = self.began_s, self.bottom_s
        self.high += FORGETS * (self.peak - self.high)
        good = self.reached and LEAST_S <= ended_s - began_s <= MOST_S
        return (began_s, ended_s) if good else None
