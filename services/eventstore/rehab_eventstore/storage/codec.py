"""Rows as events."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import asyncpg

from rehab.events.v1.event_pb2 import Envelope, RecordedEvent
from rehab_eventstore.domain.chain import Link
from rehab_eventstore.domain.decide import Row

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def recorded_event(row: asyncpg.Record, archived: Link | None = None) -> RecordedEvent:
    """The event as it was sent, with its place in the log. What is archived holds what its row does
    not."""
    meta, body = (row["meta"], row["body"]) if archived is None else (archived.meta, archived.body)
    envelope = Envelope.FromString(meta)
    envelope.event_id = str(row["event_id"])
    envelope.clinic_id = row["clinic_id"]
    envelope.subject_id = row["stream_id"]
    envelope.kind = row["kind"]
    envelope.schema_version = row["schema_version"]
    envelope.phi = row["phi"]
    envelope.consent_id = row["consent_id"]
    envelope.position = row["position"]
    envelope.stream_version = row["stream_version"]
    _stamp(envelope, row["recorded_at"])
    erased = row["erased"]
    return RecordedEvent(
        envelope=envelope,
        body=b"" if erased else body,
        key_id=row["key_id"],
        hash=row["hash"] or b"",
        erased=erased,
    )


def written_event(row: Row, position: int, recorded_at: datetime, chained: bytes) -> RecordedEvent:
    """The same, of a row that was written just now."""
    event, sealed = row.event, row.sealed
    envelope = Envelope.FromString(event.meta)
    envelope.event_id = event.event_id
    envelope.clinic_id = event.clinic_id
    envelope.subject_id = row.stream
    envelope.kind = event.kind
    envelope.schema_version = event.schema_version
    envelope.phi = event.phi
    envelope.consent_id = event.consent_id
    envelope.position = position
    envelope.stream_version = row.stream_version
    _stamp(envelope, recorded_at)
    return RecordedEvent(envelope=envelope, body=sealed.body, key_id=sealed.key_id, hash=chained)


def _stamp(envelope: Envelope, recorded_at: datetime) -> None:
    seconds, microseconds = divmod((recorded_at - EPOCH) // _MICROSECOND, 1_000_000)
    envelope.recorded_at.seconds = seconds
    envelope.recorded_at.nanos = microseconds * 1000
