"""New events taken apart: what the log keeps in columns, what it keeps as it is, and what it knows
a repeat by."""

from __future__ import annotations

from collections.abc import Iterable

from rehab.events.v1.event_pb2 import Envelope
from rehab.eventstore.v1 import eventstore_service_pb2 as pb
from rehab_eventstore.checks import (
    FIRST_S,
    LAST_S,
    MAX_BODY_BYTES,
    RESERVED,
    are_names,
    broken,
    is_uuid,
    only_asks,
)
from rehab_eventstore.domain.commands import NewEvent

SET_BY_THE_LOG = ("position", "stream_version", "recorded_at")
SET_ON_THE_WAY = ("device_epoch", "device_seq", "correlation_id", "clock_skew_ms")
"""What may differ when an event is sent again, over another connection: no part of its content."""
COLUMNS = (
    "event_id",
    "clinic_id",
    "subject_id",
    "kind",
    "schema_version",
    "phi",
    "consent_id",
)


def new_events(stream: str, messages: Iterable[pb.NewEvent], prefix: str) -> list[NewEvent]:
    """Takes messages apart in place: they are the request's, and nobody reads them again.

    Raises InvalidArgument or EventTooLarge, naming field and rule.
    """
    taken: list[NewEvent] = []
    for message in messages:
        event = _taken(stream, message)
        if event is None:
            raise broken(stream, message, f"{prefix}events[{len(taken)}]")
        taken.append(event)
    return taken


def own_event(message: pb.NewEvent) -> NewEvent:
    """What the log itself tells, and nobody else may."""
    taken = _taken(message.envelope.subject_id, message, own=True)
    assert taken is not None, "the log's own events are not looked at"
    return taken


def _taken(stream: str, message: pb.NewEvent, *, own: bool = False) -> NewEvent | None:
    """None when a rule is broken, with the message as it was. Each field is read once, to be
    checked and to be kept: reading is what costs."""
    envelope, body = message.envelope, message.body
    event_id, clinic_id, kind = envelope.event_id, envelope.clinic_id, envelope.kind
    schema_version, phi, consent_id = envelope.schema_version, envelope.phi, envelope.consent_id
    occurred_at = envelope.occurred_at
    seconds, nanos = occurred_at.seconds, occurred_at.nanos
    if not own and not (
        envelope.subject_id == stream
        and is_uuid(event_id)
        and are_names(kind, clinic_id, consent_id)
        and 1 <= schema_version <= 1000
        and FIRST_S <= seconds <= LAST_S
        and 0 <= nanos < 1_000_000_000
        and envelope.HasField("occurred_at")
        and len(body) <= MAX_BODY_BYTES
        and (kind not in RESERVED or only_asks(message))
    ):
        return None
    meta, content = _kept(envelope)
    return NewEvent(
        event_id,
        clinic_id,
        kind,
        schema_version,
        seconds + nanos / 1e9,
        phi,
        consent_id,
        meta,
        body,
        content,
    )


def _kept(envelope: Envelope) -> tuple[bytes, bytes]:
    """What of the envelope has no column, and what its producer said of the event."""
    on_the_way = [(field, value) for field in SET_ON_THE_WAY if (value := getattr(envelope, field))]
    clear = envelope.ClearField
    for field in SET_BY_THE_LOG:
        clear(field)
    for field, _ in on_the_way:
        clear(field)
    content = envelope.SerializeToString(deterministic=True)
    for field in COLUMNS:
        clear(field)
    for field, value in on_the_way:
        setattr(envelope, field, value)
    return envelope.SerializeToString(), content
