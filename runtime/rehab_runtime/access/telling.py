"""Where the trail is kept: in audit streams of the log, one a shard and service, which nobody else
writes."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence

from rehab.events.v1 import event_pb2
from rehab.events.v1.admin_pb2 import Access
from rehab.events.v1.kinds import KINDS
from rehab.eventstore.v1 import eventstore_service_pb2 as pb
from rehab_runtime.access.streams import stream_of
from rehab_runtime.access.trail import Told
from rehab_runtime.clock import uuid7
from rehab_runtime.errors import Unavailable
from rehab_runtime.eventlog import EventLog

CLINIC = "rehab"
"""What is read of all clinics is told together: the events are of none, but the log's own."""
KIND = "access"
EVENTS_AT_ONCE = 1000
"""As rehab.eventstore.v1.AppendRequest says."""
TRIES = 2
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}")
_CLINIC = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


def access_event(stream: str, told: Told) -> pb.NewEvent:
    reading = told.reading
    access = Access(
        rpc=reading.rpc,
        allowed=reading.allowed,
        reason=reading.reason,
        purpose=reading.purpose,
        consent_id=reading.consent_id,
        subject_ids=told.subjects,
        clinic_id=reading.clinic_id if _CLINIC.fullmatch(reading.clinic_id) else "",
    )
    access.covered_until.FromDatetime(told.covered_until)
    body = event_pb2.Body(access=access)
    event = pb.NewEvent(body=body.SerializeToString(deterministic=True))
    envelope = event.envelope
    envelope.event_id = str(uuid7())
    envelope.clinic_id = CLINIC
    envelope.subject_id = stream
    envelope.kind = KIND
    envelope.schema_version = KINDS[KIND].schema_version
    envelope.occurred_at.FromDatetime(told.at)
    envelope.actor.id = reading.actor if _ID.fullmatch(reading.actor) else "unnamed"
    envelope.actor.role = event_pb2.Role.Value(f"ROLE_{reading.role.upper()}")
    envelope.provenance = event_pb2.PROVENANCE_SYSTEM
    return event


class AuditLog:
    """A service's own audit streams, written through the event store. `tell` is a Trail's."""

    def __init__(self, event_log: EventLog, service: str) -> None:
        self._log = event_log
        self._service = service
        self._shards = 0
        self._turn = itertools.count()

    async def tell(self, told: Sequence[Told]) -> None:
        """Raises what the log answers."""
        if not self._shards:
            self._shards = (await self._log.head()).shards
        # shard after shard, so that none bears it all
        shard = next(self._turn) % self._shards
        stream = stream_of(self._service, shard, self._shards)
        events = [access_event(stream, one) for one in told]
        for first in range(0, len(events), EVENTS_AT_ONCE):
            await self._append(stream, events[first : first + EVENTS_AT_ONCE])

    async def _append(self, stream: str, events: Sequence[pb.NewEvent]) -> None:
        request = pb.AppendRequest(stream=stream, events=events)
        request.expected.any.SetInParent()
        for left in reversed(range(TRIES)):
            try:
                await self._log.append(request)
            except Unavailable:
                # it may be written or not: the same ids are written once
                if not left:
                    raise
            else:
                return
