"""Counts repetitions frame by frame, by the movement alone.

The signal is the exercise's path, both sides together: whoever changes sides is counted as well,
and which side worked is told afterwards by where it moved more.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from rehab_edge import angles
from rehab_edge.exercises import Exercise, Path
from rehab_edge.segment.turns import Excursion, Turns
from rehab_edge.signal.median import RunningMedian
from rehab_edge.signal.one_euro import OneEuro
from rehab_edge.skeleton import Float32s, Pose, Sequence

SHORTEST_S = 0.4
"""What is over sooner is a jump of the tracker, not a repetition."""
HELD_S = 2.0
"""For so long a side that is not seen counts as where it was."""
KEPT_S = 90.0
"""Of frames, so that a repetition can be cut from them."""
DELAY_S = 0.1
"""By which the smoothed signal is late."""
TURN = 360.0


@dataclass(frozen=True)
class Repetition:
    """`frames` are those between start and end, as the sensor saw them; `number` counts from 1."""

    number: int
    start_s: float
    end_s: float
    frames: Sequence
    amplitude: float


class Counter:
    """`usual_deg` is how far this person usually moves, both sides together, when that is known."""

    def __init__(self, exercise: Exercise, usual_deg: float | None = None) -> None:
        self._signal = _Signal(exercise.path)
        self._turns = Turns(exercise.path.least_deg, usual_deg)
        self._median, self._filter = RunningMedian(), OneEuro()
        self._times: list[float] = []
        self._frames: list[Pose] = []
        self._count = 0
        self.angles: Float32s = np.full(angles.ANGLES, np.nan, dtype=np.float32)
        """Of the last frame, smoothed."""

    @property
    def usual_deg(self) -> float | None:
        return self._turns.usual

    def push(self, pose: Pose) -> Repetition | None:
        """The repetition that is known to be over with this frame. A frame that is not later than
        the last one is left out."""
        at_s = pose.t_ns / 1e9
        if self._times and at_s <= self._times[-1]:
            return None
        self._keep(at_s, pose)
        placed = self._filter.push(at_s, self._median.push(at_s, pose.xyz))
        self.angles = angles.of_positions(placed)
        value = self._signal.push(at_s, self.angles)
        if np.isnan(value):
            self._turns.begin()
            return None
        return self._repetition(self._turns.push(at_s, value))

    def finish(self) -> Repetition | None:
        """What the end of the recording completes."""
        return self._repetition(self._turns.finish())

    def _keep(self, at_s: float, pose: Pose) -> None:
        self._times.append(at_s)
        self._frames.append(pose)
        if at_s - self._times[0] > 2 * KEPT_S:
            old = int(np.searchsorted(self._times, at_s - KEPT_S))
            del self._times[:old], self._frames[:old]

    def _repetition(self, found: Excursion | None) -> Repetition | None:
        if found is None or found.end_s - found.start_s < SHORTEST_S:
            return None
        start_s, end_s = found.start_s - DELAY_S, found.end_s - DELAY_S
        first = int(np.searchsorted(self._times, start_s))
        last = int(np.searchsorted(self._times, end_s, side="right"))
        self._count += 1
        frames = self._frames[first:last]
        cut = Sequence(
            np.array(self._times[first:last]),
            np.stack([one.xyz for one in frames]),
            np.stack([one.visibility for one in frames]),
        )
        return Repetition(self._count, cut.t_s[0], cut.t_s[-1], cut, found.amplitude)


class _Signal:
    """Both sides of the path together, going on past 180 degrees; NaN while neither is known. A
    side that is not seen for a while stays where it was, and then counts no more."""

    def __init__(self, path: Path) -> None:
        self._columns = [angles.AT[f"{path.angle}_{side}"] for side in "lr"]
        self._away = path.away
        self._held = np.full(2, np.nan)
        self._seen_s = np.full(2, -np.inf)

    def push(self, at_s: float, found: Float32s) -> float:
        now = found[self._columns].astype(np.float64)
        seen = np.isfinite(now)
        lost = at_s - self._seen_s > HELD_S
        if (lost & np.isfinite(self._held)).any():
            self._held[lost] = np.nan
            if not seen.any():
                return np.nan
        if seen.any():
            turned = np.where(np.isfinite(self._held), np.round((self._held - now) / TURN), 0)
            self._held = np.where(seen, now + TURN * np.nan_to_num(turned), self._held)
            self._seen_s[seen] = at_s
        known = self._held[np.isfinite(self._held)]
        return float(self._away * known.sum()) if len(known) else np.nan


def segment(of: Sequence, exercise: Exercise, usual_deg: float | None = None) -> list[Repetition]:
    """All repetitions, as they would have been told live."""
    counter = Counter(exercise, usual_deg)
    return [one for one in _all(counter, of) if one is not None]


def _all(counter: Counter, of: Sequence) -> Iterator[Repetition | None]:
    for frame in range(len(of)):
        yield counter.push(of.pose(frame))
    yield counter.finish()
