"""The chain of hashes by which the log proves itself.

hash = SHA-256("rehab log 1" ‖ hash at the previous position ‖ canonical envelope ‖ body as stored)

The canonical envelope holds every column of the event in one unambiguous form, big-endian: numbers
of fixed width, then each text and byte string after its length. The occurrence time and the slice
are not in it: they follow from what is. The hash before the first position is 32 zero bytes.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import NamedTuple

from rehab_eventstore.domain.decide import Row
from rehab_eventstore.domain.head import Head

GENESIS = bytes(32)
_MARK = b"rehab log 1"
_NUMBERS = struct.Struct(">HQQqIB7H2I")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Link(NamedTuple):
    """One event as the chain sees it. `recorded_us` is in microseconds since 1970."""

    shard: int
    position: int
    stream_version: int
    recorded_us: int
    schema_version: int
    phi: bool
    stream: str
    event_id: str
    clinic_id: str
    kind: str
    consent_id: str
    key_id: str
    fingerprint: bytes
    meta: bytes
    body: bytes


def microseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // _MICROSECOND


def following(previous: bytes, link: Link) -> bytes:
    """The hash at the event's position."""
    return sha256(b"".join((_MARK, previous, canonical(link)))).digest()


def canonical(link: Link) -> bytes:
    """What the hash covers of an event beside the hash before it."""
    texts = [text.encode() for text in link[6:12]]
    numbers = _NUMBERS.pack(
        *link[:6], *map(len, texts), len(link.fingerprint), len(link.meta), len(link.body)
    )
    return b"".join((numbers, *texts, link.fingerprint, link.meta, link.body))


def parsed(told: bytes) -> Link:
    """The event of a canonical form. ValueError when it is none."""
    try:
        numbers = _NUMBERS.unpack_from(told)
    except struct.error:
        raise ValueError("cut off") from None
    parts, at = [], _NUMBERS.size
    for length in numbers[6:]:
        parts.append(told[at : at + length])
        at += length
    if at != len(told):
        raise ValueError("of another length than it says")
    shard, position, version, recorded_us, schema_version, phi = numbers[:6]
    stream, event_id, clinic_id, kind, consent_id, key_id = (part.decode() for part in parts[:6])
    return Link(
        *(shard, position, version, recorded_us, schema_version, bool(phi)),
        *(stream, event_id, clinic_id, kind, consent_id, key_id),
        *(parts[6], parts[7], parts[8]),
    )


def link_of(row: Row, shard: int, position: int, recorded_us: int) -> Link:
    """A row as it is about to be written."""
    event, sealed = row.event, row.sealed
    return Link(
        shard,
        position,
        row.stream_version,
        recorded_us,
        event.schema_version,
        event.phi,
        row.stream,
        event.event_id,
        event.clinic_id,
        event.kind,
        event.consent_id,
        sealed.key_id,
        sealed.fingerprint,
        event.meta,
        sealed.body,
    )


def chain(rows: Iterable[Row], head: Head, recorded_at: datetime) -> list[bytes]:
    """The hash at each row's position after a head, in order."""
    hashes, previous = [], head.hash
    recorded_us = microseconds(recorded_at)
    for position, row in enumerate(rows, head.position + 1):
        previous = following(previous, link_of(row, head.shard, position, recorded_us))
        hashes.append(previous)
    return hashes
