"""What one caller may do, and how long a device may stay."""

from __future__ import annotations

import asyncio
import time
import uuid
from typing import Any

import grpc
import pytest

from rehab.ingest.v1 import ingest_service_pb2 as pb
from rehab_runtime.auth import Principal, bearer, service_principal
from rehab_runtime.embedded import Postgres, Valkey
from rehab_runtime.errors import Overloaded, ProtocolViolation, from_rpc_error
from tests.ingest.front import METADATA, Device, fronted
from tests.ingest.given import CLINIC, rep


def somebody() -> Any:
    """Buckets in Valkey outlive a test: each has a caller of its own."""
    return (bearer(Principal(f"patient-{uuid.uuid4().hex}", "patient", CLINIC)),)


async def test_a_device_that_sends_too_much_waits_and_loses_nothing(
    postgres: Postgres, nats_url: str, valkey: Valkey
) -> None:
    told = {"valkey_url": valkey.url, "caller_requests": 10}
    async with fronted(postgres, nats_url, **told) as front:
        device, events = Device(front.stub, somebody()), [rep() for _ in range(30)]
        welcome = await device.hello()
        began = time.monotonic()
        for index, event in enumerate(events):
            await device.send(index + 1, event)
        narrowed = await device.until(lambda message: message.HasField("window"), "window")
        assert narrowed.events < welcome.window
        await device.settled(30)
        assert time.monotonic() - began >= 0.9
        assert await front.stored() == [event.envelope.event_id for event in events]


async def test_a_simple_call_too_many_is_refused_and_told_when_to_come_back(
    postgres: Postgres, nats_url: str, valkey: Valkey
) -> None:
    told = {"valkey_url": valkey.url, "caller_requests": 1}
    async with fronted(postgres, nats_url, **told) as front:
        one, other = somebody(), somebody()
        for _ in range(2):
            await front.stub.LogEvent(pb.LogEventRequest(event=rep()), metadata=one, timeout=5)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await front.stub.LogEvents(pb.LogEventsRequest(events=[rep()]), metadata=one)
        error = from_rpc_error(caught.value)
        assert isinstance(error, Overloaded)
        assert error.retry_after_s
        await front.stub.LogEvent(pb.LogEventRequest(event=rep()), metadata=other, timeout=5)
        assert error.retry_after_s <= 1.1
        await asyncio.sleep(error.retry_after_s)
        await front.stub.LogEvent(pb.LogEventRequest(event=rep()), metadata=one, timeout=5)


async def test_limits_hold_without_valkey_and_services_have_none(
    postgres: Postgres, nats_url: str
) -> None:
    told = {"valkey_url": "redis://127.0.0.1:1/0", "caller_requests": 1}
    async with fronted(postgres, nats_url, **told) as front:
        own = (bearer(service_principal("care")),)
        for _ in range(5):
            await front.stub.LogEvent(pb.LogEventRequest(event=rep()), metadata=own, timeout=5)
        one = somebody()
        refused = 0
        for _ in range(4):
            try:
                await front.stub.LogEvent(pb.LogEventRequest(event=rep()), metadata=one, timeout=5)
            except grpc.aio.AioRpcError as error:
                assert isinstance(from_rpc_error(error), Overloaded)
                refused += 1
        assert refused >= 1


async def test_whoever_does_not_say_hello_is_sent_away(postgres: Postgres, nats_url: str) -> None:
    async with fronted(postgres, nats_url, hello_s=0.1) as front:
        error = await Device(front.stub).error()
        assert isinstance(error, ProtocolViolation)
        assert error.violations[0].rule == "protocol.hello_in_time"


@pytest.mark.parametrize("told", [{"idle_s": 0.2}, {"max_age_s": 0.2}])
async def test_a_device_that_is_silent_or_here_for_long_is_asked_to_connect_anew(
    postgres: Postgres, nats_url: str, told: dict[str, Any]
) -> None:
    async with fronted(postgres, nats_url, **told) as front:
        device, event = Device(front.stub, METADATA), rep()
        await device.hello()
        await device.send(1, event)
        asked = await device.until(lambda message: message.HasField("reconnect"), "reconnect")
        while (message := await device.call.read()) is not grpc.aio.EOF:
            assert not message.HasField("reject")
        assert await device.call.code() is grpc.StatusCode.OK
        again = Device(front.stub)
        welcome = await again.hello(resume_token=asked.resume_token)
        assert welcome.acked_seq == 1
        assert await front.stored() == [event.envelope.event_id]
