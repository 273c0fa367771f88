"""A service follows the log from its saved position: each event's effect is stored once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from rehab.events.v1.event_pb2 import RecordedEvent
from rehab_runtime import jetstream, postgres
from rehab_runtime.errors import IncarnationChanged, Stale, Unavailable
from rehab_runtime.following import LogFold
from rehab_runtime.positions import Cursor, FencedError, Positions
from rehab_runtime.postgres import Database
from rehab_runtime.settings import FollowSettings
from tests.projections.given import at, event, pain
from tests.projections.service import Log, Place, eventstore

BEGIN = at("2026-03-02T08:00")
SHARDS = 2
TABLES = """
CREATE TABLE log_position (shard integer PRIMARY KEY, position bigint NOT NULL,
    incarnation text NOT NULL);
CREATE TABLE seen (shard integer, position bigint);
"""


@dataclass
class Follower:
    """A replica of a service that writes down the position of every event."""

    database: Database
    positions: Positions
    begun: list[Cursor] = field(default_factory=list)
    fenced: int = 0
    batches: int = 0
    trouble: Callable[[Cursor], None] = lambda _: None

    async def fold(self, cursor: Cursor, batch: Sequence[RecordedEvent]) -> Cursor:
        try:
            async with self.database.transaction() as connection:
                reached = await self.positions.advance(connection, cursor, batch)
                for one in batch:
                    told = (cursor.shard, one.envelope.position)
                    await connection.execute("INSERT INTO seen VALUES ($1, $2)", *told)
                self.trouble(cursor)
        except FencedError:
            self.fenced += 1
            raise
        self.batches += 1
        return reached


@dataclass(frozen=True)
class Running:
    log: Log
    place: Place
    address: str
    dsn: str
    inside: asyncpg.Connection

    @asynccontextmanager
    async def following(
        self, *, gather_s: float = 0.0, **told: Any
    ) -> AsyncIterator[tuple[Follower, LogFold]]:
        """As a replica does, until the context is left."""
        settings = FollowSettings(
            nats_url=self.place.nats_url,
            eventstore_address=self.address,
            log_stream=self.place.stream,
            subject_prefix=self.place.subject_prefix,
            max_batch_events=7,
        )
        async with (
            postgres.connect(self.dsn, name="test") as database,
            jetstream.connect(settings.nats_url, name="test") as broker,
        ):
            replica = Follower(database, Positions(database, "log_position"), **told)
            log_fold = LogFold(
                *("test", settings, self.log.client, broker, replica.positions, replica.fold),
                begun=replica.begun.append,
                gather_s=gather_s,
            )
            folding = asyncio.create_task(log_fold.run())
            try:
                yield replica, log_fold
            finally:
                folding.cancel()
                await asyncio.gather(folding, return_exceptions=True)

    async def append(self, first: int, count: int) -> dict[int, int]:
        """To patients of all shards; the last position of each shard."""
        numbers = range(first, first + count)
        events = [event(n, BEGIN, pain(n % 11), patient=f"patient-{n % 5}") for n in numbers]
        return await self.log.written(*sorted(events, key=lambda one: one.envelope.subject_id))

    async def seen(self) -> list[tuple[int, int]]:
        return [tuple(row) for row in await self.inside.fetch("SELECT * FROM seen ORDER BY 1, 2")]


@pytest_asyncio.fixture
async def running(postgres: Any, nats_url: str, database_dsn: str) -> AsyncIterator[Running]:
    place = Place(postgres, nats_url, SHARDS)
    async with AsyncExitStack() as stack:
        log, address = await stack.enter_async_context(eventstore(place))
        inside = await asyncpg.connect(database_dsn)
        stack.push_async_callback(inside.close)
        await inside.execute(TABLES)
        yield Running(log, place, address, database_dsn, inside)


async def reached(log_fold: LogFold, written: dict[int, int]) -> None:
    for shard, position in written.items():
        await log_fold.progress.wait(shard, position, 20)


def all_to(written: dict[int, int]) -> list[tuple[int, int]]:
    return [(shard, n) for shard in sorted(written) for n in range(1, written[shard] + 1)]


def up_to(seen: list[tuple[int, int]], written: dict[int, int]) -> list[tuple[int, int]]:
    """Behind what was written may stand who was lent keys."""
    return [(shard, position) for shard, position in seen if position <= written[shard]]


async def test_every_event_of_every_shard_is_folded_once_and_on_after_a_stop(running: Running):
    written = await running.append(1, 60)
    assert len(written) == SHARDS
    async with running.following() as (_, log_fold):
        await reached(log_fold, written)
    written = await running.append(61, 60)
    async with running.following() as (replica, log_fold):
        await reached(log_fold, written)
        assert all(one.position > 0 for one in replica.begun)
    assert up_to(await running.seen(), written) == all_to(written)


async def test_what_comes_while_it_gathers_is_folded_together(running: Running):
    written: dict[int, int] = {}
    async with running.following(gather_s=0.3) as (replica, log_fold):
        for number in range(1, 41):
            written |= await running.append(number, 1)
        await reached(log_fold, written)
        assert replica.batches < 40
    assert up_to(await running.seen(), written) == all_to(written)


async def test_the_effect_of_a_batch_and_its_position_are_stored_together_or_not(running: Running):
    troubles = iter([True, False, True, True])

    def trouble(_cursor: Cursor) -> None:
        if next(troubles, False):
            raise Unavailable("PostgreSQL: away")

    written = await running.append(1, 60)
    async with running.following(trouble=trouble) as (replica, log_fold):
        await reached(log_fold, written)
        assert len(replica.begun) == SHARDS + 3
    assert up_to(await running.seen(), written) == all_to(written)


async def test_of_two_replicas_one_stores_each_batch_and_both_know_it(running: Running):
    async with running.following() as (one, first), running.following() as (other, second):
        for part in range(5):
            written = await running.append(1 + 40 * part, 40)
            await reached(first, written)
            await reached(second, written)
        assert one.fenced + other.fenced > 0
    assert up_to(await running.seen(), written) == all_to(written)


async def test_what_the_database_lost_is_folded_again_though_the_log_is_silent(running: Running):
    written = await running.append(1, 60)
    async with running.following() as (_, log_fold):
        await reached(log_fold, written)
        async with running.inside.transaction():
            # positions first: what is being folded is stored before, or fenced
            await running.inside.execute("UPDATE log_position SET position = 5 WHERE shard = 0")
            await running.inside.execute("DELETE FROM log_position WHERE shard = 1")
            await running.inside.execute("DELETE FROM seen WHERE shard = 1 OR position > 5")
        async with asyncio.timeout(20):
            while up_to(await running.seen(), written) != all_to(written):
                await asyncio.sleep(0.02)


async def test_what_the_database_lost_is_not_passed_over_when_the_next_batch_comes(
    running: Running, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("rehab_runtime.following.LOOK_S", 3600)
    written = await running.append(1, 60)
    async with running.following() as (_, log_fold):
        await reached(log_fold, written)
        async with running.inside.transaction():
            await running.inside.execute("UPDATE log_position SET position = 5")
            await running.inside.execute("DELETE FROM seen WHERE position > 5")
        written = await running.append(61, 60)
        await reached(log_fold, written)
    assert up_to(await running.seen(), written) == all_to(written)


async def test_a_position_in_another_log_ends_the_fold(running: Running):
    await running.append(1, 10)
    await running.inside.execute("INSERT INTO log_position VALUES (0, 1, 'another')")
    async with running.following() as (replica, log_fold):
        with pytest.raises(IncarnationChanged):
            await log_fold.run()
        assert all(shard != 0 for shard, _ in await running.seen())
        with pytest.raises(Stale):
            await log_fold.progress.wait(0, 5, 0)
        assert replica.fenced == 0
