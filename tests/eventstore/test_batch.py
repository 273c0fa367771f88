"""What BatchAppend and AppendAtomic promise."""

from __future__ import annotations

import pytest

from rehab.errors.v1 import error_reason_pb2 as reason
from rehab.eventstore.v1 import eventstore_service_pb2 as pb
from rehab_runtime.errors import EventIdReused, InvalidArgument, VersionConflict
from tests.eventstore.given import append, event, events, ids, some_stream, versions
from tests.eventstore.store import Store, refused, rules

pytestmark = pytest.mark.asyncio(loop_scope="module")


def guard(stream: str, expected: str | int) -> pb.Guard:
    return pb.Guard(stream=stream, expected=append(stream, expected=expected).expected)


async def test_each_append_of_a_batch_has_its_own_verdict_in_order(shared: Store) -> None:
    one, two, three = some_stream(), some_stream(), some_stream()
    stored = event(one)
    await shared.append(append(one, stored))
    verdicts = await shared.batch(
        append(two, *events(two, 2)),
        append(two, expected=7),
        append(one, event(one, b"other", event_id=stored.envelope.event_id)),
        append(one, event("someone-else")),
        append(one, stored),
        append(three),
    )
    told = [
        verdict.failure.reason if verdict.HasField("failure") else verdict.appended.stream_version
        for verdict in verdicts
    ]
    assert told == [
        2,
        reason.ERROR_REASON_VERSION_CONFLICT,
        reason.ERROR_REASON_EVENT_ID_REUSED,
        reason.ERROR_REASON_INVALID_ARGUMENT,
        1,
        1,
    ]
    assert [verdict.appended.duplicate for verdict in verdicts] == [*[False] * 4, True, False]
    assert dict(verdicts[1].failure.metadata) == {"expected_version": "7", "actual_version": "2"}
    (broken,) = verdicts[3].failure.violations
    assert (broken.field, broken.rule) == (
        "events[0].envelope.subject_id",
        "event.subject_is_stream",
    )
    assert len(await shared.stream(two)) == 2


async def test_an_append_that_breaks_the_contract_fails_alone(shared: Store) -> None:
    stream = some_stream()
    verdicts = await shared.batch(pb.AppendRequest(stream=stream), append(stream))
    (broken,) = verdicts[0].failure.violations
    assert (broken.field, broken.rule) == ("events", "repeated.min_items")
    assert verdicts[1].appended.stream_version == 1


async def test_appends_to_one_stream_keep_their_order(shared: Store) -> None:
    streams = [some_stream() for _ in range(5)]
    sent = [append(streams[number % 5]) for number in range(1000)]
    verdicts = await shared.batch(*sent)
    assert [verdict.appended.stream_version for verdict in verdicts] == [
        number // 5 + 1 for number in range(1000)
    ]
    for number, stream in enumerate(streams):
        expected = [request.events[0].envelope.event_id for request in sent[number::5]]
        assert ids(await shared.stream(stream)) == expected


async def test_priorities_do_not_change_the_order_within_a_stream(shared: Store) -> None:
    stream = some_stream()
    lanes = [pb.PRIORITY_IMPORT, pb.PRIORITY_LIVE, pb.PRIORITY_UNSPECIFIED]
    sent = [append(stream, priority=lanes[number % 3]) for number in range(300)]
    await shared.batch(*sent)
    assert ids(await shared.stream(stream)) == [one.events[0].envelope.event_id for one in sent]


async def test_an_append_sees_what_the_ones_before_it_in_the_batch_wrote(shared: Store) -> None:
    stream = some_stream()
    first = append(stream, expected="none")
    verdicts = await shared.batch(
        first, append(stream, expected="none"), append(stream, expected=1), first
    )
    assert [verdict.WhichOneof("verdict") for verdict in verdicts] == [
        *("appended", "failure", "appended", "appended")
    ]
    assert verdicts[3].appended.duplicate
    assert verdicts[3].appended.first_position == verdicts[0].appended.first_position


async def test_an_empty_batch_is_refused(shared: Store) -> None:
    assert rules(await refused(shared.batch())) == [("appends", "repeated.min_items")]


async def test_an_atomic_append_writes_several_streams_side_by_side(shared: Store) -> None:
    one, two = some_stream(), some_stream()
    first, second = await shared.atomic(
        append(one, *events(one, 2), expected="none"), append(two, expected="none")
    )
    assert second.first_position == first.last_position + 1
    assert (first.stream_version, second.stream_version) == (2, 1)


async def test_an_atomic_append_writes_nothing_when_one_part_is_refused(shared: Store) -> None:
    one, two = some_stream(), some_stream()
    error = await refused(shared.atomic(append(one), append(two, expected="exists")))
    assert isinstance(error, VersionConflict)
    reused = event(one)
    await shared.append(append(one, reused))
    other = event(one, b"other", event_id=reused.envelope.event_id)
    error = await refused(shared.atomic(append(two), append(one, other)))
    assert isinstance(error, EventIdReused)
    assert await shared.stream(two) == []
    assert ids(await shared.stream(one)) == ids([reused])


@pytest.mark.parametrize(
    ("before", "expected", "holds"),
    [
        *((0, "none", True), (1, "none", False), (1, "exists", True)),
        *((0, "exists", False), (2, 2, True), (2, 1, False)),
    ],
)
async def test_a_guard_holds_an_atomic_append_to_a_stream_it_does_not_write(
    shared: Store, before: int, expected: str | int, holds: bool
) -> None:
    written, guarded = some_stream(), some_stream()
    if before:
        await shared.append(append(guarded, *events(guarded, before)))
    call = shared.atomic(append(written), guards=[guard(guarded, expected)])
    if holds:
        (appended,) = await call
        assert appended.stream_version == 1
    else:
        assert isinstance(await refused(call), VersionConflict)
    assert len(await shared.stream(written)) == holds
    assert len(await shared.stream(guarded)) == before


async def test_a_retried_atomic_append_is_answered_whatever_its_guards_say_now(
    shared: Store,
) -> None:
    one, two, guarded = some_stream(), some_stream(), some_stream()
    appends = [append(one, expected="none"), append(two, expected="none")]
    guards = [guard(guarded, "none")]
    first = await shared.atomic(*appends, guards=guards)
    await shared.append(append(guarded))
    again = await shared.atomic(*appends, guards=guards)
    assert all(appended.duplicate for appended in again)
    assert [one.first_position for one in again] == [one.first_position for one in first]
    assert versions(await shared.stream(one)) == [1]


async def test_an_atomic_append_names_each_stream_once(shared: Store) -> None:
    one, two = some_stream(), some_stream()
    error = await refused(shared.atomic(append(one), append(two), append(one)))
    assert isinstance(error, InvalidArgument)
    assert rules(error) == [("appends[2].stream", "appends.different_streams")]
    error = await refused(shared.atomic(append(one), guards=[guard(one, "none")]))
    assert rules(error) == [("guards[0].stream", "guards.not_written")]
    error = await refused(shared.atomic(append(one, event(two))))
    assert rules(error) == [("appends[0].events[0].envelope.subject_id", "event.subject_is_stream")]
    assert await shared.stream(one) == []
