"""Whoever is slow on purpose is shown out by a limit, holds no memory, and slows nobody else."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from rehab.ingest.v1 import ingest_service_pb2 as pb
from rehab_runtime import decoding, server
from rehab_runtime.auth import Principal, bearer
from rehab_runtime.embedded import Postgres
from tests.ingest.front import Device, Front, fronted
from tests.ingest.given import CLINIC, PATIENT, rep
from tests.support.http2 import (
    ACK,
    DATA,
    END_HEADERS,
    END_STREAM,
    HEADERS,
    PING,
    PREFACE,
    RST_STREAM,
    SETTINGS,
    begun,
    call,
    frame,
    frames,
    message,
)

STREAM = "/rehab.ingest.v1.IngestService/StreamObservations"
UNARY = "/rehab.ingest.v1.IngestService/LogEvent"
OWN = Principal(PATIENT, "patient", CLINIC)
NEXT_DOOR = (bearer(Principal("next-door", "patient", CLINIC)),)
BYTE_S = 0.02
"""Between two bytes of those who drip."""
LONGEST_S = 20.0
CROWD = 40


class Slow:
    """A connection by hand."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self.answered = b""

    async def say(self, raw: bytes) -> None:
        with contextlib.suppress(ConnectionError):
            self._writer.write(raw)
            await self._writer.drain()

    async def drip(self, raw: bytes) -> None:
        """A byte at a time, and then nothing."""
        for one in raw:
            await self.say(bytes([one]))
            await asyncio.sleep(BYTE_S)

    async def closed(self) -> None:
        """Read until the server closes the connection. Who does not answer the ping by which it
        says farewell is waited for 20 seconds."""
        answered = 0
        with contextlib.suppress(ConnectionError):
            while chunk := await self._reader.read(65_536):
                self.answered += chunk
                pings = [told for kind, flags, _, told in frames(self.answered) if kind == PING]
                for told in pings[answered:]:
                    await self.say(frame(PING, ACK, 0, told))
                answered = len(pings)

    async def ended(self, stream: int = 1) -> None:
        """Read until the server ends the stream."""
        while not any(
            number == stream and (kind == RST_STREAM or (kind == HEADERS and flags & END_STREAM))
            for kind, flags, number, _ in frames(self.answered)
        ):
            chunk = await self._reader.read(65_536)
            assert chunk, "the connection was closed"
            self.answered += chunk

    def close(self) -> None:
        self._writer.close()


@asynccontextmanager
async def slow(front: Front) -> AsyncIterator[Slow]:
    host, port = front.address.rsplit(":", 1)
    made = Slow(*await asyncio.open_connection(host, int(port)))
    try:
        yield made
    finally:
        made.close()


@asynccontextmanager
async def dripping(connection: Slow, raw: bytes) -> AsyncIterator[None]:
    task = asyncio.create_task(connection.drip(raw))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@asynccontextmanager
async def undisturbed(front: Front) -> AsyncIterator[None]:
    """A phone next door streams before and after, on one stream."""
    device = Device(front.stub, NEXT_DOOR)
    await device.hello(device="next-door")
    await device.send(1, rep("next-door"))
    await device.settled(1)
    async with asyncio.timeout(LONGEST_S):
        yield
    await device.send(2, rep("next-door"))
    await device.settled(2)
    assert device.rejects == []
    device.call.cancel()


def limit(monkeypatch: pytest.MonkeyPatch, name: str, value_ms: int) -> None:
    """One that there is, made short."""
    told = dict(server.SERVER_OPTIONS)
    assert told[name] > value_ms
    monkeypatch.setattr(server, "SERVER_OPTIONS", tuple({**told, name: value_ms}.items()))


def hello(device: str = "slow") -> bytes:
    made = pb.Hello(clinic_id=CLINIC, device_id=device, epoch=1)
    return message(pb.StreamObservationsRequest(hello=made).SerializeToString())


def a_frame_for_each_byte(raw: bytes) -> bytes:
    return b"".join(frame(DATA, 0, 1, bytes([one])) for one in raw)


@pytest.mark.parametrize("raw", [PREFACE[:-1], PREFACE, b""])
async def test_who_does_not_begin_http2_in_time_is_closed(
    postgres: Postgres, nats_url: str, monkeypatch: pytest.MonkeyPatch, raw: bytes
) -> None:
    limit(monkeypatch, "grpc.server_handshake_timeout_ms", 400)
    async with (
        fronted(postgres, nats_url) as front,
        undisturbed(front),
        contextlib.AsyncExitStack() as stack,
    ):
        crowd = [await stack.enter_async_context(slow(front)) for _ in range(CROWD)]
        for one in crowd:
            await stack.enter_async_context(dripping(one, raw))
        await asyncio.gather(*(one.closed() for one in crowd))


async def test_who_connects_and_calls_nobody_is_closed(
    postgres: Postgres, nats_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit(monkeypatch, "grpc.max_connection_idle_ms", 400)
    async with fronted(postgres, nats_url) as front, undisturbed(front), slow(front) as one:
        await one.say(PREFACE + frame(SETTINGS, 0, 0))
        await one.closed()


@pytest.mark.parametrize("drip", [b"", hello()[:-1]])
async def test_whose_hello_does_not_come_in_time_is_sent_away(
    postgres: Postgres, nats_url: str, drip: bytes
) -> None:
    async with (
        fronted(postgres, nats_url, hello_s=0.5) as front,
        undisturbed(front),
        slow(front) as one,
    ):
        await one.say(begun(STREAM, OWN))
        await _while(one.drip(a_frame_for_each_byte(drip)), one.ended())


async def test_whose_batch_never_ends_is_asked_to_leave(postgres: Postgres, nats_url: str) -> None:
    # a long event, of which the last byte is never sent
    batch = pb.Batch(first_seq=1, events=[rep() for _ in range(200)])
    told = message(pb.StreamObservationsRequest(batch=batch).SerializeToString())
    async with fronted(postgres, nats_url, idle_s=0.6) as front, slow(front) as one:
        async with asyncio.timeout(LONGEST_S):
            await one.say(begun(STREAM, OWN) + frame(DATA, 0, 1, hello()))
            await _while(one.drip(a_frame_for_each_byte(told[:-1])), one.ended())
        assert await front.stored() == []


@pytest.mark.parametrize("drip", [b"", message(b"x" * 5000)[:-1]])
async def test_whose_request_does_not_come_in_time_is_refused(
    postgres: Postgres, nats_url: str, monkeypatch: pytest.MonkeyPatch, drip: bytes
) -> None:
    monkeypatch.setattr(decoding, "REQUEST_S", 0.4)
    async with fronted(postgres, nats_url) as front, undisturbed(front), slow(front) as one:
        await one.say(begun(UNARY, OWN))
        await _while(
            one.drip(a_frame_for_each_byte(drip)) if drip else asyncio.sleep(0), one.ended()
        )


async def test_who_shows_nobody_holds_no_place_while_a_request_is_on_its_way(
    postgres: Postgres, nats_url: str
) -> None:
    """As many calls as are served at once, none of which ever sends its request."""
    places = 8
    async with (
        fronted(postgres, nats_url, max_concurrent_rpcs=places) as front,
        undisturbed(front),
        slow(front) as one,
    ):
        await one.say(PREFACE + frame(SETTINGS, 0, 0))
        for number in range(4 * places):
            await one.say(frame(HEADERS, END_HEADERS, 2 * number + 1, call(UNARY, None)))
        for number in range(4 * places):
            await one.ended(2 * number + 1)
        stored = await front.stub.LogEvent(
            pb.LogEventRequest(event=rep("next-door")), metadata=NEXT_DOOR, timeout=10
        )
        assert stored.position > 0


async def _while(work: Any, done: Any) -> None:
    task = asyncio.create_task(work)
    try:
        await done
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
