"""What happens in a session, in the words of the exercise room. One set of verbs for the async and
the blocking session: they differ in what saying something gives back."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from rehab.events.v1 import exercise_pb2 as pb
from rehab.events.v1.event_pb2 import Body
from rehab_sdk import events
from rehab_sdk.clock import Clock
from rehab_sdk.errors import invalid
from rehab_sdk.events import PainPhaseName, SkipReason, UnscoredName
from rehab_sdk.events._fill import SeverityName, SideName

Sent = TypeVar("Sent")
GOOD_SCORE = 70
"""From this score on a repetition is good (the contract's SetCompleted.good_reps)."""


@dataclass
class RunningSet:
    index: int = 1
    reps: int = 0
    scored: int = 0
    good: int = 0
    began_s: float | None = None


@dataclass
class Script:
    """How far the session is: its time, and the running set of each exercise and side."""

    session_id: str
    exercise: str
    clock: Clock
    began_s: float = 0.0
    sets: dict[tuple[str, SideName], RunningSet] = field(default_factory=dict)

    def begin(self) -> None:
        self.began_s = self.clock.monotonic()

    @property
    def duration_s(self) -> float:
        return self.clock.monotonic() - self.began_s

    def exercise_or_own(self, exercise: str) -> str:
        if not exercise and not self.exercise:
            raise invalid("exercise", "required", "must be named here or for the session")
        return exercise or self.exercise

    def running(self, exercise: str, side: SideName) -> RunningSet:
        return self.sets.setdefault((self.exercise_or_own(exercise), side), RunningSet())


class SessionVerbs(ABC, Generic[Sent]):
    """`exercise` may be left out where the session was begun for one. Times are in seconds or
    milliseconds as the name says, angles in degrees, loads in kilograms."""

    def __init__(self, script: Script) -> None:
        self._script = script

    @property
    def session_id(self) -> str:
        return self._script.session_id

    @abstractmethod
    def log(self, body: Body) -> Sent:
        """Say anything else: an event of this patient with any body."""

    def rep(
        self,
        *,
        score: float | None = None,
        unscored: UnscoredName = "",
        exercise: str = "",
        side: SideName = "",
        duration_ms: int = 0,
        start_ms: int | None = None,
        phases_ms: Sequence[int] = (),
        rom_deg: float | None = None,
        peak_velocity_deg_s: float | None = None,
        smoothness: float | None = None,
        symmetry_pct: float | None = None,
        confidence: float = 0,
        usable_frames_pct: float = 0,
        compensations: Sequence[pb.Compensation] = (),
        joints: Sequence[pb.JointMotion] = (),
    ) -> Sent:
        """The next repetition of the running set. `score` from 0 to 100; without one `unscored`
        says why. It is taken to end now unless `start_ms` after the session's start is told."""
        running = self._script.running(exercise, side)
        now_ms = int(self._script.duration_s * 1000)
        seen = events.rep(
            running.reps + 1,
            score=score,
            unscored=unscored,
            start_ms=max(0, now_ms - duration_ms) if start_ms is None else start_ms,
            duration_ms=duration_ms,
            phases_ms=phases_ms,
            rom_deg=rom_deg,
            peak_velocity_deg_s=peak_velocity_deg_s,
            smoothness=smoothness,
            symmetry_pct=symmetry_pct,
            confidence=confidence,
            usable_frames_pct=usable_frames_pct,
            compensations=compensations,
            joints=joints,
        )
        return self.reps([seen], exercise=exercise, side=side)

    def reps(self, reps: Sequence[pb.Rep], *, exercise: str = "", side: SideName = "") -> Sent:
        """Repetitions of the running set, as made by events.rep; at most two seconds of them."""
        running = self._script.running(exercise, side)
        body = events.reps_observed(
            self.session_id,
            self._script.exercise_or_own(exercise),
            reps,
            set_index=running.index,
            side=side,
        )
        if running.began_s is None:
            running.began_s = self._script.clock.monotonic()
        running.reps += len(reps)
        running.scored += sum(rep.HasField("score") for rep in reps)
        running.good += sum(rep.HasField("score") and rep.score >= GOOD_SCORE for rep in reps)
        return self.log(body)

    def set_completed(
        self,
        *,
        exercise: str = "",
        side: SideName = "",
        reps: int | None = None,
        good_reps: int | None = None,
        hold_s: float = 0,
        duration_s: float | None = None,
        load_kg: float | None = None,
        rpe: float | None = None,
    ) -> Sent:
        """The running set ended, and the next begins. What is not told is what was seen of it."""
        name = self._script.exercise_or_own(exercise)
        running = self._script.running(exercise, side)
        seen_s = 0.0
        if running.began_s is not None:
            seen_s = self._script.clock.monotonic() - running.began_s
        done = events.set_done(
            name,
            set_index=running.index,
            side=side,
            reps=running.reps if reps is None else reps,
            good_reps=running.good if good_reps is None and running.scored else good_reps,
            hold_s=hold_s,
            duration_s=seen_s if duration_s is None else duration_s,
            load_kg=load_kg,
            rpe=rpe,
        )
        self._script.sets[name, side] = RunningSet(index=running.index + 1)
        return self.log(events.set_completed(self.session_id, done))

    def skip(self, reason: SkipReason, *, exercise: str = "") -> Sent:
        """An exercise of the plan is left out."""
        name = self._script.exercise_or_own(exercise)
        return self.log(events.exercise_skipped(self.session_id, name, reason))

    def pain(
        self,
        nprs: int,
        *,
        phase: PainPhaseName = "during",
        site: str = "",
        side: SideName = "",
        quality: str = "",
        exercise: str = "",
    ) -> Sent:
        """Pain on the numeric rating scale, 0 (none) to 10 (worst imaginable)."""
        report = events.pain(
            nprs,
            phase=phase,
            site=site,
            side=side,
            quality=quality,
            exercise=exercise,
            session_id=self.session_id,
        )
        return self.log(report)

    def exertion(self, cr10: float, *, exercise: str = "") -> Sent:
        """How hard it was on Borg's CR10 scale, 0 to 10."""
        return self.log(events.exertion(self.session_id, cr10, exercise=exercise))

    def difficulty(self, rating: int, *, exercise: str = "") -> Sent:
        """From 1 (too easy) to 5 (too hard)."""
        return self.log(events.difficulty(self.session_id, rating, exercise=exercise))

    def symptom(self, code: str = "", *, text: str = "", severity: SeverityName = "") -> Sent:
        """A symptom by its code, such as "dizziness"; one without a code goes before a person."""
        felt = events.symptom(code, text=text, severity=severity, session_id=self.session_id)
        return self.log(felt)

    def fall(self, *, near: bool = False, injury: bool = False, text: str = "") -> Sent:
        """A fall, or nearly one."""
        fell = events.fall(near=near, injury=injury, text=text, session_id=self.session_id)
        return self.log(fell)

    def cue(
        self,
        cue: str,
        *,
        exercise: str = "",
        latency_ms: int = 0,
        heeded: bool | None = None,
        rep_event_id: str = "",
    ) -> Sent:
        """Coaching that the device gave."""
        given = events.cue_given(
            self.session_id,
            cue,
            exercise=exercise,
            latency_ms=latency_ms,
            heeded=heeded,
            rep_event_id=rep_event_id,
        )
        return self.log(given)
