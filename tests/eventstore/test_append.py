"""What Append promises."""

from __future__ import annotations

import asyncio
from typing import Any

import grpc
import pytest

from rehab.events.v1.event_pb2 import Envelope
from rehab.eventstore.v1 import eventstore_service_pb2 as pb
from rehab_runtime.auth import Principal
from rehab_runtime.clock import uuid7
from rehab_runtime.errors import (
    EventIdReused,
    EventTooLarge,
    InvalidArgument,
    PermissionDenied,
    VersionConflict,
)
from tests.eventstore.given import (
    append,
    copy,
    event,
    events,
    ids,
    positions,
    some_stream,
    versions,
)
from tests.eventstore.store import Store, refused, rules, settings_for, store

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_events_stand_one_after_the_other_from_the_head(shared: Store) -> None:
    head, stream = await shared.head(), some_stream()
    appended = await shared.append(append(stream, *events(stream, 3)))
    assert appended == pb.Appended(
        first_position=head.position + 1, last_position=head.position + 3, stream_version=3
    )
    again = await shared.append(append(stream))
    assert (again.first_position, again.stream_version) == (head.position + 4, 4)
    assert (await shared.head()).position == head.position + 4


async def test_an_event_comes_back_as_it_was_sent_with_its_place(shared: Store) -> None:
    stream = some_stream()
    sent = event(stream, b"\x00body", phi=True, consent_id="consent-1", device_seq=7, zone="UTC")
    sent.envelope.occurred_at.nanos = 123_456_789
    sent.envelope.MergeFromString(b"\xfa\x3e\x05hello")  # a field of a later contract
    appended = await shared.append(append(stream, sent))
    (stored,) = await shared.stream(stream)
    assert stored.body != b"\x00body"
    await shared.open([stored])
    envelope = Envelope.FromString(stored.envelope.SerializeToString())
    assert (envelope.position, envelope.stream_version) == (appended.first_position, 1)
    assert envelope.recorded_at.seconds > 1_700_000_000
    for field in ("position", "stream_version", "recorded_at"):
        envelope.ClearField(field)
    assert envelope.SerializeToString(deterministic=True) == sent.envelope.SerializeToString(
        deterministic=True
    )
    assert stored.body == b"\x00body"
    assert (len(stored.hash), stored.erased) == (32, False)


async def test_what_the_log_sets_is_ignored_on_the_way_in(shared: Store) -> None:
    stream = some_stream()
    sent = event(stream, position=999_999, stream_version=77)
    sent.envelope.recorded_at.FromJsonString("2001-01-01T00:00:00Z")
    appended = await shared.append(append(stream, sent))
    (stored,) = await shared.stream(stream)
    assert stored.envelope.position == appended.first_position != 999_999
    assert stored.envelope.stream_version == 1
    assert stored.envelope.recorded_at.seconds > 1_700_000_000


MODES: list[tuple[str, str | int]] = [
    ("any", "any"),
    ("none", "none"),
    ("exists", "exists"),
    ("exactly", 0),
]


@pytest.mark.parametrize("expected", [mode for _, mode in MODES], ids=[name for name, _ in MODES])
async def test_a_retry_is_answered_with_the_first_result_in_every_mode(
    shared: Store, expected: str | int
) -> None:
    stream = some_stream()
    if expected == "exists":
        await shared.append(append(stream))
    request = append(stream, *events(stream, 2), expected=expected)
    first = await shared.append(request)
    await shared.append(append(stream))
    again = await shared.append(request)
    assert not first.duplicate
    assert again.duplicate
    first.duplicate = True
    assert again == first
    assert len(await shared.stream(stream)) == (4 if expected == "exists" else 3)


@pytest.mark.parametrize("expected", [mode for _, mode in MODES], ids=[name for name, _ in MODES])
async def test_a_replica_that_remembers_nothing_knows_a_retry(
    shared: Store, expected: str | int
) -> None:
    stream, other = some_stream(), some_stream()
    if expected == "exists":
        await shared.append(append(stream))
    request = append(stream, *events(stream, 2), expected=expected)
    first = await shared.append(request)
    async with store(
        settings_for(shared.settings.postgres_dsn, shared.settings.nats_url)
    ) as replica:
        again = await replica.append(request)
        await replica.append(append(other, expected="none"))
    assert again.duplicate
    assert (again.first_position, again.last_position) == (
        first.first_position,
        first.last_position,
    )


async def test_a_retry_is_known_when_it_has_left_memory(shared: Store) -> None:
    settings = settings_for(
        *(shared.settings.postgres_dsn, shared.settings.nats_url),
        cached_events=2,
        cached_streams=2,
    )
    stream = some_stream()
    requests = [append(stream) for _ in range(8)]
    async with store(settings) as forgetful:
        first = [await forgetful.append(request) for request in requests]
        again = [await forgetful.append(request) for request in requests]
        after = await forgetful.append(append(stream))
    assert [one.first_position for one in again] == [one.first_position for one in first]
    assert after.stream_version == 9


async def test_the_id_of_an_event_with_other_content_is_refused(shared: Store) -> None:
    stream = some_stream()
    first = event(stream, b"one")
    await shared.append(append(stream, first))
    other = event(stream, b"two", event_id=first.envelope.event_id)
    for expected in ("any", "none", "exists", 0, 1):
        error = await refused(shared.append(append(stream, other, expected=expected)))
        assert isinstance(error, EventIdReused)
        assert error.metadata == {"stream": stream, "event_id": first.envelope.event_id}
    other = copy(first)
    other.envelope.kind = "note"
    assert isinstance(await refused(shared.append(append(stream, other))), EventIdReused)
    assert len(await shared.stream(stream)) == 1


async def test_what_another_connection_adds_to_an_event_does_not_make_it_another(
    shared: Store,
) -> None:
    stream = some_stream()
    sent = event(stream, device_epoch=1, device_seq=5, correlation_id="call-1", clock_skew_ms=3)
    first = await shared.append(append(stream, copy(sent)))
    sent.envelope.device_epoch, sent.envelope.device_seq = 2, 1
    sent.envelope.correlation_id, sent.envelope.clock_skew_ms = "call-2", -4
    again = await shared.append(append(stream, sent))
    assert again.duplicate
    assert again.first_position == first.first_position
    (stored,) = await shared.stream(stream)
    assert (stored.envelope.device_epoch, stored.envelope.correlation_id) == (1, "call-1")


@pytest.mark.parametrize(
    ("before", "expected", "told"),
    [(0, "exists", "exists"), (2, "none", "none"), (2, 0, "0"), (2, 1, "1"), (0, 4, "4")],
)
async def test_a_conflict_tells_the_expected_and_the_actual_version(
    shared: Store, before: int, expected: str | int, told: str
) -> None:
    stream = some_stream()
    if before:
        await shared.append(append(stream, *events(stream, before)))
    error = await refused(shared.append(append(stream, *events(stream, 2), expected=expected)))
    assert isinstance(error, VersionConflict)
    assert error.metadata == {"expected_version": told, "actual_version": str(before)}
    assert len(await shared.stream(stream)) == before


@pytest.mark.parametrize(("before", "expected"), [(0, "none"), (0, 0), (1, "exists"), (3, 3)])
async def test_an_append_at_the_expected_version_is_accepted(
    shared: Store, before: int, expected: str | int
) -> None:
    stream = some_stream()
    if before:
        await shared.append(append(stream, *events(stream, before)))
    appended = await shared.append(append(stream, expected=expected))
    assert appended.stream_version == before + 1


async def test_without_an_expected_version_any_will_do(shared: Store) -> None:
    stream = some_stream()
    request = append(stream)
    request.ClearField("expected")
    assert (await shared.append(request)).stream_version == 1


async def test_an_event_twice_in_one_append_is_stored_once(shared: Store) -> None:
    stream = some_stream()
    first, second = events(stream, 2)
    appended = await shared.append(append(stream, first, second, first, expected="none"))
    assert appended.last_position - appended.first_position == 1
    assert not appended.duplicate
    assert ids(await shared.stream(stream)) == ids([first, second])


async def test_one_id_twice_in_one_append_with_other_content_stores_nothing(
    shared: Store,
) -> None:
    stream = some_stream()
    first = event(stream, b"one")
    other = event(stream, b"two", event_id=first.envelope.event_id)
    error = await refused(shared.append(append(stream, first, other)))
    assert isinstance(error, EventIdReused)
    assert await shared.stream(stream) == []


async def test_an_id_counts_within_its_stream_only(shared: Store) -> None:
    one, other, event_id = some_stream(), some_stream(), str(uuid7())
    await shared.append(append(one, event(one, event_id=event_id)))
    appended = await shared.append(append(other, event(other, event_id=event_id)))
    assert not appended.duplicate


async def test_of_an_append_that_is_stored_in_part_the_rest_follows(shared: Store) -> None:
    stream = some_stream()
    first, second, third = events(stream, 3)
    place = await shared.append(append(stream, first))
    await shared.append(append(stream))
    appended = await shared.append(append(stream, first, second, third))
    assert appended.first_position == place.first_position
    assert appended.stream_version == 4
    assert not appended.duplicate
    assert ids(await shared.stream(stream))[2:] == ids([second, third])


async def test_an_append_that_is_stored_in_part_is_held_to_its_condition(shared: Store) -> None:
    stream = some_stream()
    first, second = events(stream, 2)
    await shared.append(append(stream, first, expected="none"))
    error = await refused(shared.append(append(stream, first, second, expected="none")))
    assert isinstance(error, VersionConflict)
    assert ids(await shared.stream(stream)) == ids([first])


async def test_an_append_of_the_largest_size_is_stored_whole(shared: Store) -> None:
    stream = some_stream()
    sent = events(stream, 1000, b"x")
    appended = await shared.append(append(stream, *sent))
    assert appended.stream_version == 1000
    stored = await shared.stream(stream)
    assert ids(stored) == ids(sent)
    assert versions(stored) == list(range(1, 1001))
    first = appended.first_position
    assert positions(stored) == list(range(first, first + 1000))


async def test_a_body_of_a_mebibyte_is_stored_and_a_larger_one_refused(shared: Store) -> None:
    stream = some_stream()
    await shared.append(append(stream, event(stream, b"x" * 1_048_576)))
    error = await refused(shared.append(append(stream, event(stream, b"x" * 1_048_577))))
    assert isinstance(error, EventTooLarge)
    assert rules(error) == [("events[0].body", "bytes.max_len")]
    assert error.metadata == {"limit_bytes": "1048576"}
    (stored,) = await shared.stream(stream)
    assert len(stored.body) == 1_048_576


BROKEN: list[tuple[str, Any, str]] = [
    ("subject_id", "someone-else", "event.subject_is_stream"),
    ("event_id", "", "string.uuid"),
    ("event_id", "0190-not-a-uuid", "string.uuid"),
    ("event_id", "01900000-0000-7000-8000-00000000000A", "string.uuid"),
    ("kind", "", "string.pattern"),
    ("kind", "Pain\x00", "string.pattern"),
    ("clinic_id", "", "string.pattern"),
    ("clinic_id", "c\x00", "string.pattern"),
    ("consent_id", "a b", "string.pattern"),
    ("schema_version", 0, "uint32.gte_lte"),
    ("schema_version", 2**32 - 1, "uint32.gte_lte"),
]


@pytest.mark.parametrize(("field", "value", "rule"), BROKEN)
async def test_a_broken_event_is_refused_by_field_and_rule(
    shared: Store, field: str, value: Any, rule: str
) -> None:
    stream = some_stream()
    bad = event(stream, **{field: value})
    error = await refused(shared.append(append(stream, event(stream), bad)))
    assert isinstance(error, InvalidArgument)
    assert rules(error) == [(f"events[1].envelope.{field}", rule)]
    assert await shared.stream(stream) == []


@pytest.mark.parametrize("seconds", [None, -62_135_596_801, 253_402_300_800])
async def test_a_time_outside_the_calendar_is_refused(shared: Store, seconds: int | None) -> None:
    stream = some_stream()
    bad = event(stream)
    bad.envelope.ClearField("occurred_at")
    if seconds is not None:
        bad.envelope.occurred_at.seconds = seconds
    error = await refused(shared.append(append(stream, bad)))
    assert rules(error) == [("events[0].envelope.occurred_at", "timestamp.required")]


@pytest.mark.parametrize("seconds", [-62_135_596_800, 253_402_300_799])
async def test_the_first_and_the_last_time_of_the_calendar_are_kept(
    shared: Store, seconds: int
) -> None:
    stream = some_stream()
    edge = event(stream)
    edge.envelope.occurred_at.seconds = seconds
    edge.envelope.occurred_at.nanos = 999_999_999
    await shared.append(append(stream, edge))
    (stored,) = await shared.stream(stream)
    assert stored.envelope.occurred_at == edge.envelope.occurred_at


@pytest.mark.parametrize(
    ("request_", "rule"),
    [
        (pb.AppendRequest(stream="a b", events=[event("a b")]), ("stream", "string.pattern")),
        (pb.AppendRequest(stream="a"), ("events", "repeated.min_items")),
        (
            pb.AppendRequest(stream="a", events=events("a", 1001)),
            ("events", "repeated.max_items"),
        ),
        (
            pb.AppendRequest(stream="a", events=[event("a")], expected=pb.ExpectedVersion()),
            ("expected.condition", "required"),
        ),
        (
            pb.AppendRequest(stream="a", events=[event("a")], priority=9),  # type: ignore[arg-type]
            ("priority", "enum.defined_only"),
        ),
    ],
)
async def test_a_request_that_breaks_the_contract_is_refused_by_field_and_rule(
    shared: Store, request_: pb.AppendRequest, rule: tuple[str, str]
) -> None:
    error = await refused(shared.append(request_))
    assert isinstance(error, InvalidArgument)
    assert rules(error) == [rule]


@pytest.mark.parametrize("role", ["patient", "therapist", "admin", "emergency", "device"])
async def test_only_services_use_the_log(shared: Store, role: str) -> None:
    person = shared.as_(Principal("someone", role, "clinic-1"))
    stream = some_stream()
    calls = [
        person.append(append(stream)),
        person.batch(append(stream)),
        person.atomic(append(stream)),
        person.head(),
        person.stream(stream),
        person.all(),
        anext(aiter(person.subscribe())),
    ]
    errors = await asyncio.gather(*map(refused, calls))
    assert {type(error) for error in errors} == {PermissionDenied}
    assert {error.status for error in errors} == {grpc.StatusCode.PERMISSION_DENIED}
    assert await shared.stream(stream) == []


async def test_places_are_told_one_by_one_where_they_do_not_follow_from_the_last(
    shared: Store,
) -> None:
    stream = some_stream()
    old = events(stream, 3)
    first = await shared.append(append(stream, *map(copy, old)))
    assert not first.places
    new = event(stream)
    mixed = await shared.append(append(stream, copy(old[1]), copy(new), copy(old[0])))
    assert [(one.stream_version, one.duplicate) for one in mixed.places] == [
        *((2, True), (4, False), (1, True)),
    ]
    assert [one.position for one in mixed.places] == [
        *(first.first_position + 1, first.last_position + 1, first.first_position),
    ]
    assert not (await shared.append(append(stream, *map(copy, old)))).places
