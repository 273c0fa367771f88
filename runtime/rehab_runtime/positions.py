"""How far a service has folded the log, kept in its own database beside what it folded."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import asyncpg

from rehab.events.v1.event_pb2 import RecordedEvent
from rehab_runtime.errors import Stale
from rehab_runtime.postgres import Database, Queries


class FencedError(Exception):
    """Another replica has folded on: nothing was stored, read the position anew."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far a shard is folded, of the log of that incarnation."""

    shard: int
    position: int
    incarnation: str


class Positions:
    """The cursors of a service, one for each shard. Its migrations make the table: `shard integer
    PRIMARY KEY, position bigint NOT NULL, incarnation text NOT NULL`."""

    def __init__(self, database: Database, table: str) -> None:
        self._database = database
        queries = Queries.load("rehab_runtime", "positions.sql")
        self._queries = {name: text.replace("POSITIONS", table) for name, text in queries.items()}

    async def of(self, shard: int, incarnation: str) -> Cursor:
        """Where a shard's fold goes on; a new one begins in the log of that incarnation."""
        await self._database.execute(self._queries["start"], shard, incarnation)
        return next(one for one in await self.all() if one.shard == shard)

    async def all(self) -> Sequence[Cursor]:
        rows = await self._database.fetch(self._queries["all"])
        return [Cursor(row["shard"], row["position"], row["incarnation"]) for row in rows]

    async def advance(
        self, connection: asyncpg.Connection, cursor: Cursor, batch: Sequence[RecordedEvent]
    ) -> Cursor:
        """The cursor after a batch. Call it first in the transaction that stores what the batch
        changes: two replicas then never store the same. Raises FencedError when the cursor is not
        where it is believed to be."""
        reached = replace(cursor, position=batch[-1].envelope.position)
        named = (cursor.shard, cursor.position, reached.position, cursor.incarnation)
        if await connection.execute(self._queries["advance"], *named) != "UPDATE 1":
            raise FencedError(f"shard {cursor.shard}")
        return reached


class Progress:
    """How far each shard is folded, as this replica knows."""

    def __init__(self) -> None:
        self._positions: dict[int, int] = {}
        self._moved = asyncio.Event()

    @property
    def positions(self) -> Mapping[int, int]:
        """By shard; none of those whose fold has not begun here."""
        return dict(self._positions)

    def set(self, cursor: Cursor) -> None:
        self._positions[cursor.shard] = cursor.position
        self._moved.set()
        self._moved = asyncio.Event()

    async def wait(self, shard: int, position: int, timeout_s: float) -> None:
        """Raises Stale when it is not reached in time."""
        try:
            async with asyncio.timeout(timeout_s):
                while self._positions.get(shard, -1) < position:
                    await self._moved.wait()
        except TimeoutError:
            raise Stale(f"shard {shard} is not folded to {position}") from None
