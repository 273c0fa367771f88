"""Leases: which replica folds a shard of the log into a version of the read models."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import asyncpg

from rehab_projections.registry.versions import FOLD_VERSION, schema_of
from rehab_projections.storage.cursors import NAME, Cursor, cursor_of
from rehab_runtime.postgres import Database, Queries

LEASES = "projections_leases"
"""Told when a lease was given up, a replica came or went, or a fold is asked to try again."""
FOLDED = "projections_folded"
"""Told how far a shard is folded, and whose patients changed."""
FOLDS = "projections"
"""What PostgreSQL calls the connections that fold."""
PAYLOAD_BYTES = 7_900
"""PostgreSQL takes payloads of less than 8,000 bytes."""


@dataclass(frozen=True)
class Replica:
    """A process of this service. `name` is how operators know it; of two with one name the younger
    one takes the place of the other."""

    name: str
    id: uuid.UUID = field(default_factory=uuid.uuid4)


@dataclass(frozen=True)
class Lease:
    """As it is now. `asked` says that the fold is to try again what it holds back."""

    shard: int
    holder: uuid.UUID | None
    left_s: float
    asked: bool


@dataclass(frozen=True)
class Report:
    """How a fold is, as its holder tells the other replicas; None for what it does not know yet."""

    shard: int
    head: int
    folded_at: datetime | None
    lag_p50_ms: float | None
    lag_p99_ms: float | None


@dataclass(frozen=True)
class Told:
    """How far a shard is folded, and by whom. `holder` is empty when nobody folds it."""

    cursor: Cursor
    holder: str
    held_s: float
    head: int
    folded_at: datetime | None
    lag_p50_ms: float
    lag_p99_ms: float


@dataclass(frozen=True)
class Begun:
    """Where a fold goes on. `asked` is how often it was asked to try again, when it has not yet."""

    cursor: Cursor
    asked: int = 0


@dataclass(frozen=True)
class Moved:
    """A shard was folded up to a position; None for clinics too many to be named."""

    version: int
    shard: int
    position: int
    clinics: Sequence[str] | None

    def payload(self, by: uuid.UUID) -> str:
        told = [str(by), self.version, self.shard, self.position]
        named = json.dumps([*told, self.clinics])
        return named if len(named) <= PAYLOAD_BYTES else json.dumps([*told, None])

    @staticmethod
    def told(payload: str) -> tuple[uuid.UUID, Moved]:
        """Who tells, and what. Raises ValueError."""
        by, *told = json.loads(payload)
        return uuid.UUID(by), Moved(*told)


class Leases:
    """Those of one version. Every method raises Unavailable when PostgreSQL does not answer."""

    def __init__(
        self, database: Database, queries: Queries, replica: Replica, ttl_s: float, version: int
    ) -> None:
        self.replica = replica
        self.ttl_s = ttl_s
        self.version = version
        self._shards = 0
        self._database = database
        self._queries = {
            name: text.replace("SCHEMA", schema_of(version)) for name, text in queries.items()
        }

    async def open(self, shards: int) -> None:
        """There is a lease for each shard, and none of this replica's name before it."""
        self._shards = shards
        await self._execute("succeed", self.replica.name, self.replica.id)
        await self._execute("add_leases", self.version, shards)

    async def attend(self, reports: Sequence[Report]) -> list[uuid.UUID]:
        """This replica runs, and keeps what it holds. All that run, the eldest first."""
        me = self.replica.id
        row = await self._row(
            "attend", me, self.replica.name, self.version, self.ttl_s, FOLD_VERSION
        )
        if row is not None and row["joined"]:
            await self._tell(LEASES)
        if reports:
            columns = zip(*(_columns(one) for one in reports), strict=True)
            await self._execute("keep", self.version, me, self.ttl_s, *columns)
        else:
            await self._execute("bury")
        return [row["replica"] for row in await self._rows("attending")]

    async def all(self) -> list[Lease]:
        """One of each shard."""
        rows = await self._rows("leases", self.version)
        if len(rows) < self._shards:
            # PostgreSQL crashed before they were on its disk
            await self._execute("add_leases", self.version, self._shards)
            rows = await self._rows("leases", self.version)
        return [Lease(row["shard"], row["replica"], row["left_s"], row["asked"]) for row in rows]

    async def take(self, count: int) -> list[int]:
        """At most so many that nobody holds; the shards taken are returned."""
        me = self.replica
        rows = await self._rows("take", self.version, NAME, me.id, me.name, self.ttl_s, count)
        return [row["shard"] for row in rows]

    async def evict(self) -> None:
        """Cut off, in the middle of a batch, holders whose leases have run out."""
        await self._rows("evict", self.version, NAME, FOLDS)

    async def give_up(self, shards: Iterable[int]) -> None:
        """Let others take them at once."""
        if told := list(shards):
            await self._execute("give_up", self.version, self.replica.id, told)
            await self._tell(LEASES)

    async def leave(self) -> None:
        """This replica takes no leases any more."""
        await self._execute("leave", self.replica.id)
        await self._tell(LEASES)

    async def begin(self, shard: int) -> Begun | None:
        """Where to fold on; None when the lease is not this replica's, or the version does not
        answer. What is then stored is stored only while nobody else has taken the lease."""
        row = await self._row("begin", self.version, NAME, self.replica.id, shard)
        if row is None:
            return None
        return Begun(cursor_of(row), row["asked"] if row["asked"] > row["answered"] else 0)

    async def ask(self, shard: int) -> int | None:
        """Let the holder try again what it holds back; the number to wait for in `answered`. None
        when nobody has begun to fold the shard."""
        row = await self._row("ask", self.version, shard)
        await self._tell(LEASES)
        return int(row["asked"]) if row is not None else None

    async def answer(self, shard: int, asked: int) -> None:
        await self._execute("answer", self.version, shard, asked)
        await self._tell(LEASES)

    async def answered(self, shard: int) -> int:
        row = await self._row("answered", self.version, shard)
        return int(row["answered"]) if row is not None else 0

    async def told(self) -> list[Told]:
        """How every shard is, in their order; none before the fold has begun."""
        return [
            Told(
                cursor_of(row),
                row["holder"],
                row["held_s"],
                row["head"],
                row["folded_at"],
                row["lag_p50_ms"],
                row["lag_p99_ms"],
            )
            for row in await self._rows("told", self.version, NAME)
        ]

    async def tell(self, moved: Iterable[Moved]) -> None:
        await self._tell(FOLDED, *(one.payload(self.replica.id) for one in moved))

    async def _tell(self, channel: str, *payloads: str) -> None:
        await self._rows("tell", channel, payloads or ("",))

    async def _execute(self, query: str, *values: object) -> None:
        await self._database.execute(self._queries[query], *values)

    async def _row(self, query: str, *values: object) -> asyncpg.Record | None:
        return await self._database.fetchrow(self._queries[query], *values)

    async def _rows(self, query: str, *values: object) -> list[asyncpg.Record]:
        return await self._database.fetch(self._queries[query], *values)


def _columns(one: Report) -> tuple[object, ...]:
    return (one.shard, one.head, one.folded_at, one.lag_p50_ms, one.lag_p99_ms)
