"""The engine: a patient's events in, decisions out. Pure; now is the log's clock."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

from google.protobuf.message import DecodeError
from rehab_clinical.facts import Fact, fact_of, moment

from rehab.events.v1 import event_pb2
from rehab.events.v1.event_pb2 import RecordedEvent
from rehab_policy.domain.activity import active_from
from rehab_policy.domain.cel import Cel
from rehab_policy.domain.deciding import decide, decide_emergencies, rests
from rehab_policy.domain.escalating import escalate
from rehab_policy.domain.expressions import Language
from rehab_policy.domain.firing import Failure, Firing, Timer, TimerKind
from rehab_policy.domain.folding import NOTHING_SEEN, Opened, Seen, fold, together
from rehab_policy.domain.holdout import followed
from rehab_policy.domain.limits import InForce
from rehab_policy.domain.moment import (
    Moment,
    Ready,
    holding,
    moment_of_event,
    moment_of_timer,
)
from rehab_policy.domain.programs import Asking, Programs, points_of
from rehab_policy.domain.rules import RuleSet
from rehab_policy.domain.scopes import ENVELOPE, LIMIT
from rehab_policy.domain.state import NEVER, PatientState
from rehab_policy.domain.timing import ground, timers_of, without_first
from rehab_policy.domain.windows import seen_in

MOST_TIMERS_AT_ONCE = 100_000
FAR = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Live:
    """A rule book that decides from `since` on, until the next one does."""

    since: datetime
    rules: RuleSet


class Step(NamedTuple):
    """What one event or timer did.

    `state` is the state that was handed in, moved on in place: a state belongs to whoever steps it.
    After a failure outside, drop it and fold the log again.
    """

    state: PatientState
    firings: tuple[Firing, ...]
    ready: Ready | None

    @property
    def timers(self) -> tuple[Timer, ...]:
        """Everything that is now due in future for this patient, soonest first. Reckoned when it is
        asked for: ask before the state is stepped again."""
        return timers_of(self.state, self.ready)


class Engine:
    """Decides by rule books. A book that is handed in alone decides from the beginning of time;
    with `Live` ones, what was recorded before the first is folded and nothing is decided.

    `failures` tells what could not be evaluated; each kind of failure once, with its count.
    """

    def __init__(self, rules: RuleSet | Sequence[Live], language: Language | None = None) -> None:
        language = language or Cel()
        live = [Live(NEVER, rules)] if isinstance(rules, RuleSet) else list(rules)
        self._ready = [_ready(one, language) for one in sorted(live, key=lambda one: one.since)]
        self._since = [ready.since for ready in self._ready]
        self._points = points_of([ready.rules for ready in self._ready], language)
        self._by_book = {ready.rules.sha256: ready for ready in self._ready}
        self._failures: dict[Failure, int] = {}

    def start(self, patient_id: str) -> PatientState:
        """A patient of whom nothing is known."""
        return PatientState(patient_id)

    def step(self, state: PatientState, event: RecordedEvent) -> Step:
        """Fold the next event of the patient's stream (its body in the clear), and decide.

        First the timers that were due before the event was recorded, each as of its due time, then
        the event. An event whose stream_version was folded already changes nothing.
        """
        envelope = event.envelope
        if 0 < envelope.stream_version <= state.stream_version:
            return self._step(state, [])
        state.clinic_id = state.clinic_id or envelope.clinic_id
        at = _recorded_at(envelope)
        firings = self._due_by(state, at)
        state.now = max(state.now, at)
        state.stream_version = envelope.stream_version
        fact = _opened(event)
        if fact is not None:
            firings += self._event(state, Opened(fact, event))
        return self._step(state, firings)

    def due(self, state: PatientState, timer: Timer) -> Step:
        """Fire one timer as of its due time; one that is not due any more does nothing."""
        if timer in timers_of(state, self._at(max(state.now, timer.due_at))):
            return self._step(state, self._fire(state, timer))
        return self._step(state, [])

    def until(self, state: PatientState, instant: datetime) -> Step:
        """Fire every timer that is due by then, in order: what a ticker calls, and what brings a
        refolded state to where the ticker had been."""
        return self._step(state, self._due_by(state, instant))

    def limits_of(self, state: PatientState) -> Mapping[str, float]:
        """Limits in force for the patient: the plan's, else the patient's, the clinic's, the
        book's. Empty while no book decides."""
        ready = self._at(state.now)
        return ready.in_force.of(state, state.today)[0] if ready else {}

    def emergencies(
        self, event: RecordedEvent, limits: Mapping[str, float] | None = None
    ) -> tuple[Firing, ...]:
        """What emergency rules make of an event alone, ahead of any backlog: `step` makes the same
        events with the same ids later. Without limits those of the book, clinic and patient count.
        """
        envelope = event.envelope
        at = _recorded_at(envelope)
        ready = self._at(at)
        asking = ready.programs.emergency.get(envelope.kind) if ready else None
        fact = _opened(event) if asking else None
        if ready is None or asking is None or fact is None:
            return ()
        clinic_id, patient_id = envelope.clinic_id, envelope.subject_id
        told = ready.in_force.values(clinic_id, patient_id, limits or {})
        values = {
            **asking.others,
            LIMIT: ready.in_force.message(told),
            ENVELOPE: fact.envelope,
            fact.kind: getattr(fact.body, fact.kind),
        }
        bound = asking.scope.bind(values)
        now = Moment(ready, at, fact, values, bound, quiet=False, cause_id=fact.stamp.event_id)
        return decide_emergencies(clinic_id, patient_id, holding(asking, bound, self._failed), now)

    def failures(self) -> Mapping[Failure, int]:
        """Each rule or window that failed, in each way, with how often it did."""
        return dict(self._failures)

    def _event(self, state: PatientState, opened: Opened) -> list[Firing]:
        kind = opened.fact.kind
        seen = self._seen(state, opened.fact)
        try:
            told = fold(state, opened, seen)
        except (ValueError, OverflowError):
            # a day or time that does not exist: the rest of the stream is folded all the same
            self._failed(f"event.{kind}", "cannot be folded")
            return []
        if not told:
            return []
        found = followed(state, opened.fact)
        ready = self._at(state.now)
        asking = ready.programs.on.get(kind) if ready else None
        if ready is None or asking is None or state.erased:
            return found
        now = moment_of_event(state, ready, asking, opened.fact, seen.parts)
        return found + self._decided(state, asking, now)

    def _seen(self, state: PatientState, fact: Fact) -> Seen:
        every = self._points.get(fact.kind)
        if not every or fact.stamp.event_id in state.void:
            return NOTHING_SEEN
        found = []
        for of_kind in every:
            in_force = self._by_book[of_kind.book.sha256].in_force
            limits = in_force.of(state, state.today)[1]
            found.append(seen_in(fact, of_kind, limits, self._failed))
        return found[0] if len(found) == 1 else together(found)

    def _decided(self, state: PatientState, asking: Asking, now: Moment) -> list[Firing]:
        held = holding(asking, now.bound, self._failed)
        return list(decide(state, held, now, self._failed)) if held else []

    def _due_by(self, state: PatientState, instant: datetime) -> list[Firing]:
        firings: list[Firing] = []
        known: tuple[Timer, ...] | None = None
        for _ in range(MOST_TIMERS_AT_ONCE):
            if instant < state.next_due:
                break
            ready = self._at(state.now)
            timers = timers_of(state, ready) if known is None else known
            turn = self._next_turn(state.now)
            due = timers[0].due_at if timers else FAR
            if min(due, turn) > instant:
                state.next_due = min(due, turn)
                break
            if turn <= due:
                state.now = max(state.now, turn)  # another book decides from here on
                known = None
            else:
                before = ground(state, ready)
                told = self._fire(state, timers[0])
                firings += told
                ready = self._at(state.now)
                same = not told and ground(state, ready) == before
                known = without_first(timers, state, ready) if same else None
        return firings

    def _fire(self, state: PatientState, timer: Timer) -> list[Firing]:
        state.now = max(state.now, timer.due_at)
        state.next_due = NEVER
        ready = self._at(state.now)
        if ready is None:
            return []
        if timer.kind is TimerKind.ESCALATION:
            return escalate(state, ready, timer.key)
        if timer.kind is TimerKind.DEFERRED:
            return self._deferred(state, ready, timer)
        state.asked[timer.rule_id] = timer.due_at
        asking = ready.programs.timed[timer.rule_id]
        active = active_from(state)
        if active is None or active > state.now or rests(state, asking.rules[0], ready):
            return []
        return self._decided(state, asking, moment_of_timer(state, ready, asking, _cause(timer)))

    def _deferred(self, state: PatientState, ready: Ready, timer: Timer) -> list[Firing]:
        waiting = state.deferred.pop((timer.rule_id, timer.key))
        if not waiting.event:
            asking = ready.programs.timed.get(timer.rule_id)
            if asking is None:
                return []
            now = moment_of_timer(state, ready, asking, _cause(timer))
            return self._decided(state, asking, now)
        asking = ready.programs.deferred.get(timer.rule_id)
        event = event_pb2.Event.FromString(waiting.event)
        if asking is None or event.envelope.event_id in state.void:
            return []
        recorded = RecordedEvent(
            envelope=event.envelope, body=event.body.SerializeToString(deterministic=True)
        )
        fact = fact_of(recorded)
        parts = self._seen(state, fact).parts
        now = moment_of_event(state, ready, asking, fact, parts)
        return self._decided(state, asking, now)

    def _at(self, instant: datetime) -> Ready | None:
        """The book that decides then."""
        place = bisect_right(self._since, instant)
        return self._ready[place - 1] if place else None

    def _next_turn(self, instant: datetime) -> datetime:
        place = bisect_right(self._since, instant)
        return self._since[place] if place < len(self._since) else FAR

    def _step(self, state: PatientState, firings: list[Firing]) -> Step:
        return Step(state, tuple(firings), self._at(state.now))

    def _failed(self, name: str, what: str) -> None:
        failure = Failure(name, what)
        self._failures[failure] = self._failures.get(failure, 0) + 1


def _ready(live: Live, language: Language) -> Ready:
    programs = Programs(live.rules, language)
    in_force = InForce(live.rules, programs.scopes.limit_shape)
    return Ready(live.since, live.rules, programs, in_force)


def _opened(event: RecordedEvent) -> Fact | None:
    """The event with its body; None when it was erased, is sealed, or is of no known kind."""
    if event.erased or event.key_id or not event.body:
        return None
    try:
        fact = fact_of(event)
    except (DecodeError, ValueError, OverflowError):
        return None  # no Body, or a time outside the calendar
    kind = fact.body.WhichOneof("kind")
    if kind is None:
        return None
    return fact if kind == fact.kind else fact._replace(kind=kind)


def _recorded_at(envelope: event_pb2.Envelope) -> datetime:
    return moment(
        envelope.recorded_at if envelope.HasField("recorded_at") else envelope.occurred_at
    )


def _cause(timer: Timer) -> str:
    return f"{timer.kind.value}:{timer.due_at.isoformat()}"
