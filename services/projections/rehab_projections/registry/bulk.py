"""Folds one part of a shard, the events of a run of slices, from where it was to an end. For a
process of its own."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Sequence
from dataclasses import dataclass

import asyncpg

from rehab.events.v1.event_pb2 import RecordedEvent
from rehab_projections.folder import Folder
from rehab_projections.projector import Projector
from rehab_projections.storage.cursors import Cursor
from rehab_projections.storage.putting import load
from rehab_projections.storage.write import Fence, Writer
from rehab_runtime import postgres
from rehab_runtime.auth import service_principal
from rehab_runtime.channels import Peer
from rehab_runtime.eventlog import EventLog
from rehab_runtime.lifecycle import loop_factory
from rehab_runtime.postgres import Database, Queries
from rehab_runtime.slices import slices_of

PACKAGE = "rehab_projections"
BATCH_EVENTS = 5_000
COLLECT_BATCHES = 200
"""A look for cycles takes 0.3 s, all recently folded states being walked through, and finds about
one object for 5,000 events."""


@dataclass(frozen=True)
class Sources:
    """Where to read, and where to write."""

    dsn: str
    schema: str
    eventstore: Peer
    shards: int


@dataclass(frozen=True)
class Part:
    """The `part`th of `parts` of a shard's slices, folded up to `position`, to be folded up to
    `until`."""

    shard: int
    part: int
    parts: int
    position: int
    until: int
    incarnation: str

    def slices(self, shards: int) -> Sequence[int]:
        """Those that are its own; none when it is the whole shard."""
        if self.parts == 1:
            return ()
        every = slices_of(self.shard, shards)
        first = len(every) * self.part // self.parts
        return every[first : len(every) * (self.part + 1) // self.parts]


def fold_part(sources: Sources, part: Part) -> None:
    """For a process of its own. Raises RehabError, FencedError and what PostgreSQL does."""
    # what is folded is in no cycles, and lives until its batch is written
    gc.disable()
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(_fold(sources, part))


async def _fold(sources: Sources, part: Part) -> None:
    queries = Queries.load(PACKAGE, "queries.sql")
    async with (
        postgres.connect(
            sources.dsn,
            name="projections-rebuild",
            max_size=2,
            statement_timeout_ms=60_000,
            schema=sources.schema,
        ) as database,
        sources.eventstore.channel() as connection,
    ):
        log = EventLog(connection, service_principal("projections"))
        writer = Writer(database, queries, _fence_of(queries, part), load)
        folder = Folder(writer, Projector(writer, log.read_stream))
        await _fold_to_the_end(folder, log, part, part.slices(sources.shards))
        await _end(database, queries, part)


async def _fold_to_the_end(
    folder: Folder, log: EventLog, part: Part, slices: Sequence[int]
) -> None:
    """What comes next is read while what came last is folded."""
    cursor = Cursor(part.position, part.incarnation, shard=part.shard)

    async def after(position: int) -> list[RecordedEvent]:
        events, _ = await log.read_all(
            position,
            BATCH_EVENTS,
            until=part.until,
            incarnation=part.incarnation,
            shard=part.shard,
            slices=slices,
        )
        return events

    batch, turn = await after(cursor.position), 0
    while batch:
        turn += 1
        if not turn % COLLECT_BATCHES:
            gc.collect()
        last = len(batch) < BATCH_EVENTS
        reading = asyncio.create_task(after(batch[-1].envelope.position)) if not last else None
        try:
            cursor = await folder.fold(cursor, batch)
        except BaseException:
            if reading is not None:
                reading.cancel()
            raise
        batch = await reading if reading is not None else []


def _fence_of(queries: Queries, part: Part) -> Fence:
    async def advance(connection: asyncpg.Connection, expected: Cursor, reached: Cursor) -> bool:
        moved = await connection.execute(
            queries["advance_part"],
            *(part.shard, part.part, expected.position, reached.position),
            *(reached.recorded_at, expected.incarnation),
        )
        return bool(moved == "UPDATE 1")

    return advance


async def _end(database: Database, queries: Queries, part: Part) -> None:
    await database.execute(queries["end_part"], part.shard, part.part)
