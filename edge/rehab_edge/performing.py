"""One session from its first frame to its last: what is seen goes to whoever wants to know."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np

from rehab.events.v1.event_pb2 import Event
from rehab_edge.drift import Watch, sample
from rehab_edge.live import View
from rehab_edge.observed import Observed
from rehab_edge.report import Stage
from rehab_edge.scribe import GOOD_SCORE, Scribe
from rehab_edge.skeleton import Float32s, Floats, Pose
from rehab_edge.skeleton import Sequence as Frames

SET_PAUSE_S = 30.0
"""Without a repetition a set has ended."""
FIRST = 3
MOST_TRACED_S = 1800.0
"""Of the angles that are kept for a report; a longer session keeps its last part."""


@dataclass(frozen=True)
class Seen:
    """A repetition, and the frames it was seen in."""

    rep: Observed
    frames: Frames


@dataclass(frozen=True)
class Step:
    """What a frame brought: all angles in degrees, the share of the body that was seen, how long it
    took in microseconds, and repetitions that ended with it."""

    angles: Float32s
    seen: float
    took_us: float
    reps: Sequence[Seen] = ()


@dataclass(frozen=True)
class Sight:
    """What a report says of who looked: time by stage, what should be known, and by which models
    and versions."""

    stages: Sequence[Stage] = ()
    notes: Sequence[str] = ()
    made_by: str = ""


class Eyes(Protocol):
    """Counts, measures and scores."""

    def push(self, pose: Pose) -> Step: ...

    def finish(self) -> Sequence[Seen]:
        """Repetitions that the end of the session completes."""
        ...

    def sight(self) -> Sight: ...


@dataclass
class Trace:
    """The angles of a session, for its report."""

    t_s: list[float] = field(default_factory=list)
    angles: list[Float32s] = field(default_factory=list)
    cut: bool = False

    def add(self, t_s: float, angles: Float32s) -> None:
        self.t_s.append(t_s)
        self.angles.append(angles)
        if t_s - self.t_s[0] > MOST_TRACED_S:
            half = len(self.t_s) // 2
            del self.t_s[:half], self.angles[:half]
            self.cut = True


def _nobody(_: Event) -> None: ...


@dataclass
class Performance:
    """`keep` takes events, in order; `view` and `watch` are optional. With `coaching` the first
    fault of a repetition is said to the patient, and told as a cue."""

    eyes: Eyes
    scribe: Scribe | None = None
    keep: Callable[[Event], None] = _nobody
    watch: Watch | None = None
    view: View | None = None
    coaching: bool = False
    primary: int = 0
    reps: list[Observed] = field(default_factory=list)
    trace: Trace = field(default_factory=Trace)
    drifted: list[str] = field(default_factory=list)
    first: list[Seen] = field(default_factory=list)
    """The first few repetitions with their frames, for a baseline."""
    _first_ns: int | None = None
    _at_s: float = 0.0
    _in_set: int = 0
    _set_ended_s: float = 0.0

    @property
    def at_s(self) -> float:
        """Seconds after the first frame."""
        return self._at_s

    def frame(self, pose: Pose) -> Sequence[Observed]:
        """Repetitions that ended with it."""
        if self._first_ns is None:
            self._first_ns = pose.t_ns
            self._tell(self.scribe.started() if self.scribe else None)
        self._at_s = (pose.t_ns - self._first_ns) / 1e9
        step = self.eyes.push(pose)
        self.trace.add(self._at_s, step.angles)
        if self.view is not None:
            self.view.frame(self._at_s, float(step.angles[self.primary]), step.seen, step.took_us)
        return [self._repetition(one) for one in step.reps]

    def end(self) -> None:
        """The session ended as meant."""
        for one in self.eyes.finish():
            self._repetition(one)
        if self.scribe is not None and self._first_ns is not None:
            self._end_set()
            self._tell(self.scribe.completed(self._at_s))
        if self.watch is not None:
            self.watch.save()

    def _repetition(self, seen: Seen) -> Observed:
        if self._in_set and seen.rep.start_s - self._set_ended_s > SET_PAUSE_S:
            self._end_set()
        self._in_set += 1
        self._set_ended_s = seen.rep.end_s
        if len(self.first) < FIRST:
            self.first.append(seen)
        rep = replace(seen.rep, index=self._in_set)
        self.reps.append(replace(rep, index=len(self.reps) + 1))
        if self.view is not None:
            self.view.reps.append(self.reps[-1])
        if self.scribe is not None:
            event = self.scribe.rep(rep)
            self._tell(event)
            self._coach(rep, event)
        self._look_for_drift(seen, rep)
        return rep

    def _coach(self, rep: Observed, event: Event) -> None:
        poor = rep.score is not None and rep.score < GOOD_SCORE
        if self.scribe is not None and self.coaching and poor and rep.faults:
            cue = rep.faults[0]
            latency_ms = max(0, round(1000 * (self._at_s - rep.end_s)))
            self._tell(self.scribe.cue(rep, cue, event.envelope.event_id, latency_ms))
            if self.view is not None:
                self.view.note = cue.replace("_", " ")

    def _look_for_drift(self, seen: Seen, rep: Observed) -> None:
        if self.watch is None:
            return
        for finding in self.watch.push(sample(seen.frames, rep)):
            self.drifted.append(f"{finding.cause}: {finding.feature}")
            if self.scribe is not None:
                self._tell(self.scribe.drifted(finding, rep.model_id or "none", rep.end_s))

    def _end_set(self) -> None:
        if self.scribe is not None and self._in_set:
            for event in self.scribe.set_completed(self._set_ended_s):
                self._tell(event)
        self._in_set = 0

    def _tell(self, event: Event | None) -> None:
        if event is not None:
            self.keep(event)

    def traced(self) -> tuple[Floats, Float32s]:
        """Times [n] and angles [n, ANGLES]."""
        if not self.trace.angles:
            return np.empty(0), np.empty((0, 0), dtype=np.float32)
        return np.array(self.trace.t_s), np.stack(self.trace.angles)


def paced(pose_t_ns: int, first_ns: int, began: float, speed: float) -> None:
    """Wait until a recorded frame is due, `speed` times as fast as it was recorded."""
    due = began + (pose_t_ns - first_ns) / 1e9 / speed
    time.sleep(max(0.0, due - time.monotonic()))
