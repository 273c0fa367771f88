"""What is known of patients: folds of their streams, kept in memory, made again from the log when
they are not. Nothing of it is stored."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field

from google.protobuf.message import DecodeError
from rehab_clinical.facts import fact_of

from rehab.events.v1.event_pb2 import RecordedEvent
from rehab_emr import metrics
from rehab_emr.domain.history import History
from rehab_emr.domain.keys import ResourceKey
from rehab_emr.domain.sharing import Sharing
from rehab_runtime.eventlog import EventLog
from rehab_runtime.logging import get_logger

EVENTS_BETWEEN = 50
"""So many are folded before others get their turn."""

log = get_logger("patients")


@dataclass
class Patient:
    """The fold of a patient's stream up to a version. `touched` has the version and position of the
    last event that touched a resource, those touched last at its end."""

    patient_id: str
    clinic_id: str = ""
    version: int = 0
    history: History = field(default_factory=History.empty)
    sharing: Sharing = field(default_factory=Sharing)
    touched: dict[ResourceKey, tuple[int, int]] = field(default_factory=dict)
    plans: dict[str, int] = field(default_factory=dict)
    """The newest version of each plan."""


class Patients:
    """At most `most` are kept, those used last."""

    def __init__(self, event_log: EventLog, most: int) -> None:
        self._log = event_log
        self._most = most
        self._known: OrderedDict[str, Patient] = OrderedDict()
        self._turns: dict[str, tuple[asyncio.Lock, int]] = {}

    @asynccontextmanager
    async def as_of_now(self, patient_id: str, *, fine: bool = False) -> AsyncIterator[Patient]:
        """Folded to the end of the stream, and nobody else folds on while it is looked at. `fine`
        tells of each reading: once somebody asked for that, it is there for all. Raises what the
        log answers."""
        async with self._turn(patient_id):
            known = self._known.pop(patient_id, None)
            if known is None or (fine and not known.history.fine):
                known = Patient(patient_id, history=History.empty(fine=fine))
            # a fold that fails in the middle is not kept
            await self._fold_on(known)
            self._known[patient_id] = known
            while len(self._known) > self._most:
                self._known.popitem(last=False)
            yield known

    def forget(self, patient_ids: list[str]) -> None:
        for one in patient_ids:
            self._known.pop(one, None)

    def clear(self) -> None:
        """The log is another one, or what was folded of it may be."""
        self._known.clear()

    @asynccontextmanager
    async def _turn(self, patient_id: str) -> AsyncIterator[None]:
        lock, waiting = self._turns.get(patient_id, (asyncio.Lock(), 0))
        self._turns[patient_id] = lock, waiting + 1
        try:
            async with lock:
                yield
        finally:
            lock, waiting = self._turns.pop(patient_id)
            if waiting > 1:
                self._turns[patient_id] = lock, waiting - 1

    async def _fold_on(self, known: Patient) -> None:
        count = 0
        pages = self._log.pages_of(known.patient_id, after_version=known.version)
        async with aclosing(pages):
            async for page in pages:
                for event in page:
                    stepped(known, event)
                    count += 1
                    if count % EVENTS_BETWEEN == 0:
                        await asyncio.sleep(0)
        metrics.folded.inc(count)


def stepped(known: Patient, event: RecordedEvent) -> None:
    """Fold the next event of the stream. One that cannot be read, or cannot be, tells nothing: the
    same happens wherever it is folded."""
    envelope = event.envelope
    known.version = envelope.stream_version
    known.clinic_id = known.clinic_id or envelope.clinic_id
    if event.key_id:
        known.sharing.closed(envelope)
        return
    try:
        fact = fact_of(event)
        known.sharing.step(fact)
        if fact.kind == "plan":
            told = fact.body.plan
            known.plans[told.plan_id] = max(known.plans.get(told.plan_id, 0), told.version)
        keys = known.history.step(fact)
    except (ValueError, DecodeError) as error:
        metrics.failures.labels("event").inc()
        log.warning(
            "an event tells nothing that could be shared",
            error_type=type(error).__name__,
            event_id=envelope.event_id,
            kind=envelope.kind,
        )
        return
    if known.history.erased:
        known.sharing.erase()
    for key in keys:
        known.touched.pop(key, None)
        known.touched[key] = envelope.stream_version, envelope.position
