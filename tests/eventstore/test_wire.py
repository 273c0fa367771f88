"""What is handed on unread is what would have been read."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import Any, cast
from uuid import UUID

import asyncpg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rehab.events.v1.event_pb2 import LogMessage, RecordedEvent
from rehab_eventstore.domain.commands import Sealed
from rehab_eventstore.domain.decide import Row
from rehab_eventstore.messages import append_command
from rehab_eventstore.publisher import message_of
from rehab_eventstore.storage.codec import Encoded, encoded, written_events
from rehab_eventstore.storage.wire import recorded_events
from tests.eventstore.given import append, event

NOW = datetime(2026, 3, 1, 10, 0, 0, 123_456, tzinfo=UTC)

EVENTS = st.builds(
    lambda **told: event("patient-1", **told),
    body=st.binary(max_size=300),
    clinic_id=st.sampled_from(["clinic-1", "c" * 64]),
    kind=st.sampled_from(["pain_report", "plan"]),
    schema_version=st.sampled_from([1, 127, 128, 1000]),
    phi=st.booleans(),
    consent_id=st.sampled_from(["", "consent-1"]),
    consent_purpose=st.sampled_from(["", "treatment"]),
    zone=st.sampled_from(["", "Europe/Berlin"]),
    device_seq=st.sampled_from([0, 1, 2**63]),
    corrects=st.sampled_from(["", "01a1fdb5-0c92-7000-8f77-fd025fdcf9ec"]),
)


def row_of(sent: Any, version: int, key_id: str) -> Row:
    (new,) = append_command(append("patient-1", sent)).events
    return Row("patient-1", version, new, Sealed(b"sealed " + new.body, key_id, os.urandom(16)))


def read(row: Row, position: int, chained: bytes) -> RecordedEvent:
    """The same row as PostgreSQL would give it back."""
    columns = {
        "event_id": UUID(row.event.event_id),
        "stream_id": row.stream,
        "stream_version": row.stream_version,
        "position": position,
        "recorded_at": NOW,
        "hash": chained,
        "erased": False,
        "key_id": row.sealed.key_id,
        "body": row.sealed.body,
    }
    of_event = ("clinic_id", "kind", "schema_version", "phi", "consent_id", "meta")
    columns |= {name: getattr(row.event, name) for name in of_event}
    return recorded_events([cast("asyncpg.Record", columns)]).events[0]


@given(
    sent=EVENTS,
    position=st.integers(1, 2**63 - 1),
    version=st.integers(1, 2**63 - 1),
    key_id=st.sampled_from(["", "key-1"]),
)
@settings(max_examples=200)
def test_an_event_put_together_as_bytes_is_the_one_that_is_read_back(
    sent: Any, position: int, version: int, key_id: str
) -> None:
    row, chained = row_of(sent, version, key_id), os.urandom(32)
    (made,) = written_events([row], position - 1, NOW, [chained])
    there = read(row, position, chained)
    assert made.event() == there
    assert made[:4] == encoded(there)[:4] == (position, "patient-1", row.event.kind, key_id)


def test_events_of_a_batch_have_places_of_their_own() -> None:
    rows = [row_of(event("patient-1"), version, "") for version in (7, 8)]
    made = [one.event().envelope for one in written_events(rows, 41, NOW, [bytes(32)] * 2)]
    assert [(one.position, one.stream_version) for one in made] == [(42, 7), (43, 8)]


@pytest.mark.parametrize("size", [0, 100, 128, 16_000, 16_384, 70_000, 2_100_000])
def test_a_message_to_the_broker_holds_events_of_any_size(size: int) -> None:
    recorded = RecordedEvent(body=b"x" * size, key_id="key-1")
    recorded.envelope.position = 5
    told = [encoded(recorded), Encoded(6, "patient-1", "plan", "", b"")]
    expected = LogMessage(incarnation="log", shard=3, events=[recorded, RecordedEvent()])
    assert LogMessage.FromString(message_of("log", 3, told)) == expected
    row = row_of(event("patient-1"), 1, "")
    row = row._replace(sealed=Sealed(b"x" * size, "", bytes(16)))
    (made,) = written_events([row], 0, NOW, [bytes(32)])
    assert made.event() == read(row, 1, bytes(32))
