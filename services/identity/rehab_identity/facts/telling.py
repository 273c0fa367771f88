"""Tells the log what a caller did, in the patient's stream, and waits until it is known here."""

from __future__ import annotations

import hashlib
import re
import uuid
from dataclasses import dataclass
from datetime import datetime

from rehab.events.v1 import event_pb2
from rehab.events.v1.event_pb2 import Body
from rehab.events.v1.kinds import KINDS, kind_of
from rehab.eventstore.v1 import eventstore_service_pb2 as store
from rehab_identity.domain.record import PatientRecord
from rehab_runtime.access.messages import role_number
from rehab_runtime.auth import current_principal
from rehab_runtime.clock import Clock, uuid7
from rehab_runtime.errors import EventIdReused
from rehab_runtime.eventlog import EventLog
from rehab_runtime.positions import Progress
from rehab_runtime.slices import shard_of

FOLD_TIMEOUT_S = 4.0
_PROVENANCE = {
    "patient": event_pb2.PROVENANCE_SELF_REPORT,
    "therapist": event_pb2.PROVENANCE_CLINICIAN,
}
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}")


def named_id(*parts: str) -> str:
    """The id of an event that must be told once: of the same name it is the same. It has the form
    of a UUID version 7, as event ids have, but tells no time."""
    digest = bytearray(hashlib.sha256("\0".join(parts).encode()).digest()[:16])
    digest[6] = digest[6] & 0x0F | 0x70
    digest[8] = digest[8] & 0x3F | 0x80
    return str(uuid.UUID(bytes=bytes(digest)))


@dataclass(frozen=True, slots=True)
class Place:
    shard: int
    position: int


class Teller:
    def __init__(self, event_log: EventLog, progress: Progress, clock: Clock) -> None:
        self._log = event_log
        self._progress = progress
        self._clock = clock

    def now(self) -> datetime:
        return self._clock.now()

    async def tell(
        self,
        patient: PatientRecord,
        body: Body,
        *,
        at: datetime,
        event_id: str = "",
        consent_id: str = "",
    ) -> Place:
        """Returns once it is known here. What a named event tells may have been told before, in
        other words: then that is known. Raises what the log answers, and Stale when it is told but
        not known in time: asked again, the caller finds it."""
        event = _event(patient, body, at, event_id, consent_id)
        request = store.AppendRequest(stream=patient.patient_id, events=[event])
        request.expected.any.SetInParent()
        try:
            appended = await self._log.append(request)
            place = Place(appended.shard, appended.last_position)
        except EventIdReused:
            if not event_id:
                raise
            place = await self._end(patient.patient_id)
        await self._progress.wait(place.shard, place.position, FOLD_TIMEOUT_S)
        return place

    async def _end(self, patient_id: str) -> Place:
        """Of the shard: what was told before lies before it."""
        shards = (await self._log.head()).shards
        shard = shard_of(patient_id, shards)
        return Place(shard, (await self._log.head(shard)).position)


def _event(
    patient: PatientRecord, body: Body, at: datetime, event_id: str, consent_id: str
) -> store.NewEvent:
    caller = current_principal()
    kind = kind_of(body)
    assert kind is not None, "a body tells something"
    event = store.NewEvent(body=body.SerializeToString(deterministic=True))
    envelope = event.envelope
    envelope.event_id = event_id or str(uuid7())
    envelope.clinic_id = patient.clinic_id
    envelope.subject_id = patient.patient_id
    envelope.kind = kind
    envelope.schema_version = KINDS[kind].schema_version
    envelope.occurred_at.FromDatetime(at)
    envelope.actor.id = caller.id if _ID.fullmatch(caller.id) else "unnamed"
    envelope.actor.role = role_number(caller.role)
    envelope.provenance = _PROVENANCE.get(caller.role, event_pb2.PROVENANCE_SYSTEM)
    envelope.phi = KINDS[kind].phi
    if KINDS[kind].phi:
        envelope.consent_id = consent_id
    return event
