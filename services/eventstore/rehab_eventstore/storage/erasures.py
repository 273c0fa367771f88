"""Erasures and legal holds in PostgreSQL."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from rehab.eventstore.v1 import eventstore_service_pb2 as pb
from rehab_runtime.errors import LegalHold, NotFound, RehabError
from rehab_runtime.postgres import Database, Queries


@dataclass(frozen=True)
class Reach:
    """What an erasure would make unreadable."""

    events: int
    sealed: int
    clinic_id: str
    key_ids: Sequence[str]


@dataclass(frozen=True)
class Erasure:
    """One that has begun. `event` is what the log will tell of it; `position` is where it does,
    None until then."""

    stream: str
    event: pb.NewEvent
    position: int | None
    keys: int | None
    ended: bool


@dataclass(frozen=True)
class Hold:
    stream: str
    reason: str
    placed_by: str
    placed_at: datetime


@dataclass(frozen=True)
class KeyRecord:
    """What is left of a key; `destroyed_at` is None while it lives."""

    key_id: str
    created_at: datetime
    destroyed_at: datetime | None


@dataclass(frozen=True)
class Report:
    """An erasure, and what was found of its subject when it was asked for."""

    stream: str
    reason: str
    begun_by: str
    begun_at: datetime
    ended_at: datetime | None
    position: int | None
    event_hash: bytes
    sealed: int
    living: int
    snapshots: int
    keys: Sequence[KeyRecord]

    @property
    def complete(self) -> bool:
        return self.ended_at is not None and self.living == 0 and self.snapshots == 0


class Erasures:
    """Every method raises Unavailable when PostgreSQL does not answer."""

    def __init__(self, database: Database, queries: Queries) -> None:
        self._database = database
        self._queries = queries

    async def reach(self, stream: str) -> Reach:
        """Raises NotFound for a stream without events, LegalHold."""
        async with self._database.acquire() as connection:
            return await self._reach(connection, stream)

    async def _reach(self, connection: asyncpg.Connection, stream: str) -> Reach:
        found = await connection.fetchrow(self._queries["subject"], stream)
        if not found["events"]:
            raise NotFound("a stream without events")
        hold = await connection.fetchrow(self._queries["hold"], stream)
        if hold is not None:
            raise LegalHold(metadata={"reason": hold["reason"]})
        keys = await connection.fetch(self._queries["living_keys"], stream)
        return Reach(
            found["events"], found["sealed"], found["clinic_id"], [row["key_id"] for row in keys]
        )

    async def begin(
        self, stream: str, reason: str, by: str, event_of: Callable[[Reach], pb.NewEvent]
    ) -> Erasure:
        """Close the stream for good, unless that was done: its erasure is returned. From then on
        the subject gets no key, and no hold is possible. Raises NotFound, LegalHold."""
        async with self._database.transaction() as connection:
            await connection.execute(self._queries["lock"])
            begun = await connection.fetchrow(self._queries["erasure"], stream)
            if begun is None:
                event = event_of(await self._reach(connection, stream))
                await connection.execute(
                    self._queries["begin"], stream, reason, by, event.SerializeToString()
                )
                begun = await connection.fetchrow(self._queries["erasure"], stream)
        return _erasure(begun)

    async def find(self, stream: str) -> Erasure | None:
        row = await self._database.fetchrow(self._queries["erasure"], stream)
        return _erasure(row) if row is not None else None

    async def recent(self) -> list[str]:
        """Streams that were closed within the last minute."""
        return [row["stream_id"] for row in await self._database.fetch(self._queries["recent"])]

    async def unfinished(self) -> list[Erasure]:
        return [_erasure(row) for row in await self._database.fetch(self._queries["unfinished"])]

    async def end(self, stream: str, position: int) -> int:
        """Destroy the subject's keys and snapshots; how many keys were destroyed in all."""
        async with self._database.transaction() as connection:
            destroyed = await connection.fetch(self._queries["destroy_keys"], stream)
            await connection.execute(self._queries["drop_snapshots"], stream)
            ended = await connection.fetchrow(
                self._queries["end"], stream, position, len(destroyed)
            )
        # autovacuum does it too, only later
        with contextlib.suppress(RehabError, asyncpg.PostgresError):
            await self._database.execute(self._queries["clean_up"])
        return int(ended["keys"])

    async def place_hold(self, stream: str, reason: str, by: str) -> bool:
        """Forbid the erasure; False when it has begun. Raises NotFound."""
        async with self._database.transaction() as connection:
            await connection.execute(self._queries["lock"])
            if await connection.fetchrow(self._queries["erasure"], stream) is not None:
                return False
            found = await connection.fetchrow(self._queries["subject"], stream)
            if not found["events"]:
                raise NotFound("a stream without events")
            await connection.execute(self._queries["place_hold"], stream, reason, by)
        return True

    async def release_hold(self, stream: str) -> None:
        """Raises NotFound without a hold."""
        if await self._database.fetchrow(self._queries["release_hold"], stream) is None:
            raise NotFound("no hold")

    async def holds(self) -> list[Hold]:
        return [Hold(*row) for row in await self._database.fetch(self._queries["holds"])]

    async def reports(self, stream: str, limit: int) -> list[Report]:
        rows = await self._database.fetch(self._queries["reports"], stream, limit)
        streams = [row["stream_id"] for row in rows]
        keys: dict[str, list[KeyRecord]] = {one: [] for one in streams}
        for key in await self._database.fetch(self._queries["keys_of"], streams):
            keys[key["stream_id"]].append(KeyRecord(*list(key)[1:]))
        return [
            Report(
                row["stream_id"],
                row["reason"],
                row["begun_by"],
                row["begun_at"],
                row["ended_at"],
                row["position"],
                row["hash"] or b"",
                row["sealed"],
                row["living"],
                row["snapshots"],
                keys[row["stream_id"]],
            )
            for row in rows
        ]


def _erasure(row: asyncpg.Record) -> Erasure:
    return Erasure(
        row["stream_id"],
        pb.NewEvent.FromString(row["event"]),
        row["position"],
        row["keys"],
        row["ended_at"] is not None,
    )
