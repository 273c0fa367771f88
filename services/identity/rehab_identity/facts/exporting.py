"""Everything that is held of a patient, a line of JSON each: never more in memory than a page."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import aclosing
from dataclasses import asdict
from datetime import datetime
from typing import Any

from google.protobuf.json_format import MessageToDict

from rehab.events.v1 import admin_pb2
from rehab.events.v1.event_pb2 import Body, RecordedEvent
from rehab_identity.domain.record import PatientRecord
from rehab_identity.facts.patients import Patients
from rehab_identity.facts.storage import Storage
from rehab_identity.facts.telling import Teller
from rehab_runtime.access.messages import role_name
from rehab_runtime.clock import uuid7
from rehab_runtime.errors import Unavailable
from rehab_runtime.eventlog import EventLog

PAGE = 500
FORMAT = "ndjson"
TRIES = 3
"""Without a step forward."""

Line = Mapping[str, Any]
About = Callable[[str], AsyncIterator[Line]]
"""What else is kept of an account: objects, each with a "type"."""


async def nothing_else(_account_id: str) -> AsyncIterator[Line]:
    none: tuple[Line, ...] = ()
    for line in none:
        yield line


class Exporting:
    def __init__(
        self,
        patients: Patients,
        storage: Storage,
        event_log: EventLog,
        teller: Teller,
        about: About = nothing_else,
    ) -> None:
        self._patients = patients
        self._storage = storage
        self._log = event_log
        self._teller = teller
        self._about = about

    async def lines(self, patient_id: str) -> AsyncGenerator[str, None]:
        """Pages of lines. The log tells that a copy was asked for before the first, and that it was
        delivered after the last. Raises NotFound, Unavailable."""
        record = await self._patients.record(patient_id)
        export_id = str(uuid7())
        await self._tell(record, export_id, delivered=False)
        for part in (self._kept(record), self._events(patient_id)):
            async with aclosing(part) as pages:
                async for page in pages:
                    yield page
        await self._tell(record, export_id, delivered=True)

    async def _kept(self, record: PatientRecord) -> AsyncGenerator[str, None]:
        async for line in self._about(record.patient_id):
            yield _json(line)
        yield _json({"type": "facts", **asdict(record)})
        after: tuple[datetime, str] | None = None
        while page := await self._storage.entries(record.patient_id, None, None, after, PAGE):
            yield "".join(
                _json({"type": "access", **asdict(one), "role": role_name(one.role)})
                for one in page
            )
            after = (page[-1].at, page[-1].event_id)

    async def _events(self, patient_id: str) -> AsyncGenerator[str, None]:
        """A read that is cut short goes on after the last event."""
        version, tries = 0, TRIES
        while True:
            try:
                read = self._log.pages_of(patient_id, after_version=version)
                async with aclosing(read) as pages:
                    async for events in pages:
                        yield "".join(_event(one) for one in events)
                        version, tries = events[-1].envelope.stream_version, TRIES
            except Unavailable:
                tries -= 1
                if not tries:
                    raise
            else:
                return

    async def _tell(self, record: PatientRecord, export_id: str, *, delivered: bool) -> None:
        if record.erased_at is not None:
            return  # nothing is added to what was erased: the trail tells of the reading
        told = admin_pb2.Export(export_id=export_id, delivered=delivered, format=FORMAT)
        await self._teller.tell(record, Body(export=told), at=self._teller.now())


def _event(event: RecordedEvent) -> str:
    line: dict[str, Any] = {"type": "event", "envelope": _told(event.envelope)}
    if event.erased:
        line["erased"] = True
    elif event.key_id:
        line["sealed"] = True
    else:
        line["body"] = _told(Body.FromString(event.body))
    return _json(line)


def _told(message: Any) -> dict[str, Any]:
    told: dict[str, Any] = MessageToDict(message, preserving_proto_field_name=True)
    return told


def _json(line: Line) -> str:
    return json.dumps(line, default=datetime.isoformat, separators=(",", ":")) + "\n"
