"""Measured sets as events: who, when, what was prescribed, and what was seen.

The recordings have no dates. All correct takes lie on one day and all incorrect ones on the next,
so that daily figures tell them apart; in each, movements follow in their order, a quarter of an
hour apart. Ids come from the recorded frames and the day: the same recording on the same days makes
the same events.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from rehab.events.v1 import exercise_pb2 as pb
from rehab.events.v1.event_pb2 import Body, Event
from rehab_cli.clinic.ids import event_id
from rehab_cli.recorded.sets import MeasuredRep, RecordedSet
from rehab_edge.exercises import EXERCISES, Exercise, Out
from rehab_edge.sources.uiprmd import Take
from rehab_sdk import events
from rehab_sdk.events import Actor, Context, ProvenanceName, Source

CLINIC, THERAPIST, ZONE = "uiprmd", "uiprmd-desk", "UTC"
PLAN_VERSION = 1
SLOT, WINDOW_H = "08:00", 12
FIRST_SESSION = time(9, tzinfo=UTC)
APART = timedelta(minutes=15)
DAY_OF = {Take.CORRECT: 0, Take.INCORRECT: 1}
DAYS = len(DAY_OF)


@dataclass(frozen=True)
class Person:
    """Whoever the recordings know as a number. Nothing else is known of them here."""

    subject: int

    @property
    def id(self) -> str:
        return f"uiprmd-s{self.subject:02}"

    @property
    def consent_id(self) -> str:
        return f"consent-{self.id}"


@dataclass(frozen=True)
class Session:
    """One take of one movement, on the days that begin with `first_day`."""

    recorded: RecordedSet
    first_day: date

    @property
    def id(self) -> str:
        one = self.recorded
        return f"{Person(one.subject).id}-{one.movement.id}-{one.take}-{one.fingerprint}"

    @property
    def day(self) -> date:
        return day_of(self.recorded.take, self.first_day)

    @property
    def starts_at(self) -> datetime:
        turn = list(EXERCISES).index(self.recorded.movement.id)
        return datetime.combine(self.day, FIRST_SESSION) + turn * APART


def day_of(take: Take, first_day: date) -> date:
    return first_day + timedelta(days=DAY_OF[take])


class Scribe:
    """Makes one person's events."""

    def __init__(self, person: Person, first_day: date) -> None:
        self._person = person
        self._first_day = first_day
        self._morning = datetime.combine(first_day, time(6, tzinfo=UTC))
        clinician = Actor(THERAPIST, "therapist", "PT")
        self._desk = self._context(clinician, "clinician", Source("RehabTrack replay"))
        sensor = Source("RehabTrack replay", device_model="Microsoft Kinect")
        self._seen = self._context(Actor(person.id, "patient"), "import", sensor)

    def admission(self) -> list[Event]:
        """The log wants a consent before anything else; UI-PRMD is in the public domain."""
        person = self._person
        granted = events.consent_granted(person.consent_id, valid_from=self._morning)
        bodies = (granted, events.enrolled(ZONE), events.care_team(THERAPIST, primary=True))
        return [
            self._event(self._desk, f"admission:{number}", self._morning, body)
            for number, body in enumerate(bodies)
        ]

    def prescription(self, movement: Exercise) -> Event:
        """Once on each of the days, ten repetitions as in the recordings' protocol; free in side
        and tempo, for the protocol told neither."""
        when = events.schedule(SLOT, window_h=WINDOW_H)
        body = events.plan(
            self._plan_id(movement),
            [events.plan_item(movement.exercise_id, when, sets=1, reps=10)],
            effective_from=self._first_day,
            effective_until=self._first_day + timedelta(days=DAYS - 1),
            zone=ZONE,
        )
        return self._event(self._desk, f"plan:{movement.id}", self._morning, body)

    def session(self, session: Session) -> Iterator[Event]:
        """Started, every repetition as it ends, the set, completed."""
        one, at = session.recorded, session.starts_at
        occurrence = events.occurrence(self._plan_id(one.movement), PLAN_VERSION, session.day, SLOT)
        started = events.session_started(session.id, mode="camera", occurrence=occurrence)
        yield self._of(session, "started", at, started)
        start_ms = 0
        for index, rep in enumerate(one.reps, start=1):
            told = rep_message(index, start_ms, one.movement, rep)
            start_ms += told.duration_ms
            ended = at + timedelta(milliseconds=start_ms)
            body = events.reps_observed(session.id, one.movement.exercise_id, [told], side=one.side)
            yield self._of(session, f"rep:{index}", ended, body)
        ended = at + timedelta(milliseconds=start_ms)
        done = events.set_done(
            one.movement.exercise_id,
            reps=len(one.reps),
            side=one.side,
            duration_s=start_ms / 1000,
        )
        yield self._of(session, "set", ended, events.set_completed(session.id, done))
        completed = events.session_completed(session.id, start_ms / 1000)
        yield self._of(session, "completed", ended, completed)

    def _of(self, session: Session, what: str, at: datetime, body: Body) -> Event:
        event = self._event(self._seen, f"{session.id}:{what}", at, body)
        event.envelope.correlation_id = session.id
        event.envelope.plan_version = PLAN_VERSION
        return event

    def _event(self, context: Context, what: str, at: datetime, body: Body) -> Event:
        event = context.event(self._person.id, body, occurred_at=at)
        event.envelope.event_id = event_id(random.Random(f"{self._person.id}:{what}"), at)
        return event

    def _plan_id(self, movement: Exercise) -> str:
        return f"plan-{self._person.id}-{movement.id}"

    def _context(self, actor: Actor, provenance: ProvenanceName, source: Source) -> Context:
        return Context(
            clinic_id=CLINIC,
            actor=actor,
            consent_id=self._person.consent_id,
            zone=ZONE,
            provenance=provenance,
            source=source,
        )


def rep_message(index: int, start_ms: int, movement: Exercise, rep: MeasuredRep) -> pb.Rep:
    """Unscored: nobody rated these repetitions. Every frame of a recording has every joint."""
    primary = rep.primary
    return events.rep(
        index,
        unscored="no_model",
        start_ms=start_ms,
        duration_ms=round(1000 * primary.duration_s),
        phases_ms=phases_ms(movement, rep),
        rom_deg=round(primary.rom_deg, 2),
        peak_velocity_deg_s=round(primary.peak_velocity_deg_s, 1),
        symmetry_pct=None if rep.symmetry_pct is None else round(rep.symmetry_pct, 1),
        usable_frames_pct=100,
        joints=[
            events.joint(name, round(one.low_deg, 2), round(one.high_deg, 2))
            for name, one in rep.joints.items()
        ],
    )


def phases_ms(movement: Exercise, rep: MeasuredRep) -> list[int]:
    """Eccentric phase, pause, concentric phase, pause; together the repetition's duration. None
    where there was no movement, or weight does not tell the ways apart."""
    tempo = rep.primary.tempo
    if tempo is None or movement.out is Out.NEITHER:
        return []
    out, hold, back = (round(1000 * s) for s in (tempo.out_s, tempo.hold_s, tempo.back_s))
    rest = round(1000 * rep.primary.duration_s) - out - hold - back
    if rest < 0:  # three phases rounded up
        back, rest = back + rest, 0
    return [out, hold, back, rest] if movement.out is Out.ECCENTRIC else [back, rest, out, hold]
