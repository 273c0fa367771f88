"""What the log is told of its archive: events of its own, covered by the chain like all others."""

from __future__ import annotations

import re
from datetime import datetime

from rehab.events.v1 import admin_pb2
from rehab.events.v1.event_pb2 import ROLE_SERVICE, Body
from rehab.events.v1.kinds import KINDS
from rehab.eventstore.v1 import eventstore_service_pb2 as pb
from rehab_eventstore.archive.form import Span
from rehab_runtime.clock import uuid7

KIND = "archive"
CLINIC = "rehab"
"""No clinic's event: the log's own."""
_STREAM = re.compile(r"archive-\d{1,5}")


def stream_of(shard: int) -> str:
    return f"archive-{shard}"


def is_own(stream: str) -> bool:
    """Whether the log keeps the stream for itself."""
    return stream.startswith("archive-") and _STREAM.fullmatch(stream) is not None


def manifest(
    span: Span,
    size: int,
    sha256: bytes,
    hashes: tuple[bytes, bytes],
    *,
    by: str,
    at: datetime,
) -> pb.NewEvent:
    """That an object is written and verified; `hashes` are the chain's at both ends."""
    told = admin_pb2.Archive(
        stage=admin_pb2.ARCHIVE_STAGE_ARCHIVED,
        segment=span.name,
        shard=span.shard,
        incarnation=span.incarnation,
        first_slice=span.first_slice,
        last_slice=span.last_slice,
        first_position=span.first_position,
        last_position=span.last_position,
        events=span.events,
        size_bytes=size,
        sha256=sha256,
        first_hash=hashes[0],
        last_hash=hashes[1],
    )
    event = pb.NewEvent(body=Body(archive=told).SerializeToString(deterministic=True))
    envelope = event.envelope
    envelope.event_id = str(uuid7())
    envelope.clinic_id = CLINIC
    envelope.subject_id = stream_of(span.shard)
    envelope.kind = KIND
    envelope.schema_version = KINDS[KIND].schema_version
    envelope.occurred_at.FromDatetime(at)
    envelope.actor.id = by
    envelope.actor.role = ROLE_SERVICE
    return event


def returned(manifest_event: pb.NewEvent, *, by: str, at: datetime) -> pb.NewEvent:
    """That the database holds them again."""
    body = Body.FromString(manifest_event.body)
    body.archive.stage = admin_pb2.ARCHIVE_STAGE_RESTORED
    event = pb.NewEvent(body=body.SerializeToString(deterministic=True))
    event.envelope.CopyFrom(manifest_event.envelope)
    event.envelope.event_id = str(uuid7())
    event.envelope.causation_id = manifest_event.envelope.event_id
    event.envelope.occurred_at.FromDatetime(at)
    event.envelope.actor.id = by
    return event
