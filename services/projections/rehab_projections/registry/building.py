"""Builds a version of the read models beside the one that answers, and lets it answer."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from rehab_projections.folder import Folder
from rehab_projections.projector import Projector
from rehab_projections.registry.bulk import BATCH_EVENTS, Part, Sources, fold_part
from rehab_projections.registry.versions import PACKAGE, Difference, Held, Versions, schema_of
from rehab_projections.registry.workers import run_each
from rehab_projections.storage.cursors import NAME, Cursor, Cursors
from rehab_projections.storage.write import Writer
from rehab_runtime import postgres
from rehab_runtime.channels import Peer
from rehab_runtime.errors import IncarnationChanged, NotFound
from rehab_runtime.eventlog import EventLog, Head
from rehab_runtime.logging import get_logger
from rehab_runtime.postgres import Database, Queries

LOOK_S = 0.25
CLOSE_EVENTS = 200
"""So near to the one that answers a version is caught up while that one stands still."""
PATIENCE_MS = 600_000

log = get_logger("rebuild")


@dataclass(frozen=True)
class Wish:
    """How to build. `workers` 0 is one per processor."""

    workers: int = 0
    keep_old: bool = False
    expect_same: bool = False
    afresh: bool = False


@dataclass(frozen=True)
class Progress:
    version: int
    folded: int
    total: int


@dataclass(frozen=True)
class Built:
    """`answers` says that the version answers from now on."""

    version: int
    answers: bool
    differences: Sequence[Difference] = ()


class Builder:
    """One call at a time, over all replicas: others raise Overloaded. Every method raises
    Unavailable when the log or PostgreSQL do not answer; asked again it goes on."""

    def __init__(self, dsn: str, eventstore: Peer, event_log: EventLog) -> None:
        self._dsn = dsn
        self._eventstore = eventstore
        self._log = event_log
        self._queries = Queries.load(PACKAGE, "queries.sql")

    async def rebuild(self, wish: Wish) -> AsyncGenerator[Progress | Built]:
        """Progress, and the end. What interrupts it, it goes on after when asked again."""
        async with self._opened() as versions, versions.alone():
            number = await versions.begin(afresh=wish.afresh)
            async with self._schema(number) as database:
                heads = await self._log.heads()
                parts = await self._parts(database, heads, wish.workers or os.cpu_count() or 1)
                total = sum(head.position for head in heads)
                if parts:
                    sources = Sources(self._dsn, schema_of(number), self._eventstore, len(heads))
                    async for folded in self._fold(database, sources, parts, wish.workers):
                        yield Progress(number, folded, total)
                    await self._join(database)
                await self._catch_up(database, len(heads))
                yield Progress(number, total, total)
                yield await self._let_answer(versions, number, database, wish)

    async def switch(self, number: int) -> AsyncGenerator[Progress | Built]:
        """Let a version answer that is whole. Raises NotFound."""
        async with self._opened() as versions, versions.alone():
            known = {one.number: one for one in await versions.all()}
            if number not in known or known[number].status == "building":
                raise NotFound("no such version, or it is still being built")
            if known[number].status == "live":
                yield Built(number, answers=True)
                return
            await versions.migrate(number)
            async with self._schema(number) as database:
                cursors = await self._cursors(database)
                yield Progress(number, 0, 0)
                await self._catch_up(database, len(cursors))
                yield await self._let_answer(versions, number, database, Wish())

    async def drop(self, number: int) -> None:
        """Raises NotFound."""
        async with self._opened() as versions, versions.alone():
            await versions.drop(number)

    @asynccontextmanager
    async def _opened(self) -> AsyncGenerator[Versions]:
        async with postgres.connect(
            self._dsn, name="projections-versions", statement_timeout_ms=PATIENCE_MS
        ) as database:
            yield Versions(self._dsn, database)

    @asynccontextmanager
    async def _schema(self, number: int) -> AsyncGenerator[Database]:
        async with postgres.connect(
            self._dsn,
            name="projections-rebuild",
            statement_timeout_ms=PATIENCE_MS,
            schema=schema_of(number),
        ) as database:
            yield database

    # from the beginning, in parts

    async def _parts(self, database: Database, heads: Sequence[Head], workers: int) -> list[Part]:
        """Those of an interrupted building, or new ones; none once they are joined."""
        if await self._cursors(database):
            return []
        rows = await database.fetch(self._queries["parts"])
        if not rows:
            share = max(1, -(-workers // len(heads)))
            async with database.transaction() as connection:
                for shard, head in enumerate(heads):
                    await connection.execute(
                        self._queries["add_parts"], shard, share, head.position, head.incarnation
                    )
            rows = await database.fetch(self._queries["parts"])
        if [row["incarnation"] for row in rows if row["part"] == 0] != [
            head.incarnation for head in heads
        ]:
            raise IncarnationChanged("another log was being folded: rebuild afresh")
        return [Part(*(row[name] for name in Part.__dataclass_fields__)) for row in rows]

    async def _fold(
        self, database: Database, sources: Sources, parts: Sequence[Part], workers: int
    ) -> AsyncGenerator[int]:
        """Yields how many positions are folded, now and then."""
        told = [(sources, part) for part in parts if part.position < part.until]
        folding = asyncio.create_task(run_each(fold_part, told, workers or os.cpu_count() or 1))
        try:
            while not folding.done():
                yield await self._folded(database)
                await asyncio.wait((folding,), timeout=LOOK_S)
            folding.result()
        finally:
            folding.cancel()
            await asyncio.gather(folding, return_exceptions=True)

    async def _folded(self, database: Database) -> int:
        rows = await database.fetch(self._queries["parts"])
        return int(sum(row["position"] / row["parts"] for row in rows))

    async def _join(self, database: Database) -> None:
        async with database.transaction() as connection:
            await connection.execute(self._queries["joined"], NAME)
            await connection.execute(self._queries["drop_parts"])

    # up to the end

    async def _cursors(self, database: Database) -> Cursors:
        return await Writer(database, self._queries).cursors()

    async def _catch_up(self, database: Database, shards: int) -> None:
        """Fold what has come meanwhile, until little comes."""
        more = True
        while more:
            heads = await self._log.heads()
            if len(heads) != shards:
                raise IncarnationChanged("the log has another number of shards: rebuild afresh")
            until = [head.position for head in heads]
            more = await self._fold_on(database, until) > CLOSE_EVENTS

    async def _fold_on(self, database: Database, until: Sequence[int]) -> int:
        """Fold up to a position of each shard. How many events that were."""
        writer = Writer(database, self._queries)
        cursors = (await writer.cursors()).each
        return sum([await self._fold_shard(writer, one, until[one.shard]) for one in cursors])

    async def _fold_shard(self, writer: Writer, cursor: Cursor, until: int) -> int:
        folder = Folder(writer, Projector(writer, self._log.read_stream))
        count = 0
        while cursor.position < until:
            events, _ = await self._log.read_all(
                cursor.position,
                BATCH_EVENTS,
                until=until,
                incarnation=cursor.incarnation,
                shard=cursor.shard,
            )
            count += len(events)
            cursor = await folder.fold(cursor, events)
        return count

    async def _let_answer(
        self, versions: Versions, number: int, database: Database, wish: Wish
    ) -> Built:
        async with versions.held() as held:
            comparable = await self._draw_level(held, database)
            differences = await held.differences(number) if comparable else []
            answers = not wish.keep_old and not (wish.expect_same and differences)
            if answers:
                await held.switch(number)
        if not answers:
            await versions.retire(number)
        log.info("a version of the read models is built", version=number, answers=answers)
        return Built(number, answers, differences)

    async def _draw_level(self, held: Held, database: Database) -> bool:
        """Fold on to where the version that answers stands. Whether both stand alike then: not when
        that one is of another log, or still behind."""
        wanted = await held.wanted()
        cursors = await self._cursors(database)
        same = [one.incarnation for one in wanted.each] == [one.incarnation for one in cursors.each]
        if not same:
            return False
        await self._fold_on(database, [one.position for one in wanted.each])
        cursors = await self._cursors(database)
        return [one.position for one in cursors.each] == [one.position for one in wanted.each]
