"""Events and appends, as a service of the suite would send them."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime
from typing import Any

from rehab.eventstore.v1 import eventstore_service_pb2 as pb
from rehab_runtime.clock import uuid7

_numbers = itertools.count(1)


def some_stream() -> str:
    """A stream that no other test uses."""
    return f"patient-{next(_numbers)}"


def event(stream: str, body: bytes = b"body", **envelope: Any) -> pb.NewEvent:
    made = pb.NewEvent(body=body)
    told = made.envelope
    told.event_id = str(uuid7())
    told.clinic_id = "clinic-1"
    told.subject_id = stream
    told.kind = "pain_report"
    told.schema_version = 1
    told.occurred_at.FromDatetime(datetime(2026, 3, 1, 10, tzinfo=UTC))
    told.actor.id = "device-1"
    told.actor.role = 6
    for field, value in envelope.items():
        setattr(told, field, value)
    return made


def events(stream: str, count: int, body: bytes = b"body") -> list[pb.NewEvent]:
    return [event(stream, body) for _ in range(count)]


def append(
    stream: str,
    *new: pb.NewEvent,
    expected: str | int = "any",
    priority: pb.Priority = pb.PRIORITY_UNSPECIFIED,
) -> pb.AppendRequest:
    """An append of these events, or of one made for it. `expected` is a mode or a version."""
    made = pb.AppendRequest(stream=stream, events=new or [event(stream)], priority=priority)
    if isinstance(expected, int):
        made.expected.exactly = expected
    else:
        getattr(made.expected, expected).SetInParent()
    return made


def copy(request: Any) -> Any:
    return type(request).FromString(request.SerializeToString())


def ids(made: Any) -> list[str]:
    return [one.envelope.event_id for one in made]


def positions(made: Any) -> list[int]:
    return [one.envelope.position for one in made]


def versions(made: Any) -> list[int]:
    return [one.envelope.stream_version for one in made]
