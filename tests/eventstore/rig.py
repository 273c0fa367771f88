"""A writer without gRPC, on a real log."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import asyncpg

from rehab.eventstore.v1 import eventstore_service_pb2 as pb
from rehab_eventstore.committer import Committer
from rehab_eventstore.domain.cache import LogCache
from rehab_eventstore.domain.commands import Appended
from rehab_eventstore.domain.head import Head
from rehab_eventstore.memory import Memory
from rehab_eventstore.messages import append_command, priority_of
from rehab_eventstore.queue import Bounds, CommandQueue
from rehab_eventstore.sealing import PlainSealer
from rehab_eventstore.storage.link import Link
from rehab_eventstore.writer import Writer
from rehab_runtime.clock import Clock, SystemClock
from rehab_runtime.postgres import Queries
from tests.eventstore.given import copy

QUERIES = Queries.load("rehab_eventstore", "queries.sql")
KEY = b"the tests' own key"


@dataclass
class Rig:
    """A running writer with its parts in reach."""

    writer: Writer
    queue: CommandQueue
    link: Link
    memory: Memory
    running: asyncio.Task[None]
    heads: list[Head] = field(default_factory=list)

    async def append(self, request: pb.AppendRequest) -> Appended:
        """Raises what the writer answers. The request may be used again."""
        request = copy(request)
        (appended,) = await self.writer.append(append_command(request), priority_of(request))
        return appended


@asynccontextmanager
async def rig(
    dsn: str,
    *,
    clock: Clock | None = None,
    bounds: Bounds | None = None,
    cached: int = 10_000,
    patience_s: float = 4,
    timeout_s: float = 3,
) -> AsyncIterator[Rig]:
    heads: list[Head] = []
    clock = clock or SystemClock()
    link = Link(dsn, QUERIES, 0, timeout_s)
    memory = Memory(link, LogCache(cached, cached), heads.append)
    queue = CommandQueue(bounds or Bounds())
    writer = Writer(
        queue,
        Committer(link, memory, clock),
        memory,
        PlainSealer(KEY),
        clock,
        patience_s=patience_s,
    )
    running = asyncio.create_task(writer.run())
    try:
        yield Rig(writer, queue, link, memory, running, heads)
    finally:
        async with asyncio.timeout(10):
            await writer.drain()
            await running
        await link.close()


@dataclass(frozen=True)
class Stored:
    """An event as the table holds it."""

    position: int
    stream: str
    version: int
    event_id: str
    recorded_at: Any


async def stored(dsn: str, streams: Sequence[str] = (), after: int = 0) -> list[Stored]:
    """What the log holds, in the order of positions."""
    connection = await asyncpg.connect(dsn)
    try:
        rows = await connection.fetch(
            "SELECT position, stream_id, stream_version, event_id, recorded_at FROM events"
            " WHERE position > $1 AND ($2::text[] = '{}' OR stream_id = ANY ($2))"
            " ORDER BY position",
            after,
            list(streams),
        )
    finally:
        await connection.close()
    return [Stored(row[0], row[1], row[2], str(row[3]), row[4]) for row in rows]


async def assert_sound(dsn: str) -> None:
    """Positions gapless up to the head, versions gapless in the order of positions, the clock
    never backwards."""
    rows = await stored(dsn)
    connection = await asyncpg.connect(dsn)
    try:
        head = await connection.fetchval("SELECT position FROM log_head")
    finally:
        await connection.close()
    assert [row.position for row in rows] == list(range(1, head + 1))
    last: dict[str, int] = {}
    for row in rows:
        assert row.version == last.get(row.stream, 0) + 1
        last[row.stream] = row.version
    times = [row.recorded_at for row in rows]
    assert times == sorted(times)
