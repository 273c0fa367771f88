"""Folds batches of the log into changes of the read models, patient by patient."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from rehab_clinical.facts import fact_of
from rehab_clinical.sessions import SessionRecord

from rehab.events.v1.event_pb2 import RecordedEvent
from rehab_projections.batch import FOLDED, Batch, parked_by
from rehab_projections.cache import Recent
from rehab_projections.changes import Changes, Parked
from rehab_projections.domain import care
from rehab_projections.domain.care import CareRecord
from rehab_projections.storage.write import SessionKey, Writer

AT_ONCE = 64
"""Events that are opened or folded in one go: reads wait a millisecond or two for it, not more."""
CACHED_PATIENTS = 4_000
CACHED_SESSIONS = 4_000
ReadStream = Callable[[str], Awaitable[list[RecordedEvent]]]


class Projector:
    """Keeps recently folded states in memory; they are what is stored, or they are cleared.

    `read_stream` gives a patient's stream from the log, for the rare patient that must be folded
    anew: after a correction, an erasure, or a release. Of `shards` projectors each keeps its part.
    """

    def __init__(self, writer: Writer, read_stream: ReadStream, shards: int = 1) -> None:
        self._writer = writer
        self._read_stream = read_stream
        self._cares: Recent[str, CareRecord] = Recent(CACHED_PATIENTS // shards + 1)
        self._sessions: Recent[SessionKey, SessionRecord] = Recent(CACHED_SESSIONS // shards + 1)

    def forget(self) -> None:
        """Drop what is in memory: it may not be what is stored."""
        self._cares.clear()
        self._sessions.clear()

    async def changes_of(self, batch: Sequence[RecordedEvent]) -> Changes:
        """What a contiguous batch changes. Nothing of it is remembered until `stored`."""
        relevant = [event for event in batch if event.envelope.kind in FOLDED and not event.erased]
        folding = Batch()
        for first in range(0, len(relevant), AT_ONCE):
            folding.open(relevant[first : first + AT_ONCE])
            await asyncio.sleep(0)
        await self._drop_held_back(folding)
        await self._load(folding)
        for number, (fact, event) in enumerate(folding.facts, 1):
            folding.fold(fact, event)
            if number % AT_ONCE == 0:
                await asyncio.sleep(0)
        last = batch[-1].envelope.position
        for patient_id in sorted(folding.afresh):
            await self._refold(folding, patient_id, last)
        return folding.changes()

    def stored(self, changes: Changes) -> None:
        """Remember the states of changes that were stored."""
        afresh = {patient for patient, change in changes.patients.items() if change.replaced}
        if afresh:
            self._cares.drop_if(lambda patient: patient in afresh)
            self._sessions.drop_if(lambda key: key[0] in afresh)
        for patient_id, change in changes.patients.items():
            if change.replaced:
                continue
            if change.care is not None:
                self._cares.put(patient_id, change.care)
            for session_id, session in change.sessions.items():
                self._sessions.put((patient_id, session_id), session.record)

    async def release(self, parked: Parked, position: int) -> Changes:
        """Fold a stream that was held back, up to a position; one that still fails stays parked."""
        folding = Batch()
        await self._refold(folding, parked.patient_id, position)
        released = () if folding.parked else (parked.patient_id,)
        return replace(folding.changes(), released=released)

    def parking(self, event: RecordedEvent, error: Exception) -> Changes:
        """Hold back the stream of an event that could be folded but not stored."""
        return Changes({}, (parked_by(event, error),))

    async def _drop_held_back(self, folding: Batch) -> None:
        if not folding.facts:
            return
        held, corrected = await self._writer.held_back(sorted(folding.patients))
        void: set[str] = set()
        if corrected:
            # of few patients: whose events they are need not be asked of all
            ids = [f.stamp.event_id for f, _ in folding.facts if f.patient_id in corrected]
            void = await self._writer.void(sorted(corrected), ids)
        folding.drop(held, void)

    async def _load(self, folding: Batch) -> None:
        """Bring the states that the batch builds on into it."""
        patients = sorted(folding.cared)
        folding.cares = {p: now for p in patients if (now := self._cares.get(p)) is not None}
        missing = [patient for patient in patients if patient not in folding.cares]
        if missing:
            for patient, events in (await self._writer.care_events(missing)).items():
                folding.cares[patient] = care.fold(fact_of(event) for event in events)
        keys = folding.session_keys
        known = {key: self._sessions.get(key) for key in keys}
        folding.sessions = {key: session for key, session in known.items() if session is not None}
        unknown = sorted(key for key in keys if key not in folding.sessions)
        if unknown:
            folding.sessions |= await self._writer.sessions(unknown)

    async def _refold(self, folding: Batch, patient_id: str, last: int) -> None:
        """Fold a patient's whole stream up to a position, and replace what was kept."""
        poison = folding.parked.get(patient_id)
        last = min(last, poison.position - 1) if poison else last
        stream = await self._read_stream(patient_id)
        skipped = await self._writer.skipped(patient_id)
        events = [
            event
            for event in stream
            if event.envelope.position <= last
            and event.envelope.kind in FOLDED
            and event.envelope.event_id not in skipped
        ]
        folding.replace(patient_id, events, last)
