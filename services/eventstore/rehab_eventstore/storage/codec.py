"""What was just written as events."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from rehab.events.v1.event_pb2 import Envelope, RecordedEvent
from rehab_eventstore.domain.decide import Row

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def written_event(row: Row, position: int, recorded_at: datetime, chained: bytes) -> RecordedEvent:
    """The event of a row as readers will read it."""
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
