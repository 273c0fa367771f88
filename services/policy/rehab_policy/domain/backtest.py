"""A changed rule book over the past: how many firings more and fewer, for whom, and what load."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime

from rehab_clinical.days import first_zone, local_date
from rehab_clinical.facts import moment

from rehab.events.v1 import common_pb2
from rehab.events.v1.event_pb2 import RecordedEvent
from rehab_policy.domain.engine import Engine, Step
from rehab_policy.domain.firing import Firing, Outcome
from rehab_policy.domain.rules import ActionKind, RuleSet
from rehab_policy.domain.state import PatientState

MOST_EXAMPLES = 20
NOBODY = ""
_COUNTS = ("before", "after", "more", "fewer", "merged")

Streams = Iterable[tuple[str, Iterable[RecordedEvent]]]
Moved = Callable[[int, int], None]
"""Takes how many patients and how many events are done."""
Stepping = Callable[[Engine, PatientState, RecordedEvent], Step | None]
"""Folds an event; None when it cannot be."""


@dataclass(frozen=True, slots=True)
class Example:
    """A firing that only one of the books has."""

    rule_id: str
    patient_id: str
    at: datetime


@dataclass
class Difference:
    """Of one rule, or of the alerts of one patient. `more` are those that only the new book has."""

    before: int = 0
    after: int = 0
    more: int = 0
    fewer: int = 0
    merged: int = 0
    """In the new book into alerts that are open, beside those that fire."""


@dataclass(frozen=True, slots=True)
class Load:
    """Alerts that a therapist gets a day, over the days from the first event to the last, as they
    are where the patients are. `low` ones can wait: of low severity."""

    therapist_id: str
    alerts: int
    low: int
    mean_per_day: float
    most_in_a_day: int


@dataclass
class Arm:
    """Of a trial: nudges that are sent, or withheld, and how many of them a session follows; the
    same of each patient's first one."""

    firings: int = 0
    followed: int = 0
    patients: int = 0
    patients_followed: int = 0


@dataclass
class Backtest:
    """Of two books over the same streams."""

    patients: int = 0
    events: int = 0
    days: int = 0
    rules: dict[tuple[str, str], Difference] = field(default_factory=dict)
    """By rule and action."""
    by_patient: dict[str, Difference] = field(default_factory=dict)
    more: list[Example] = field(default_factory=list)
    fewer: list[Example] = field(default_factory=list)
    load_before: tuple[Load, ...] = ()
    load_after: tuple[Load, ...] = ()
    trials: dict[tuple[str, str], Arm] = field(default_factory=dict)
    """Of the new book, by trial and arm. What followed is what happened under the old one."""
    failures: tuple[str, ...] = ()
    """Rules and windows of the new book that could not be evaluated, with how often."""

    @property
    def total(self) -> Difference:
        every = self.rules.values()
        return Difference(*(sum(getattr(d, name) for d in every) for name in _COUNTS))


def backtest(
    old: RuleSet,
    new: RuleSet,
    streams: Streams,
    *,
    until: datetime | None = None,
    moved: Moved | None = None,
) -> Backtest:
    """Fold whole streams by both books. `until` lets timers fire that are due after the last
    event."""
    comparison = Comparison(old, new)
    for _, stream in streams:
        for event in stream:
            comparison.fold(event)
        comparison.end_of_patients(until)
        if moved is not None:
            moved(comparison.patients, comparison.events)
    return comparison.result()


class Comparison:
    """Two books as if each had always been live. Rules in shadow count as live ones: to know what
    they would do is what this is for. What is done before `since` is folded and not counted.

    Patients are held until `end_of_patients`: tell it when no more events of theirs come.
    """

    def __init__(
        self,
        old: RuleSet,
        new: RuleSet,
        *,
        since: datetime | None = None,
        stepping: Stepping = Engine.step,
    ) -> None:
        self.patients = 0
        self.events = 0
        self.last: datetime | None = None
        """When the newest event was recorded."""
        self._engines = Engine(old), Engine(new)
        self._since = since
        self._stepping = stepping
        self._held: dict[str, tuple[_Fold, _Fold]] = {}
        self._told = Backtest()
        self._loads = _Loads(), _Loads()
        self._first_day, self._last_day = date.max, date.min

    def fold(self, event: RecordedEvent) -> None:
        """The next event of its patient. Raises ValueError for a time that does not exist."""
        patient_id, at = event.envelope.subject_id, moment(event.envelope.recorded_at)
        held = self._held.get(patient_id)
        if held is None:
            old, new = (_Fold(engine, engine.start(patient_id)) for engine in self._engines)
            held = self._held[patient_id] = old, new
            self.patients += 1
        self.events += 1
        self.last = at if self.last is None else max(self.last, at)
        for one in held:
            step = self._stepping(one.engine, one.state, event)
            if step is not None:
                one.add(step.firings, self._since)
        if self._since is None or at >= self._since:
            day = local_date(at, held[0].state.zone)
            self._first_day, self._last_day = min(self._first_day, day), max(self._last_day, day)

    def end_of_patients(self, until: datetime | None = None) -> None:
        """Time goes on after a patient's last event."""
        for patient_id, held in self._held.items():
            for one, load in zip(held, self._loads, strict=True):
                if until is not None:
                    one.add(one.engine.until(one.state, until).firings, self._since)
                load.add(one.fired.values())
            _compare(self._told, patient_id, *(one.fired for one in held))
            _count_arms(self._told, held[1])
            for firing in held[1].merged.values():
                for one_of in _differences(self._told, firing):
                    one_of.merged += 1
        self._held.clear()

    def result(self) -> Backtest:
        told = self._told
        told.patients, told.events = self.patients, self.events
        told.days = max(0, (self._last_day - self._first_day).days + 1)
        told.load_before, told.load_after = (load.told(told.days) for load in self._loads)
        failures = sorted(
            self._engines[1].failures().items(), key=lambda one: (one[0].name, one[0].what)
        )
        told.failures = tuple(
            f"{failure.name}: {failure.what} ({count} times)" for failure, count in failures
        )
        return told


@dataclass
class _Fold:
    """Of a patient by one book. What it decides is known by its ids; what only follows from a
    firing, or was withheld, is counted of trials alone."""

    engine: Engine
    state: PatientState
    fired: dict[str, Firing] = field(default_factory=dict)
    trialled: dict[str, Firing] = field(default_factory=dict)
    followed: set[str] = field(default_factory=set)
    merged: dict[str, Firing] = field(default_factory=dict)

    def add(self, firings: Iterable[Firing], since: datetime | None) -> None:
        for one in firings:
            if since is not None and one.at < since:
                continue
            if one.outcome is Outcome.DECIDED:
                self.fired[one.firing_id] = one
            if one.outcome is Outcome.RECURRED:
                self.merged[one.firing_id] = one
            if one.outcome is Outcome.FOLLOWED:
                self.followed.add(one.firing_id)
            elif one.trial:
                self.trialled[one.firing_id] = one


def _compare(
    told: Backtest, patient_id: str, old: dict[str, Firing], new: dict[str, Firing]
) -> None:
    for firing in old.values():
        gone = firing.firing_id not in new
        for one in _differences(told, firing):
            one.before += 1
            one.fewer += gone
        if gone and len(told.fewer) < MOST_EXAMPLES:
            told.fewer.append(Example(firing.rule_id, patient_id, firing.at))
    for firing in new.values():
        fresh = firing.firing_id not in old
        for one in _differences(told, firing):
            one.after += 1
            one.more += fresh
        if fresh and len(told.more) < MOST_EXAMPLES:
            told.more.append(Example(firing.rule_id, patient_id, firing.at))


def _count_arms(told: Backtest, fold: _Fold) -> None:
    seen: set[tuple[str, str]] = set()
    for firing in sorted(fold.trialled.values(), key=lambda one: (one.at, one.firing_id)):
        of = firing.trial, firing.arm
        arm = told.trials.setdefault(of, Arm())
        did = firing.firing_id in fold.followed
        arm.firings += 1
        arm.followed += did
        if of not in seen:
            seen.add(of)
            arm.patients += 1
            arm.patients_followed += did


def _differences(told: Backtest, firing: Firing) -> Iterable[Difference]:
    yield told.rules.setdefault((firing.rule_id, firing.action.value), Difference())
    if firing.action is ActionKind.ALERT:
        yield told.by_patient.setdefault(firing.patient_id, Difference())


class _Loads:
    def __init__(self) -> None:
        self._by_day: dict[str, Counter[date]] = {}
        self._low: Counter[str] = Counter()

    def add(self, firings: Iterable[Firing]) -> None:
        for firing in firings:
            if firing.action is ActionKind.ALERT:
                therapist = firing.therapist_id or NOBODY
                day = local_date(firing.at, first_zone(firing.zone))
                self._by_day.setdefault(therapist, Counter())[day] += 1
                self._low[therapist] += firing.severity <= common_pb2.SEVERITY_LOW

    def told(self, days: int) -> tuple[Load, ...]:
        return tuple(
            Load(
                therapist,
                counts.total(),
                self._low[therapist],
                counts.total() / max(1, days),
                max(counts.values()),
            )
            for therapist, counts in sorted(self._by_day.items())
        )
