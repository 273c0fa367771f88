"""Rows as pages of events, put together from their bytes.

A serialised message is its fields one after the other, and of a field told twice the last counts:
so what of an envelope is stored as bytes need not be opened to add what columns hold. To make a
message for each event, field by field, and to copy it into its page costs twice as much.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

import asyncpg
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from rehab.events.v1.event_pb2 import Envelope, RecordedEvent
from rehab.eventstore.v1.eventstore_service_pb2 import ReadAllResponse
from rehab_eventstore.domain.chain import Link

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_NUMBER, _BYTES = 0, 2
"""protobuf's wire types: a varint, and what is told by its length."""
_ONE_BYTE = [bytes((number,)) for number in range(0x80)]


def varint(number: int) -> bytes:
    """As protobuf writes a number that is not negative: seven bits a byte, the lowest first."""
    if number < 0x80:
        return _ONE_BYTE[number]
    told = bytearray()
    while number >= 0x80:
        told.append(number & 0x7F | 0x80)
        number >>= 7
    told.append(number)
    return bytes(told)


def _tag(message: type[Message], field: str, wire_type: int) -> bytes:
    return varint(message.DESCRIPTOR.fields_by_name[field].number << 3 | wire_type)


_EVENT = _tag(ReadAllResponse, "events", _BYTES)
_ENVELOPE = _tag(RecordedEvent, "envelope", _BYTES)
_BODY = _tag(RecordedEvent, "body", _BYTES)
_KEY_ID = _tag(RecordedEvent, "key_id", _BYTES)
_HASH = _tag(RecordedEvent, "hash", _BYTES)
_ERASED = _tag(RecordedEvent, "erased", _NUMBER) + b"\1"
_EVENT_ID = _tag(Envelope, "event_id", _BYTES)
_CLINIC_ID = _tag(Envelope, "clinic_id", _BYTES)
_SUBJECT_ID = _tag(Envelope, "subject_id", _BYTES)
_KIND = _tag(Envelope, "kind", _BYTES)
_CONSENT_ID = _tag(Envelope, "consent_id", _BYTES)
_RECORDED_AT = _tag(Envelope, "recorded_at", _BYTES)
_SCHEMA_VERSION = _tag(Envelope, "schema_version", _NUMBER)
_PHI = _tag(Envelope, "phi", _NUMBER) + b"\1"
_POSITION = _tag(Envelope, "position", _NUMBER)
_STREAM_VERSION = _tag(Envelope, "stream_version", _NUMBER)


def recorded_events(
    rows: Iterable[asyncpg.Record], archived: Mapping[int, Link] | None = None
) -> ReadAllResponse:
    """The events as they were sent, with their place in the log. What is archived, by position,
    holds what its row does not. Raises DecodeError for an envelope that is none."""
    page: list[bytes] = []
    stamps = _Stamps()
    for row in rows:
        link = archived.get(row["position"]) if archived else None
        event = _event(row, row if link is None else link._asdict(), stamps.of(row["recorded_at"]))
        page += (_EVENT, varint(len(event)), event)
    return ReadAllResponse.FromString(b"".join(page))


def _event(row: asyncpg.Record, content: Mapping[str, Any], recorded_at: bytes) -> bytes:
    """The envelope is told twice, as stored and of columns: read, they are one."""
    meta, columns = content["meta"], _columns(row, recorded_at)
    parts = [_ENVELOPE, varint(len(meta)), meta, _ENVELOPE, varint(len(columns)), columns]
    if row["erased"]:
        parts.append(_ERASED)
    else:
        body = content["body"]
        parts += (_BODY, varint(len(body)), body)
    if key_id := row["key_id"]:
        parts.append(_text(_KEY_ID, key_id))
    if chained := row["hash"]:
        parts += (_HASH, varint(len(chained)), chained)
    return b"".join(parts)


def _columns(row: asyncpg.Record, recorded_at: bytes) -> bytes:
    return b"".join(
        (
            _text(_EVENT_ID, str(row["event_id"])),
            _of_stream(row["stream_id"], row["clinic_id"], row["consent_id"]),
            _of_kind(row["kind"], row["schema_version"], row["phi"]),
            _POSITION,
            varint(row["position"]),
            _STREAM_VERSION,
            varint(row["stream_version"]),
            recorded_at,
        )
    )


def _text(tag: bytes, text: str) -> bytes:
    told = text.encode()
    return tag + varint(len(told)) + told


@lru_cache(maxsize=20_000)
def _of_stream(stream: str, clinic_id: str, consent_id: str) -> bytes:
    texts = ((_SUBJECT_ID, stream), (_CLINIC_ID, clinic_id), (_CONSENT_ID, consent_id))
    return b"".join(_text(tag, text) for tag, text in texts)


@lru_cache(maxsize=1_000)
def _of_kind(kind: str, schema_version: int, phi: bool) -> bytes:
    told = _text(_KIND, kind) + _SCHEMA_VERSION + varint(schema_version)
    return told + _PHI if phi else told


class _Stamps:
    """The events of a commit, which follow each other, were recorded at the same time."""

    def __init__(self) -> None:
        self._at: datetime | None = None
        self._told = b""

    def of(self, at: datetime) -> bytes:
        if at != self._at:
            seconds, microseconds = divmod((at - _EPOCH) // _MICROSECOND, 1_000_000)
            stamp = Timestamp(seconds=seconds, nanos=microseconds * 1000).SerializeToString()
            self._at, self._told = at, _RECORDED_AT + varint(len(stamp)) + stamp
        return self._told
