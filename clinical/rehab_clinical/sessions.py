"""What is known of sessions and their sets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import NamedTuple

from rehab.events.v1 import exercise_pb2
from rehab_clinical.facts import Fact, Stamp, by_right_clock, moment


class OccurrenceRef(NamedTuple):
    """The due window a session was meant for."""

    plan_id: str
    local_date: date
    slot: str


class SetKey(NamedTuple):
    exercise_id: str
    side: int
    set_index: int


@dataclass(frozen=True, slots=True)
class Start:
    """A start as observed or as told afterwards; `at` is when the session began."""

    stamp: Stamp
    at: datetime
    zone: str
    mode: int
    ref: OccurrenceRef | None


@dataclass(frozen=True, slots=True)
class End:
    stamp: Stamp
    status: str
    duration_s: float


class ToldSet(NamedTuple):
    """A set's own summary. Times in milliseconds."""

    stamp: Stamp
    reps: int
    good_reps: int | None
    hold_ms: int
    active_ms: int


class SetRecord(NamedTuple):
    """What is known of one set: its summary, and its repetitions by index.

    `seen` is the earliest observation of it, with the zone it was made in.
    """

    told: ToldSet | None
    seen: Stamp | None
    seen_zone: str
    reps: Mapping[int, exercise_pb2.Rep]


@dataclass(frozen=True)
class SessionRecord:
    """What is known of one session. `first` is its earliest event, with that event's zone."""

    session_id: str
    first: Stamp
    first_zone: str = ""
    started: Start | None = None
    self_reported: Start | None = None
    ended: End | None = None
    sets: Mapping[SetKey, SetRecord] = field(default_factory=dict)

    @property
    def start(self) -> Start | None:
        return self.started or self.self_reported

    @property
    def started_at(self) -> datetime:
        return self.start.at if self.start else self.first.at

    @property
    def zone(self) -> str:
        return self.start.zone if self.start else self.first_zone

    @property
    def status(self) -> str:
        if self.ended:
            return self.ended.status
        return "self_reported" if self.self_reported else "open"

    @property
    def duration_s(self) -> float | None:
        """From the session's end, or summed over the sets of a self-report; None while open."""
        if self.ended:
            return self.ended.duration_s
        if self.self_reported:
            told = sum(one.told.active_ms for one in self.sets.values() if one.told)
            return told / 1000 if told else None
        return None


def session_id_of(fact: Fact) -> str:
    """The session that an event of kind exercise_session or rep_observation belongs to."""
    session_id: str = getattr(fact.body, fact.kind).session_id
    return session_id


def active_at(fact: Fact) -> datetime:
    """When an event of kind exercise_session or rep_observation says that the patient exercised."""
    session = fact.body.exercise_session
    if fact.kind == "exercise_session" and session.HasField("self_reported"):
        # the phone made an instant of what its user chose, by its own clock
        return by_right_clock(moment(session.self_reported.started_at), fact.envelope)
    return fact.stamp.at
