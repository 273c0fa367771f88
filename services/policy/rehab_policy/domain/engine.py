"""The engine: a patient's events in, decisions out. Pure; now is the log's clock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from rehab.events.v1.event_pb2 import RecordedEvent
from rehab_policy.domain.firing import Failure, Firing, Timer
from rehab_policy.domain.rules import RuleSet

if TYPE_CHECKING:
    from rehab_policy.domain.state import PatientState


@dataclass(frozen=True, slots=True)
class Live:
    """A rule book that decides from `since` on, until the next one does."""

    since: datetime
    rules: RuleSet


@dataclass(frozen=True)
class Step:
    """What one event or timer did.

    `state` is the state that was handed in, moved on in place: a state belongs to whoever steps it.
    After a failure outside, drop it and fold the log again.
    """

    state: PatientState
    firings: tuple[Firing, ...]
    timers: tuple[Timer, ...]
    """Everything that is now due in future for this patient, soonest first."""


class Engine:
    """Decides by rule books. A book that is handed in alone decides from the beginning of time;
    with `Live` ones, what was recorded before the first is folded and nothing is decided.

    `failures` counts what could not be evaluated, by rule; each kind of failure is told once.
    """

    def __init__(self, rules: RuleSet | Sequence[Live]) -> None: ...

    def start(self, patient_id: str) -> PatientState:
        """A patient of whom nothing is known."""
        raise NotImplementedError

    def step(self, state: PatientState, event: RecordedEvent) -> Step:
        """Fold the next event of the patient's stream (its body in the clear), and decide.

        First the timers that were due before the event was recorded, each as of its due time, then
        the event. An event whose stream_version was folded already changes nothing.
        """
        raise NotImplementedError

    def due(self, state: PatientState, timer: Timer) -> Step:
        """Fire one timer as of its due time; one that is not due any more does nothing."""
        raise NotImplementedError

    def until(self, state: PatientState, instant: datetime) -> Step:
        """Fire every timer that is due by then, in order: what a ticker calls, and what brings a
        refolded state to where the ticker had been."""
        raise NotImplementedError

    def limits_of(self, state: PatientState) -> Mapping[str, float]:
        """Limits in force for the patient: the plan's, else the patient's, the clinic's, the
        book's."""
        raise NotImplementedError

    def emergencies(self, event: RecordedEvent, limits: Mapping[str, float]) -> tuple[Firing, ...]:
        """What emergency rules make of an event alone, ahead of any backlog: `step` makes the same
        firings with the same ids later. Empty limits mean the book's own."""
        raise NotImplementedError

    def failures(self) -> Sequence[Failure]:
        """Each rule or window that failed, once for each way."""
        raise NotImplementedError
