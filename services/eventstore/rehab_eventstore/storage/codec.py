"""What was just written as events."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

from rehab.events.v1.event_pb2 import Envelope, RecordedEvent
from rehab_eventstore.domain.decide import Row
from rehab_eventstore.storage.wire import varint

# Tags of rehab.events.v1: number of the field and type "length, then bytes"; of fields that are
# always as long, with the length.
_EVENT_ID = b"\x0a\x24"
_ENVELOPE, _BODY, _HASH = b"\x0a", b"\x12", b"\x22\x20"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Encoded(NamedTuple):
    """A recorded event as the wire carries it, and what is asked of it unopened."""

    position: int
    stream: str
    kind: str
    key_id: str
    wire: bytes

    def event(self) -> RecordedEvent:
        return RecordedEvent.FromString(self.wire)


def encoded(event: RecordedEvent) -> Encoded:
    envelope = event.envelope
    return Encoded(
        *(envelope.position, envelope.subject_id, envelope.kind, event.key_id),
        event.SerializeToString(),
    )


def written_events(
    rows: Iterable[Row], after: int, recorded_at: datetime, hashes: Iterable[bytes]
) -> list[Encoded]:
    """Rows that were written just now after a position. Their fields are put together as bytes: to
    fill in messages and serialise them costs three times as much."""
    place = Envelope()
    _stamp(place, recorded_at)
    written: list[Encoded] = []
    for position, (row, chained) in enumerate(zip(rows, hashes, strict=True), after + 1):
        stream, version, event, sealed = row
        event_id, clinic_id, kind, schema_version, _, phi, consent_id, meta, _, _ = event
        body, key_id, _ = sealed
        place.position, place.stream_version = position, version
        columns = _columns(clinic_id, stream, kind, schema_version, phi, consent_id)
        envelope = b"".join(
            (meta, _EVENT_ID, event_id.encode(), columns, place.SerializeToString())
        )
        wire = b"".join(
            (
                *(_ENVELOPE, varint(len(envelope)), envelope),
                *(_BODY, varint(len(body)), body),
                *(_key(key_id), _HASH, chained),
            )
        )
        written.append(Encoded(position, stream, kind, key_id, wire))
    return written


@lru_cache(maxsize=8192)
def _columns(
    clinic_id: str, stream: str, kind: str, schema_version: int, phi: bool, consent_id: str
) -> bytes:
    """What envelopes of a stream mostly agree in, serialised."""
    return Envelope(
        clinic_id=clinic_id,
        subject_id=stream,
        kind=kind,
        schema_version=schema_version,
        phi=phi,
        consent_id=consent_id,
    ).SerializeToString()


@lru_cache(maxsize=8192)
def _key(key_id: str) -> bytes:
    return RecordedEvent(key_id=key_id).SerializeToString()


def _stamp(envelope: Envelope, recorded_at: datetime) -> None:
    seconds, microseconds = divmod((recorded_at - EPOCH) // _MICROSECOND, 1_000_000)
    envelope.recorded_at.seconds = seconds
    envelope.recorded_at.nanos = microseconds * 1000
