"""What rules would have done: two rule sets over the whole history, side by side."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from datetime import datetime

from rehab.events.v1.event_pb2 import RecordedEvent
from rehab.policy.v1 import rule_service_pb2 as pb
from rehab_policy.domain.backtest import Backtest, Comparison
from rehab_policy.domain.rules import RuleSet
from rehab_policy.messages import arm_message
from rehab_policy.states import step_or_tell
from rehab_runtime.access.streams import is_audit
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
            test = Comparison(
                asked.baseline, asked.candidate, since=asked.since, stepping=step_or_tell
            )
            heads = await self._log.heads()
            total, folded = sum(head.position for head in heads), 0
            for shard, head in enumerate(heads):
                for first in range(0, SLICES, RUN):
                    slices = range(first, first + RUN)
                    async for events in self._pages(shard, head, slices):
                        await _fold(test, asked.clinic_id, events)
                        folded += len(events)
                        progress = pb.BacktestProgress(folded=folded, total=total)
                        yield pb.BacktestResponse(progress=progress)
                    test.end_of_patients(test.last)
            yield pb.BacktestResponse(result=_result(test.result()))

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


async def _fold(test: Comparison, clinic_id: str, events: Sequence[RecordedEvent]) -> None:
    for number, event in enumerate(events, 1):
        envelope = event.envelope
        wanted = clinic_id in ("", envelope.clinic_id)
        if wanted and envelope.subject_id and not is_audit(envelope.subject_id):
            test.fold(event)
        if number % EVENTS_BETWEEN == 0:
            await asyncio.sleep(0)


def _result(found: Backtest) -> pb.BacktestResult:
    return pb.BacktestResult(
        events=found.events,
        patients=found.patients,
        rules=[
            pb.RuleDifference(
                rule_id=rule_id,
                action=action,
                baseline=told.before,
                candidate=told.after,
                added=told.more,
                removed=told.fewer,
                merged=told.merged,
            )
            for (rule_id, action), told in sorted(found.rules.items())
        ],
        patients_changed=_patients(found),
        therapists=_therapists(found),
        trials=[
            arm_message(trial, arm, told)
            for (trial, arm), told in sorted(found.trials.items(), reverse=True)
        ],
    )


def _patients(found: Backtest) -> list[pb.PatientDifference]:
    changed = {name: told for name, told in found.by_patient.items() if told.more or told.fewer}
    most = sorted(changed, key=lambda one: (-changed[one].more - changed[one].fewer, one))
    return [
        pb.PatientDifference(patient_id=one, added=changed[one].more, removed=changed[one].fewer)
        for one in most[:MOST_PATIENTS]
    ]


def _therapists(found: Backtest) -> list[pb.TherapistAlertLoad]:
    before = {load.therapist_id: load for load in found.load_before}
    after = {load.therapist_id: load for load in found.load_after}
    return [
        pb.TherapistAlertLoad(
            therapist_id=one,
            baseline_per_day=before[one].mean_per_day if one in before else 0,
            candidate_per_day=after[one].mean_per_day if one in after else 0,
            candidate_most=after[one].most_in_a_day if one in after else 0,
        )
        for one in sorted({*before, *after})
    ]
