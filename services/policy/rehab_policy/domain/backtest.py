"""A changed rule book over the past: how many firings more and fewer, for whom, and what load."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from statistics import fmean

from rehab_clinical.days import first_zone, local_date

from rehab.events.v1.event_pb2 import RecordedEvent
from rehab_policy.domain.engine import Engine
from rehab_policy.domain.firing import Firing, Outcome
from rehab_policy.domain.rules import ActionKind, RuleSet

MOST_EXAMPLES = 20
NOBODY = ""

Streams = Iterable[tuple[str, Iterable[RecordedEvent]]]
Moved = Callable[[int, int], None]
"""Takes how many patients and how many events are done."""


@dataclass(frozen=True, slots=True)
class Example:
    """A firing that only one of the books has."""

    rule_id: str
    patient_id: str
    at: datetime


@dataclass
class Difference:
    """Of one rule, or of one patient. `more` are firings that only the new book has."""

    before: int = 0
    after: int = 0
    more: int = 0
    fewer: int = 0


@dataclass(frozen=True, slots=True)
class Load:
    """Alerts that a therapist gets a day, over the days from the first event to the last. `low`
    ones can wait: of low severity."""

    therapist_id: str
    alerts: int
    low: int
    mean_per_day: float
    most_in_a_day: int


@dataclass
class Backtest:
    """Of two books over the same streams."""

    patients: int = 0
    events: int = 0
    days: int = 0
    rules: dict[str, Difference] = field(default_factory=dict)
    by_patient: dict[str, Difference] = field(default_factory=dict)
    more: list[Example] = field(default_factory=list)
    fewer: list[Example] = field(default_factory=list)
    load_before: tuple[Load, ...] = ()
    load_after: tuple[Load, ...] = ()
    failures: tuple[str, ...] = ()
    """Rules and windows of the new book that could not be evaluated, with how often."""

    @property
    def total(self) -> Difference:
        every = self.rules.values()
        return Difference(
            *(sum(getattr(d, name) for d in every) for name in ("before", "after", "more", "fewer"))
        )


def backtest(
    old: RuleSet,
    new: RuleSet,
    streams: Streams,
    *,
    until: datetime | None = None,
    moved: Moved | None = None,
) -> Backtest:
    """Fold every stream by both books, as if each had always been live. Rules in shadow count as
    live ones: to know what they would do is what this is for. `until` lets timers fire that are due
    after the last event.
    """
    engines = Engine(old), Engine(new)
    told = Backtest()
    loads = _Loads(), _Loads()
    for patient_id, stream in streams:
        events = list(stream)
        found = [_firings(engine, patient_id, events, until) for engine in engines]
        for load, firings in zip(loads, found, strict=True):
            load.add(events, firings)
        _compare(told, patient_id, *found)
        told.patients += 1
        told.events += len(events)
        if moved is not None:
            moved(told.patients, told.events)
    told.days = loads[0].days
    told.load_before, told.load_after = loads[0].told(), loads[1].told()
    told.failures = tuple(
        f"{failure.name}: {failure.what} ({count} times)"
        for failure, count in sorted(
            engines[1].failures().items(), key=lambda one: (one[0].name, one[0].what)
        )
    )
    return told


def _firings(
    engine: Engine, patient_id: str, events: Iterable[RecordedEvent], until: datetime | None
) -> dict[str, Firing]:
    state = engine.start(patient_id)
    found = [firing for event in events for firing in engine.step(state, event).firings]
    if until is not None:
        found += engine.until(state, until).firings
    return {firing.firing_id: firing for firing in found}


def _compare(
    told: Backtest, patient_id: str, old: dict[str, Firing], new: dict[str, Firing]
) -> None:
    of_patient = told.by_patient.setdefault(patient_id, Difference())
    for firing in old.values():
        of_rule = told.rules.setdefault(firing.rule_id, Difference())
        gone = firing.firing_id not in new
        for one in (of_rule, of_patient):
            one.before += 1
            one.fewer += gone
        if gone and len(told.fewer) < MOST_EXAMPLES:
            told.fewer.append(Example(firing.rule_id, patient_id, firing.at))
    for firing in new.values():
        of_rule = told.rules.setdefault(firing.rule_id, Difference())
        fresh = firing.firing_id not in old
        for one in (of_rule, of_patient):
            one.after += 1
            one.more += fresh
        if fresh and len(told.more) < MOST_EXAMPLES:
            told.more.append(Example(firing.rule_id, patient_id, firing.at))


class _Loads:
    def __init__(self) -> None:
        self._by_day: Counter[tuple[str, date]] = Counter()
        self._low: Counter[str] = Counter()
        self._first: datetime | None = None
        self._last: datetime | None = None

    def add(self, events: Iterable[RecordedEvent], firings: dict[str, Firing]) -> None:
        for event in events:
            at = event.envelope.recorded_at.ToDatetime()
            self._first = at if self._first is None else min(self._first, at)
            self._last = at if self._last is None else max(self._last, at)
        for firing in firings.values():
            if firing.action is ActionKind.ALERT and firing.outcome is Outcome.DECIDED:
                day = local_date(firing.at, first_zone(firing.zone))
                self._by_day[firing.therapist_id or NOBODY, day] += 1
                self._low[firing.therapist_id or NOBODY] += firing.severity <= 1

    @property
    def days(self) -> int:
        if self._first is None or self._last is None:
            return 0
        return (self._last - self._first).days + 1

    def told(self) -> tuple[Load, ...]:
        therapists: dict[str, list[int]] = {}
        for (therapist, _), count in self._by_day.items():
            therapists.setdefault(therapist, []).append(count)
        return tuple(
            Load(
                therapist,
                sum(counts),
                self._low[therapist],
                fmean([*counts, *[0] * (self.days - len(counts))]),
                max(counts),
            )
            for therapist, counts in sorted(therapists.items())
        )
