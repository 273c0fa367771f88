"""What comes out of a rule: a firing now, a timer for later."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from rehab_policy.domain.rules import ActionKind

FactValue = bool | int | float | str | None


class Outcome(StrEnum):
    """What is to be done about a firing."""

    DECIDED = "decided"
    ESCALATED = "escalated"
    SUPPRESSED = "suppressed"
    """A nudge that a rule wants and that is withheld: `Firing.reason` says why."""
    RECURRED = "recurred"
    """An alert's rule fires again while the alert is open: it is written down, and wakes nobody."""
    FOLLOWED = "followed"
    """A nudge of a trial, sent or withheld, after which a session was begun: it is counted."""


@dataclass(frozen=True, slots=True)
class Firing:
    """One decision of one rule about one patient, as of `at`. Equal inputs make equal firings."""

    rule_id: str
    rule_version: int
    book_version: int
    clinic_id: str
    patient_id: str
    therapist_id: str
    """Who leads the care, empty while nobody does."""
    at: datetime
    """The log's clock at the event, or the timer's due time."""
    action: ActionKind
    outcome: Outcome
    key: str
    firing_id: str
    """UUIDv7-shaped, from rule, patient, key and cause alone: it is the event's id, too."""
    alert_id: str
    """Of an alert; the same for its escalations, and for what recurs while it is open. A nudge's id
    for a nudge."""
    message_key: str
    texts: Mapping[str, str]
    """By language, rendered."""
    language: str
    severity: int = 0
    emergency: bool = False
    shadow: bool = False
    reason: str = ""
    channel: str = ""
    deadline: datetime | None = None
    level: int = 0
    times: int = 1
    """How often the rule fired for the alert by now."""
    to: str = ""
    cue: str = ""
    stop: bool = False
    group: str = ""
    also: tuple[str, ...] = ()
    """Rules of the same group that the same cause made fire, and that this alert stands for."""
    cause_id: str = ""
    """Event that made it fire; empty when a timer did."""
    cause_occurred_at: datetime | None = None
    input_event_ids: tuple[str, ...] = ()
    session_id: str = ""
    exercise_id: str = ""
    consent_id: str = ""
    episode_id: str = ""
    zone: str = ""
    trial: str = ""
    """Of a nudge, with the patient's arm in it."""
    arm: str = ""
    until: datetime | None = None
    """A session that is begun by then follows it."""
    facts: Mapping[str, FactValue] = field(default_factory=dict)
    """Every figure and limit that the condition names, with its value."""

    @property
    def text(self) -> str:
        """In the patient's language, or else in the first there is."""
        return self.texts.get(self.language) or next(iter(self.texts.values()), "")


class TimerKind(StrEnum):
    DAILY = "daily"
    ABSENCE = "absence"
    ESCALATION = "escalation"
    DEFERRED = "deferred"


class Timer(NamedTuple):
    """A rule of one patient wants to be asked again, as of `due_at`. Sooner ones are less."""

    due_at: datetime
    patient_id: str
    kind: TimerKind
    rule_id: str
    key: str = ""


@dataclass(frozen=True, slots=True)
class Failure:
    """A rule or window that could not be evaluated. `what` names no value of the patient's."""

    name: str
    what: str
