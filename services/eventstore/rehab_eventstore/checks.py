"""What the log relies on in an event, beside the contract's rules for a request."""

from __future__ import annotations

import re
from functools import lru_cache

from google.protobuf.message import DecodeError

from rehab.events.v1.admin_pb2 import ERASURE_STAGE_REQUESTED
from rehab.events.v1.event_pb2 import Body, Envelope
from rehab.eventstore.v1 import eventstore_service_pb2 as pb
from rehab_eventstore.archive.telling import KIND, is_own
from rehab_eventstore.domain.decide import ERASURE
from rehab_runtime.errors import EventTooLarge, InvalidArgument, RehabError, Violation

MAX_BODY_BYTES = 1_048_576
"""As rehab.eventstore.v1.NewEvent says."""
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_CLINIC = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_KIND = re.compile(r"[a-z][a-z_]{0,47}")
_CONSENT = re.compile(r"[A-Za-z0-9_-]{0,64}")
FIRST_S, LAST_S = -62_135_596_800, 253_402_300_799
"""0001-01-01 and 9999-12-31, the range of google.protobuf.Timestamp."""
RESERVED = frozenset({ERASURE, KIND})
"""Kinds that the log itself tells."""
is_uuid = _UUID.fullmatch


def check_stream(stream: str, field: str) -> None:
    """Raises InvalidArgument."""
    if is_own(stream):
        message = "must not be a stream in which the log tells of its archive"
        raise InvalidArgument(violations=[Violation(field, "stream.of_the_log", message)])


def only_asks(event: pb.NewEvent) -> bool:
    """Whether an event asks for an erasure. That one is done, the log itself tells."""
    if event.envelope.kind != ERASURE:
        return False
    try:
        return bool(Body.FromString(event.body).erasure.stage == ERASURE_STAGE_REQUESTED)
    except DecodeError:
        return False


@lru_cache(maxsize=8192)
def are_names(kind: str, clinic_id: str, consent_id: str) -> bool:
    """Events of a stream mostly agree in them."""
    return bool(
        _KIND.fullmatch(kind) and _CLINIC.fullmatch(clinic_id) and _CONSENT.fullmatch(consent_id)
    )


def _in_range(envelope: Envelope) -> bool:
    at = envelope.occurred_at
    within = FIRST_S <= at.seconds <= LAST_S and 0 <= at.nanos < 1_000_000_000
    return within and envelope.HasField("occurred_at")


def broken(stream: str, event: pb.NewEvent, path: str) -> RehabError:
    """What the event breaks, by field and rule."""
    if len(event.body) > MAX_BODY_BYTES:
        rule = Violation(f"{path}.body", "bytes.max_len", f"must be at most {MAX_BODY_BYTES} bytes")
        return EventTooLarge(violations=[rule], metadata={"limit_bytes": str(MAX_BODY_BYTES)})
    envelope = event.envelope
    if envelope.kind == ERASURE and not only_asks(event):
        rule = Violation(
            f"{path}.body.erasure.stage",
            "erasure.requested_only",
            "must be REQUESTED: what was done is told by EraseSubject",
        )
        return InvalidArgument(violations=[rule])
    rules = (
        (
            envelope.subject_id == stream,
            "subject_id",
            "event.subject_is_stream",
            "must be the stream of the append",
        ),
        (
            is_uuid(envelope.event_id),
            "event_id",
            "string.uuid",
            "must be a UUID in lower case with hyphens",
        ),
        (_KIND.fullmatch(envelope.kind), "kind", "string.pattern", f"must match {_KIND.pattern}"),
        (
            envelope.kind != KIND,
            "kind",
            "archive.of_the_log",
            "must not be what the log itself tells",
        ),
        (
            _CLINIC.fullmatch(envelope.clinic_id),
            "clinic_id",
            "string.pattern",
            f"must match {_CLINIC.pattern}",
        ),
        (
            _CONSENT.fullmatch(envelope.consent_id),
            "consent_id",
            "string.pattern",
            f"must match {_CONSENT.pattern}",
        ),
        (
            1 <= envelope.schema_version <= 1000,
            "schema_version",
            "uint32.gte_lte",
            "must be 1 to 1000",
        ),
        (
            _in_range(envelope),
            "occurred_at",
            "timestamp.required",
            "must be a time between the years 1 and 9999",
        ),
    )
    return InvalidArgument(
        violations=[
            Violation(f"{path}.envelope.{field}", rule, message)
            for holds, field, rule, message in rules
            if not holds
        ]
    )
