"""Tells the log of disclosures: before a resource leaves, and what the receiver answered."""

from __future__ import annotations

from collections.abc import Sequence

from rehab.events.v1.event_pb2 import Event
from rehab.eventstore.v1 import eventstore_service_pb2 as store
from rehab_runtime.errors import EventIdReused
from rehab_runtime.eventlog import EventLog
from rehab_runtime.logging import get_logger

log = get_logger("telling")


class Teller:
    def __init__(self, event_log: EventLog) -> None:
        self._log = event_log

    async def leaving(self, events: Sequence[Event], version: int) -> None:
        """All or none, and only while the stream ends at this version: nothing was told since, no
        withdrawal either. Raises VersionConflict, Erased, Unavailable."""
        request = _request(events)
        request.expected.exactly = version
        await self._log.append(request)

    async def answered(self, events: Sequence[Event]) -> None:
        """The same told again changes nothing. Raises Erased, Unavailable."""
        request = _request(events)
        request.expected.any.SetInParent()
        try:
            await self._log.append(request)
        except EventIdReused:
            log.error("an answer was told otherwise", event_id=events[0].envelope.event_id)


def _request(events: Sequence[Event]) -> store.AppendRequest:
    request = store.AppendRequest(stream=events[0].envelope.subject_id)
    for event in events:
        request.events.add(
            envelope=event.envelope, body=event.body.SerializeToString(deterministic=True)
        )
    return request
