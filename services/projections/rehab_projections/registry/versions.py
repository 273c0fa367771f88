"""Which version of the read models answers, and which there are beside it."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from rehab_projections.storage.cursors import NAME, Cursors, cursors_of
from rehab_runtime import postgres
from rehab_runtime.errors import NotFound, Overloaded
from rehab_runtime.postgres import Database, Queries

PACKAGE = "rehab_projections"
FOLD_VERSION = 2
"""Raised with every change of what folds make of events that were folded before: read models of
earlier folds are built anew. 2: times by a right clock."""
SWITCHED = "projections_version"
"""Told when another version answers."""
FREE_WITHIN_S = 2.0
IDLE_S = 2.0
"""So long a version is kept after it answered last: replicas notice that another one does within
half a second, and reads that were under way then end."""
LEFT_WITHIN_S = 10.0


def schema_of(version: int) -> str:
    return f"read_models_{version}"


@dataclass(frozen=True)
class Version:
    """`status` is building, live or retired, since `changed_at`; `events` are folded into it."""

    number: int
    status: str
    begun_at: datetime
    changed_at: datetime
    events: int


@dataclass(frozen=True)
class Difference:
    """A table that two versions have not alike."""

    table: str
    before: int
    after: int


class Held:
    """The version that answers, held still: nobody folds on in it while this lasts."""

    def __init__(self, connection: asyncpg.Connection, queries: Queries, live: int) -> None:
        self._connection = connection
        self._queries = queries
        self._live = live

    async def cursors(self, version: int) -> Cursors:
        query = _in(self._queries["held"], version)
        return cursors_of(await self._connection.fetch(query, NAME))

    async def wanted(self) -> Cursors:
        """Where the version that answers stands."""
        return await self.cursors(self._live)

    async def differences(self, version: int) -> list[Difference]:
        """What another version, at the same positions, has not alike."""
        before, after = await self._content(self._live), await self._content(version)
        nothing = (0, 0)
        return [
            Difference(table, before.get(table, nothing)[0], after.get(table, nothing)[0])
            for table in sorted({*before, *after})
            if before.get(table, nothing) != after.get(table, nothing)
        ]

    async def _content(self, version: int) -> Mapping[str, tuple[int, int]]:
        content = {}
        for row in await self._connection.fetch(self._queries["tables"], schema_of(version)):
            query = _in(self._queries["content"], version).replace("TABLE", f'"{row["name"]}"')
            told = await self._connection.fetchrow(query)
            content[row["name"]] = (told["rows"], told["sum"])
        return content

    async def switch(self, version: int) -> None:
        """Let another version answer, once this transaction ends."""
        await self._connection.execute(self._queries["retire"], self._live)
        await self._connection.execute(self._queries["answer"], version)
        # whoever still folds into the one before would run ahead of the other
        await self._connection.execute(_in(self._queries["fence"], self._live), NAME)
        await self._connection.execute(self._queries["tell"], SWITCHED)


class Versions:
    """Every method raises Unavailable when PostgreSQL does not answer."""

    def __init__(self, dsn: str, database: Database) -> None:
        self._dsn = dsn
        self._database = database
        self._queries = Queries.load(f"{PACKAGE}.registry", "registry.sql")

    async def live(self) -> int:
        """The number of the version that answers; a new database gets its first."""
        row = await self._database.fetchrow(self._queries["live"])
        if row is None:
            await self._database.execute(self._queries["first"], FOLD_VERSION)
            return await self.live()
        return int(row["version"])

    async def outdated(self) -> bool:
        """Whether the version that answers was made by earlier folds."""
        row = await self._database.fetchrow(self._queries["outdated"], FOLD_VERSION)
        return row is not None and bool(row["outdated"])

    async def earlier_run(self) -> bool:
        """Whether replicas run that fold as earlier ones did."""
        row = await self._database.fetchrow(self._queries["earlier"], FOLD_VERSION)
        return row is not None and row["replicas"] > 0

    async def migrate(self, version: int) -> None:
        """Bring a version's tables to the form that this service knows; makes them at first."""
        await postgres.migrate(self._dsn, PACKAGE, schema_of(version))

    async def all(self) -> list[Version]:
        rows = await self._database.fetch(self._queries["versions"])
        return [
            Version(
                row["version"],
                row["status"],
                row["begun_at"],
                row["changed_at"],
                await self._events(row["version"]),
            )
            for row in rows
        ]

    async def _events(self, version: int) -> int:
        try:
            row = await self._database.fetchrow(_in(self._queries["events"], version), NAME)
        except asyncpg.UndefinedTableError:
            return 0  # it has only just begun
        return int(row["events"]) if row else 0

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[None]:
        """Nobody else builds, switches or drops meanwhile. Raises Overloaded."""
        async with self._database.acquire() as connection:
            if not await self._locked(connection):
                raise Overloaded("another rebuild is under way", retry_after_s=5)
            try:
                yield
            finally:
                # the lock is the session's, which ends with this call however it ends
                with contextlib.suppress(asyncpg.InterfaceError):
                    connection.terminate()

    async def _locked(self, connection: asyncpg.Connection) -> bool:
        """Whether the lock is ours. One that was held just now may take a moment to be free."""
        end = time.monotonic() + FREE_WITHIN_S
        while not await connection.fetchval(self._queries["lock"]):
            if time.monotonic() > end:
                return False
            await asyncio.sleep(0.05)
        return True

    async def begin(self, *, afresh: bool) -> int:
        """The version to build: one that was interrupted, unless `afresh` or it was of other folds,
        or the next."""
        row = await self._database.fetchrow(self._queries["building"])
        if row is not None and (afresh or row["folds"] != FOLD_VERSION):
            await self._throw_away(row["version"])
            row = None
        if row is None:
            row = await self._database.fetchrow(self._queries["begin"], FOLD_VERSION)
        assert row is not None
        await self.migrate(row["version"])
        return int(row["version"])

    async def retire(self, version: int) -> None:
        """It is whole, and does not answer."""
        await self._database.execute(self._queries["retire"], version)

    @asynccontextmanager
    async def held(self) -> AsyncIterator[Held]:
        async with self._database.transaction() as connection:
            row = await connection.fetchrow(self._queries["live"])
            held = Held(connection, self._queries, row["version"])
            await held.wanted()
            yield held

    async def drop(self, version: int) -> None:
        """Once nobody reads it any more. Raises NotFound for one that there is not, and Overloaded
        when replicas still answer from it."""
        end = time.monotonic() + LEFT_WITHIN_S
        while await self._in_use(version):
            if time.monotonic() > end:
                detail = "replicas still answer from that version"
                raise Overloaded(detail, retry_after_s=IDLE_S)
            await asyncio.sleep(0.1)
        await self._throw_away(version)

    async def _in_use(self, version: int) -> bool:
        """Raises NotFound."""
        row = await self._database.fetchrow(self._queries["in_use"], version)
        if row is None:
            raise NotFound("no such version")
        just_now = row["idle_s"] is not None and row["idle_s"] < IDLE_S
        return just_now or row["replicas"] > 0

    async def _throw_away(self, version: int) -> None:
        async with self._database.transaction() as connection:
            await connection.execute(f"DROP SCHEMA IF EXISTS {schema_of(version)} CASCADE")
            await connection.execute(self._queries["forget"], version)


def _in(query: str, version: int) -> str:
    return query.replace("SCHEMA", schema_of(version))
