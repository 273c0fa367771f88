"""What rules would have done: two rule sets over the whole history, side by side."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import AsyncGenerator, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from rehab.events.v1.event_pb2 import RecordedEvent
from rehab.policy.v1 import rule_service_pb2 as pb
from rehab_policy.books import Track
from rehab_policy.domain.engine import Engine
from rehab_policy.domain.firing import Firing, Outcome
from rehab_policy.domain.rules import ActionKind, RuleSet
from rehab_policy.states import Known, stepped
from rehab_policy.telling import moment
from rehab_runtime.access.streams import is_audit
from rehab_runtime.clock import EPOCH
from rehab_runtime.errors import Overloaded
from rehab_runtime.eventlog import EventLog, Head

SLICES = 1024
RUN = 64
"""Slices folded at once: their patients are held in memory."""
EVENTS_BETWEEN = 10
"""The live fold has its turn after so many: patients wait for their cues."""
MOST_PATIENTS = 1000


@dataclass(frozen=True)
class Asked:
    baseline: RuleSet
    candidate: RuleSet
    clinic_id: str = ""
    since: datetime | None = None


@dataclass
class _Side:
    """What one rule set does. Firings are known by their ids."""

    engine: Engine
    fired: dict[str, tuple[str, str]] = field(default_factory=dict)
    alerts: dict[str, str] = field(default_factory=dict)
    days: dict[str, Counter[date]] = field(default_factory=lambda: defaultdict(Counter))

    def add(self, firings: Iterable[Firing], since: datetime | None) -> None:
        for one in firings:
            if one.outcome is not Outcome.DECIDED or (since is not None and one.at < since):
                continue
            self.fired[one.firing_id] = one.rule_id, one.action.value
            if one.action is ActionKind.ALERT:
                self.alerts[one.alert_id] = one.patient_id
                self.days[one.therapist_id][one.at.date()] += 1


class Backtesting:
    """One at a time: it is as much work as folding the log."""

    def __init__(self, event_log: EventLog, events_at_once: int) -> None:
        self._log = event_log
        self._events_at_once = events_at_once
        self._busy = asyncio.Lock()

    async def run(self, asked: Asked) -> AsyncGenerator[pb.BacktestResponse, None]:
        """Progress, and the result at last. Raises Overloaded while another one runs, and what
        reading the log raises."""
        if self._busy.locked():
            raise Overloaded("another backtest runs", retry_after_s=10)
        async with self._busy:
            test = _Test(asked)
            heads = await self._log.heads()
            total = sum(head.position for head in heads)
            for shard, head in enumerate(heads):
                for first in range(0, SLICES, RUN):
                    slices = range(first, first + RUN)
                    async for events in self._pages(shard, head, slices):
                        await test.fold(events)
                        progress = pb.BacktestProgress(folded=test.events, total=total)
                        yield pb.BacktestResponse(progress=progress)
                    test.end_of_patients()
            yield pb.BacktestResponse(result=test.result())

    async def _pages(
        self, shard: int, head: Head, slices: Sequence[int]
    ) -> AsyncGenerator[Sequence[RecordedEvent], None]:
        after = 0
        while after < head.position:
            events, _ = await self._log.read_all(
                after,
                self._events_at_once,
                until=head.position,
                incarnation=head.incarnation,
                shard=shard,
                slices=slices,
            )
            if not events:
                return
            after = events[-1].envelope.position
            yield events


class _Test:
    def __init__(self, asked: Asked) -> None:
        self.events = 0
        self.patients = 0
        self._asked = asked
        self._sides = _Side(Engine(asked.baseline)), _Side(Engine(asked.candidate))
        tracks = [Track(0, side.engine, EPOCH, EPOCH) for side in self._sides]
        self._tracks = list(zip(self._sides, tracks, strict=True))
        self._known: dict[str, list[Known]] = {}
        self._days: set[date] = set()
        self._last: datetime | None = None

    async def fold(self, events: Sequence[RecordedEvent]) -> None:
        for number, event in enumerate(events, 1):
            self.events += 1
            envelope = event.envelope
            wanted = self._asked.clinic_id in ("", envelope.clinic_id)
            if wanted and envelope.subject_id and not is_audit(envelope.subject_id):
                self._fold_one(event)
            if number % EVENTS_BETWEEN == 0:
                await asyncio.sleep(0)

    def _fold_one(self, event: RecordedEvent) -> None:
        patient_id, at = event.envelope.subject_id, moment(event.envelope.recorded_at)
        if patient_id not in self._known:
            starts = [side.engine.start(patient_id) for side in self._sides]
            self._known[patient_id] = [Known(state) for state in starts]
            self.patients += 1
        if self._asked.since is None or at >= self._asked.since:
            self._days.add(at.date())
        self._last = max(at, self._last or at)
        for (side, track), known in zip(self._tracks, self._known[patient_id], strict=True):
            step = stepped(track, known, event)
            if step is not None:
                side.add(step.firings, self._asked.since)

    def end_of_patients(self) -> None:
        """Time goes on after a patient's last event, as far as the log's."""
        for knowns in self._known.values():
            for (side, track), known in zip(self._tracks, knowns, strict=True):
                if self._last is not None:
                    later = track.engine.until(known.state, self._last)
                    side.add(later.firings, self._asked.since)
        self._known.clear()

    def result(self) -> pb.BacktestResult:
        before, after = self._sides
        return pb.BacktestResult(
            events=self.events,
            patients=self.patients,
            rules=_rules(before, after),
            patients_changed=_patients(before, after),
            therapists=_therapists(before, after, max(1, len(self._days))),
        )


def _rules(before: _Side, after: _Side) -> list[pb.RuleDifference]:
    names = sorted({*before.fired.values(), *after.fired.values()})
    counts = [Counter(side.fired.values()) for side in (before, after)]
    added = Counter(after.fired[one] for one in after.fired.keys() - before.fired.keys())
    removed = Counter(before.fired[one] for one in before.fired.keys() - after.fired.keys())
    return [
        pb.RuleDifference(
            rule_id=name[0],
            action=name[1],
            baseline=counts[0][name],
            candidate=counts[1][name],
            added=added[name],
            removed=removed[name],
        )
        for name in names
    ]


def _patients(before: _Side, after: _Side) -> list[pb.PatientDifference]:
    added = Counter(after.alerts[one] for one in after.alerts.keys() - before.alerts.keys())
    removed = Counter(before.alerts[one] for one in before.alerts.keys() - after.alerts.keys())
    changed = sorted({*added, *removed}, key=lambda one: (-added[one] - removed[one], one))
    return [
        pb.PatientDifference(patient_id=one, added=added[one], removed=removed[one])
        for one in changed[:MOST_PATIENTS]
    ]


def _therapists(before: _Side, after: _Side, days: int) -> list[pb.TherapistAlertLoad]:
    return [
        pb.TherapistAlertLoad(
            therapist_id=one,
            baseline_per_day=before.days[one].total() / days,
            candidate_per_day=after.days[one].total() / days,
            candidate_most=max(after.days[one].values(), default=0),
        )
        for one in sorted({*before.days, *after.days})
    ]
