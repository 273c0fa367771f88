"""A device that says the wrong thing at the wrong time harms its own stream, and nobody else's."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
import pytest_asyncio

from rehab.eventstore.v1 import eventstore_service_pb2 as store_pb
from rehab.ingest.v1 import ingest_service_pb2 as pb
from rehab_runtime.auth import Principal, bearer
from rehab_runtime.channels import MAX_MESSAGE_BYTES
from rehab_runtime.embedded import Nats, Postgres
from rehab_runtime.errors import InvalidArgument, RehabError, from_rpc_error
from tests.ingest.front import METADATA, Device, Front, fronted
from tests.ingest.given import CLINIC, PATIENT, rep

pytestmark = pytest.mark.asyncio(loop_scope="module")
METHOD = "/rehab.ingest.v1.IngestService/StreamObservations"
OTHER = "patient-of-next-door"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def front(postgres: Postgres, nats: Nats) -> AsyncIterator[Front]:
    async with fronted(postgres, nats.url) as made:
        yield made


@pytest_asyncio.fixture(loop_scope="module")
async def neighbour(front: Front) -> AsyncIterator[Device]:
    """Streams before, during and after; everything it sends is settled."""
    own = Device(front.stub, (bearer(Principal(OTHER, "patient", CLINIC)),))
    welcome = await own.hello(device="next-door")
    seq = welcome.acked_seq
    await own.send(seq + 1, rep(OTHER))
    await own.settled(seq + 1)
    yield own
    await own.send(seq + 2, rep(OTHER))
    await own.settled(seq + 2)
    assert own.rejects == []
    own.call.cancel()


def hello(**told: Any) -> bytes:
    made = pb.Hello(**{"clinic_id": CLINIC, "device_id": "rough", "epoch": 1, **told})
    return pb.StreamObservationsRequest(hello=made).SerializeToString()


def batch(first: int, count: int = 1) -> bytes:
    made = pb.Batch(first_seq=first, events=[rep() for _ in range(count)])
    return pb.StreamObservationsRequest(batch=made).SerializeToString()


async def error(front: Front, *frames: bytes) -> tuple[RehabError, int]:
    """How the stream ends, and what was acknowledged before."""
    open_ = front.connection.stream_stream(METHOD)
    call = open_(_each(frames), metadata=METADATA, timeout=20)
    acked = 0
    try:
        async for said in call:
            acked = max(acked, pb.StreamObservationsResponse.FromString(said).ack.seq)
    except grpc.aio.AioRpcError as ended:
        return from_rpc_error(ended), acked
    raise AssertionError("the stream ended well")


async def _each(frames: tuple[bytes, ...]) -> AsyncIterator[bytes]:
    for one in frames:
        yield one


WRONG = {
    "nothing": ((), "protocol.hello"),
    "batch before hello": ((batch(1),), "protocol.hello"),
    "an empty frame": ((b"",), "protocol.hello"),
    "no message": ((b"\xff\xff",), "message.decodable"),
    "hello twice": ((hello(), hello()), "protocol.batch"),
    "an empty frame after hello": ((hello(), b""), "protocol.batch"),
    "no message after hello": ((hello(), b"\x12\x7f\x08"), "message.decodable"),
    "a batch without events": ((hello(), batch(1, 0)), "batch.size"),
    "number 0": ((hello(epoch=7), batch(0)), "batch.size"),
    "a gap": ((hello(epoch=7), batch(9)), "seq.contiguous"),
    "a number of 64 bits": ((hello(epoch=7), batch(2**64 - 1)), "seq.contiguous"),
    "an epoch of 64 bits": ((hello(epoch=2**63),), "uint64.gte_lte"),
    "an epoch of none": ((hello(epoch=0),), "uint64.gte_lte"),
    "what is acknowledged cannot be counted": ((hello(last_seq=2**63 - 1),), "uint64.lte"),
    "another clinic": ((hello(clinic_id="clinic-2"),), "clinic.own"),
    "a device of no name": ((hello(device_id="a\0b"),), "string.pattern"),
}


@pytest.mark.parametrize("what", WRONG)
async def test_what_is_out_of_turn_ends_the_stream_by_a_named_rule(
    front: Front, neighbour: Device, what: str
) -> None:
    frames, rule = WRONG[what]
    ended, _ = await error(front, *frames)
    assert [one.rule for one in ended.violations] == [rule]


async def test_what_came_before_garbage_is_settled_and_acknowledged(
    front: Front, neighbour: Device
) -> None:
    before = len(await front.stored())
    ended, acked = await error(front, hello(epoch=20), batch(1, 3), b"\xff", batch(4))
    assert isinstance(ended, InvalidArgument)
    assert acked == 3
    assert len(await front.stored()) == before + 3


@pytest.mark.parametrize("seconds", [2**62, -(2**62), 253_402_300_800])
async def test_a_clock_that_shows_what_no_clock_shows_says_nothing(
    front: Front, seconds: int
) -> None:
    device = front.device()
    told = pb.Hello().device_time
    told.seconds = seconds
    welcome = await device.hello(epoch=30, device="clockless", device_time=told)
    await device.send(welcome.acked_seq + 1, rep())
    await device.settled(welcome.acked_seq + 1)
    device.call.cancel()


async def test_a_frame_that_is_too_large_ends_its_stream_alone(
    front: Front, neighbour: Device
) -> None:
    device = front.device()
    await device.hello(device="large")
    large = rep()
    large.body.rep_observation.exercise_id = "x" * (MAX_MESSAGE_BYTES + 1)
    await device.send(1, large)
    with pytest.raises(grpc.aio.AioRpcError) as ended:
        await device.until(lambda _: False, "nothing")
    assert ended.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert "xxx" not in (ended.value.details() or "")
    again = front.device()
    assert (await again.hello(device="large")).acked_seq == 0
    again.call.cancel()


async def test_feedback_that_is_no_message_is_passed_over_and_the_next_is_told(
    front: Front,
) -> None:
    device = front.device()
    await device.hello(device="listens", session_id="session-1")

    async def say(body: bytes, cue: str = "") -> None:
        event = rep()
        event.envelope.kind, event.envelope.actor.role = "feedback", 5
        told = event.body.feedback
        told.session_id, told.form.cue = "session-1", cue
        request = store_pb.AppendRequest(stream=PATIENT)
        request.expected.any.SetInParent()
        request.events.add(envelope=event.envelope, body=body or event.body.SerializeToString())
        await front.log.append(request)

    heard: set[str] = set()
    for number in range(100):
        # until ingest hears the log, nobody is told anything
        await say(b"\xff\xff")
        await say(b"", f"cue_{number}")
        if number < 3:
            continue
        told = await device.until(lambda one: one.HasField("feedback"), "feedback")
        heard.add(told.cue)
        if len(heard) == 2:
            break
    assert len(heard) == 2
    device.call.cancel()
