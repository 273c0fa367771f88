"""A device's stream over a real channel, an event store and PostgreSQL behind it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import grpc
import pytest
import pytest_asyncio

from rehab.errors.v1 import error_reason_pb2 as reasons
from rehab.events.v1.event_pb2 import Event
from rehab.ingest.v1 import ingest_service_pb2 as pb
from rehab_runtime.embedded import Postgres
from rehab_runtime.errors import SequenceGap, StreamSuperseded, from_rpc_error
from tests.ingest.front import METADATA, Front, fronted
from tests.ingest.given import rep


@pytest_asyncio.fixture
async def front(postgres: Postgres, nats_url: str) -> AsyncIterator[Front]:
    async with fronted(postgres, nats_url) as made:
        yield made


def ids(*events: Event) -> list[str]:
    return [event.envelope.event_id for event in events]


async def test_what_is_acknowledged_is_stored_in_order(front: Front) -> None:
    device, events = front.device(), [rep() for _ in range(30)]
    assert (await device.hello()).acked_seq == 0
    for start in range(0, 30, 10):
        await device.send(start + 1, *events[start : start + 10])
    await device.settled(30)
    assert await front.stored() == ids(*events)


def spoiled(change: Callable[[Event], None]) -> Event:
    event = rep()
    change(event)
    return event


def huge(event: Event) -> None:
    event.body.rep_observation.exercise_id = "x" * 2_000_000


def not_a_number(event: Event) -> None:
    event.body.rep_observation.reps[0].score = float("nan")


def in_2099(event: Event) -> None:
    event.envelope.occurred_at.FromJsonString("2099-01-01T00:00:00Z")


def unknown_kind(event: Event) -> None:
    event.envelope.kind = "telepathy"


def without_consent(event: Event) -> None:
    event.envelope.consent_id = ""


@pytest.mark.parametrize(
    ("change", "reason", "field", "rule"),
    [
        (unknown_kind, reasons.ERROR_REASON_UNKNOWN_KIND, "envelope.kind", "kind.known"),
        (
            not_a_number,
            reasons.ERROR_REASON_INVALID_ARGUMENT,
            "body.rep_observation.reps[0].score",
            "double.finite",
        ),
        (
            in_2099,
            reasons.ERROR_REASON_INVALID_ARGUMENT,
            "envelope.occurred_at",
            "timestamp.not_in_future",
        ),
        (huge, reasons.ERROR_REASON_EVENT_TOO_LARGE, "body", "event.max_bytes"),
        (
            without_consent,
            reasons.ERROR_REASON_CONSENT_MISSING,
            "envelope.consent_id",
            "envelope.consent_id",
        ),
    ],
)
async def test_a_bad_event_is_rejected_and_its_neighbours_are_stored(
    front: Front, change: Callable[[Event], None], reason: int, field: str, rule: str
) -> None:
    device, before, after = front.device(), rep(), rep()
    await device.hello()
    await device.send(1, before, spoiled(change), after)
    await device.settled(3)
    (reject,) = device.rejects
    assert (reject.seq, reject.failure.reason) == (2, reason)
    assert (field, rule) in [(item.field, item.rule) for item in reject.failure.violations]
    assert await front.stored() == ids(before, after)


async def test_a_wrong_resume_token_is_told_and_the_stream_goes_on(front: Front) -> None:
    device, event = front.device(), rep()
    await device.hello(resume_token="1.9.not-ours", last_seq=9)
    (reject,) = device.rejects
    assert reject.failure.reason == reasons.ERROR_REASON_RESUME_TOKEN_INVALID
    assert reject.failure.violations[0].field == "hello.resume_token"
    await device.send(1, event)
    await device.settled(1)
    assert await front.stored() == ids(event)


async def test_after_a_cut_the_device_goes_on_after_the_last_durable_event(front: Front) -> None:
    events = [rep() for _ in range(6)]
    first = front.device()
    await first.hello()
    await first.send(1, *events[:3])
    await first.settled(3)
    first.call.cancel()
    second = front.device()
    acked = (await second.hello()).acked_seq
    await second.send(acked + 1, *events[acked:])
    await second.settled(6)
    assert await front.stored() == ids(*events)


async def test_a_second_stream_of_the_device_takes_over_and_loses_nothing(front: Front) -> None:
    events = [rep() for _ in range(4)]
    older, newer = front.device(), front.device()
    await older.hello()
    await older.send(1, *events[:2])
    await older.settled(2)
    welcome = await newer.hello(last_seq=2)
    error = await older.error()
    assert isinstance(error, StreamSuperseded)
    assert error.violations[0].field == "hello.epoch"
    assert welcome.acked_seq == 2
    await newer.send(3, *events[2:])
    await newer.settled(4)
    assert await front.stored() == ids(*events)


async def test_a_gap_in_the_sequence_is_told_with_the_number_expected(front: Front) -> None:
    device = front.device()
    await device.hello()
    await device.send(5, rep())
    error = await device.error()
    assert isinstance(error, SequenceGap)
    assert error.metadata["expected_seq"] == "1"


async def test_an_event_sent_again_under_another_number_is_stored_once(front: Front) -> None:
    event = rep()
    device, other = front.device(), front.device()
    await device.hello()
    await device.send(1, event)
    await device.settled(1)
    await other.hello(epoch=2)
    await other.send(1, event)
    await other.settled(1)
    assert other.rejects == []
    assert await front.stored() == ids(event)


async def test_a_restart_of_the_event_store_loses_no_acknowledgement(front: Front) -> None:
    device, events = front.device(), [rep() for _ in range(60)]
    await device.hello()
    await device.send(1, *events[:20])
    restarting = asyncio.create_task(front.restart_eventstore())
    await device.send(21, *events[20:40])
    await restarting
    await device.send(41, *events[40:])
    await device.settled(60)
    assert await front.stored() == ids(*events)


async def test_simple_calls_get_a_verdict_per_event(front: Front) -> None:
    good, again = rep(), rep()
    answer = await front.stub.LogEvents(
        pb.LogEventsRequest(events=[good, spoiled(unknown_kind), again, good]),
        metadata=METADATA,
        timeout=10,
    )
    assert [verdict.WhichOneof("verdict") for verdict in answer.verdicts] == [
        "stored",
        "failure",
        "stored",
        "stored",
    ]
    assert await front.stored() == ids(good, again)


async def test_repeats_beside_new_events_are_answered_with_their_own_places(front: Front) -> None:
    first, second, third, fourth = (rep() for _ in range(4))

    async def log(*events: Event) -> list[tuple[int, int, bool]]:
        answer = await front.stub.LogEvents(
            pb.LogEventsRequest(events=events), metadata=METADATA, timeout=10
        )
        stored = [verdict.stored for verdict in answer.verdicts]
        return [(one.position, one.stream_version, one.duplicate) for one in stored]

    assert await log(first, second) == [(1, 1, False), (2, 2, False)]
    assert await log(third, first, fourth, second, fourth) == [
        *((3, 3, False), (1, 1, True), (4, 4, False), (2, 2, True), (4, 4, True)),
    ]
    assert await log(second, first) == [(2, 2, True), (1, 1, True)]
    assert await log(first, second, third) == [(1, 1, True), (2, 2, True), (3, 3, True)]


async def test_another_clinics_event_is_refused(front: Front) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await front.stub.LogEvent(
            pb.LogEventRequest(event=rep(clinic="clinic-2")), metadata=METADATA, timeout=10
        )
    error = from_rpc_error(refused.value)
    assert [item.field for item in error.violations] == ["event.envelope.clinic_id"]


async def test_a_call_without_credentials_is_refused(front: Front) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await front.stub.LogEvent(pb.LogEventRequest(event=rep()), timeout=10)
    assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED
