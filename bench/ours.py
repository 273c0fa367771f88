"""The log as it is: its writer alone, its gRPC interface, its reads and its proof."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import grpc

from bench.measure import Measure, Rate, many
from rehab.eventstore.v1 import eventstore_service_pb2 as store
from rehab.eventstore.v1 import proof_service_pb2 as proof
from rehab.eventstore.v1.eventstore_service_pb2_grpc import EventStoreServiceStub
from rehab.eventstore.v1.proof_service_pb2_grpc import ProofServiceStub
from rehab_cli.supervisor import Service, environment
from rehab_eventstore.committer import Committer
from rehab_eventstore.crypto.cache import KeyCache
from rehab_eventstore.domain.cache import LogCache
from rehab_eventstore.memory import Memory
from rehab_eventstore.messages import append_command, priority_of
from rehab_eventstore.queue import Bounds, CommandQueue
from rehab_eventstore.rotation import Limits, Rotation
from rehab_eventstore.sealing import KeySealer
from rehab_eventstore.storage.keys import KeyStore
from rehab_eventstore.storage.link import Link
from rehab_eventstore.writer import Writer
from rehab_runtime import postgres
from rehab_runtime.auth import bearer, service_principal
from rehab_runtime.channels import channel
from rehab_runtime.clock import SystemClock, uuid7
from rehab_runtime.keepers.local import LocalKeys
from rehab_runtime.postgres import Queries

METADATA = (bearer(service_principal("cli")),)


def request(stream: str, body: bytes, count: int = 1) -> store.AppendRequest:
    """An append of sealed events, as ingest sends it."""
    made = store.AppendRequest(stream=stream)
    for _ in range(count):
        envelope = made.events.add(body=body).envelope
        envelope.event_id, envelope.clinic_id = str(uuid7()), "clinic-1"
        envelope.subject_id, envelope.kind = stream, "rep_observation"
        envelope.schema_version, envelope.phi = 1, True
        envelope.consent_id, envelope.zone = "consent-1", "Europe/Berlin"
        envelope.occurred_at.GetCurrentTime()
        envelope.actor.id, envelope.actor.role = "device-1", 6
    return made


@asynccontextmanager
async def writer(dsn: str, folder: Path) -> AsyncIterator[Writer]:
    """The writer without gRPC, sealing and chaining, on a log of its own."""
    await postgres.ensure_database(dsn)
    await postgres.migrate(dsn, "rehab_eventstore")
    clock, queries = SystemClock(), Queries.load("rehab_eventstore", "queries.sql")
    async with postgres.connect(dsn, name="bench") as database:
        keys = KeyStore(database, queries, LocalKeys.open(folder / "writer-keys.json", clock))
        cache = KeyCache(keys.load, clock, ttl_s=3600)
        rotation = Rotation(keys, cache, clock, Limits(365 * 86_400.0, 2**31))
        sealer = KeySealer(keys, cache, rotation, b"bench" * 8)
        link = Link(dsn, queries, 0, 10)
        memory = Memory(link, LogCache(200_000, 100_000), lambda _: None)
        made = Writer(
            CommandQueue(Bounds()),
            Committer(link, memory, clock),
            memory,
            sealer,
            clock,
            patience_s=10,
        )
        running = asyncio.create_task(made.run())
        try:
            yield made
        finally:
            await made.drain()
            await running
            await link.close()


def written(made: Writer, callers: int, seconds: float, body: bytes) -> Measure:
    async def run() -> Rate:
        async def once(number: int) -> None:
            asked = request(f"w-{number}", body)
            await made.append(append_command(asked), priority_of(asked))

        return await many(callers, seconds, once)

    return run


@asynccontextmanager
async def eventstore(dsn: str, nats_url: str, folder: Path) -> AsyncIterator[str]:
    """The service as a process. Yields its address."""
    own = {
        "LISTEN": "127.0.0.1:0",
        "METRICS_LISTEN": "",
        "POSTGRES_DSN": dsn,
        "NATS_URL": nats_url,
        "KEY_FILE": str(folder / "keys.json"),
        "SIGNING_KEY_FILE": str(folder / "signing.pem"),
        "KEY_CACHE_S": "3600",
    }
    service = Service("eventstore", environment("eventstore", own), lambda *_: None)
    try:
        await service.start()
        yield service.address
    finally:
        await service.stop()


@asynccontextmanager
async def echo() -> AsyncIterator[str]:
    """A grpc.aio server that answers what it is told: the ceiling. Yields its address."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench.echo"), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        yield (await process.stdout.readline()).decode().strip()
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await process.wait()


def echoed(connection: grpc.aio.Channel, callers: int, seconds: float, body: bytes) -> Measure:
    call: Any = connection.unary_unary("/bench.Echo/Say")

    async def run() -> Rate:
        async def once(number: int) -> None:
            asked = request(f"e-{number}", body).SerializeToString()
            await call(asked, metadata=METADATA, timeout=20)

        return await many(callers, seconds, once)

    return run


def appended(stub: Any, callers: int, seconds: float, body: bytes) -> Measure:
    async def run() -> Rate:
        async def once(number: int) -> None:
            asked = request(f"g-{number}", body)
            await stub.Append(asked, metadata=METADATA, timeout=20)

        return await many(callers, seconds, once)

    return run


def batched(stub: Any, callers: int, events: int, seconds: float, body: bytes) -> Measure:
    async def run() -> Rate:
        async def once(number: int) -> None:
            asked = request(f"b-{number}", body, events)
            await stub.Append(asked, metadata=METADATA, timeout=20)

        return await many(callers, seconds, once, events)

    return run


def read_all(stub: Any, limit: int) -> Measure:
    async def run() -> Rate:
        return await _timed(_read(stub, limit))

    return run


async def _read(stub: Any, limit: int) -> int:
    count = 0
    pages = stub.ReadAll(store.ReadAllRequest(limit=limit), metadata=METADATA, timeout=120)
    async for page in pages:
        count += len(page.events)
    return count


def verified(connection: grpc.aio.Channel, until: int) -> Measure:
    async def walk() -> int:
        steps = ProofServiceStub(connection).VerifyLog(
            proof.VerifyLogRequest(to_position=until), metadata=METADATA, timeout=300
        )
        last = [step async for step in steps][-1].verdict
        assert not last.HasField("finding"), last.finding
        return int(last.verified)

    async def run() -> Rate:
        return await _timed(walk())

    return run


async def _timed(work: Any) -> Rate:
    loop = asyncio.get_running_loop()
    began = loop.time()
    count = await work
    return Rate(count / (loop.time() - began))


def selected(dsn: str, limit: int) -> Measure:
    """The same rows by a bare SELECT."""

    async def rows() -> int:
        connection = await asyncpg.connect(dsn)
        try:
            found = await connection.fetch(
                "SELECT * FROM events WHERE shard = 0 ORDER BY position LIMIT $1", limit
            )
        finally:
            await connection.close()
        return len(found)

    async def run() -> Rate:
        return await _timed(rows())

    return run


@asynccontextmanager
async def connected(address: str) -> AsyncIterator[tuple[grpc.aio.Channel, Any]]:
    async with AsyncExitStack() as stack:
        connection = await stack.enter_async_context(channel(address))
        yield connection, EventStoreServiceStub(connection)
