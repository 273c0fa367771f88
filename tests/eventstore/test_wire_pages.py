"""Pages of events are put together from bytes, and read as if each field had been set."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from google.protobuf.message import DecodeError
from hypothesis import given, settings
from hypothesis import strategies as st

from rehab.events.v1.event_pb2 import Actor, Envelope, RecordedEvent
from rehab_eventstore.storage.wire import recorded_events, varint

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=200)
numbers = st.integers(0, 2**63 - 1)
metas = st.builds(
    Envelope,
    zone=texts,
    clock_skew_ms=st.integers(-(2**40), 2**40),
    actor=st.builds(Actor, id=texts),
    plan_version=st.integers(0, 2**32 - 1),
)
rows = st.fixed_dictionaries(
    {
        "position": numbers,
        "stream_id": texts,
        "stream_version": numbers,
        "event_id": st.uuids(),
        "clinic_id": texts,
        "kind": texts,
        "schema_version": st.integers(1, 1000),
        "recorded_at": st.datetimes(timezones=st.just(UTC)),
        "phi": st.booleans(),
        "consent_id": texts,
        "key_id": texts,
        "meta": metas.map(Envelope.SerializeToString),
        "body": st.binary(max_size=20_000),
        "hash": st.none() | st.binary(min_size=32, max_size=32),
        "erased": st.booleans(),
    }
)


def set_by_field(row: dict[str, Any]) -> RecordedEvent:
    envelope = Envelope.FromString(row["meta"])
    envelope.event_id, envelope.subject_id = str(row["event_id"]), row["stream_id"]
    for name in (
        *("clinic_id", "kind", "schema_version", "phi", "consent_id"),
        *("position", "stream_version"),
    ):
        setattr(envelope, name, row[name])
    envelope.recorded_at.FromDatetime(row["recorded_at"])
    return RecordedEvent(
        envelope=envelope,
        body=b"" if row["erased"] else row["body"],
        key_id=row["key_id"],
        hash=row["hash"] or b"",
        erased=row["erased"],
    )


@settings(deadline=None)
@given(st.lists(rows, max_size=5))
def test_what_is_read_of_bytes_is_what_its_fields_say(told: list[Any]) -> None:
    assert list(recorded_events(told).events) == [set_by_field(row) for row in told]


def test_an_envelope_that_is_cut_takes_nothing_of_what_follows_it() -> None:
    row = {
        "position": 1,
        "stream_id": "patient-1",
        "stream_version": 1,
        "event_id": UUID(int=1),
        "clinic_id": "c",
        "kind": "note",
        "schema_version": 1,
        "recorded_at": datetime(2026, 1, 1, tzinfo=UTC),
        "phi": False,
        "consent_id": "",
        "key_id": "",
        "meta": Envelope(zone="Europe/Berlin").SerializeToString()[:-3],
        "body": b"",
        "hash": None,
        "erased": False,
    }
    with pytest.raises(DecodeError):
        recorded_events([row])


@given(numbers)
def test_numbers_are_written_as_protobuf_writes_them(number: int) -> None:
    written = Envelope(position=number).SerializeToString()
    assert not number or written.endswith(varint(number))
