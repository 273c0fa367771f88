"""Several replicas of one event store: who leads, who forwards, and that nothing depends on it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import asyncpg
import pytest

from rehab.eventstore.v1 import eventstore_service_pb2 as pb
from rehab_eventstore import metrics
from rehab_runtime.embedded import Nats
from rehab_runtime.errors import EventIdReused, Overloaded, VersionConflict
from tests.eventstore.given import append, copy, event, events, ids, some_stream
from tests.eventstore.rig import assert_sound
from tests.eventstore.store import Store, refused, settings_for, store

pytestmark = pytest.mark.asyncio(loop_scope="function")


@dataclass
class Replicas:
    """A leader and a follower; each may be told to leave."""

    leader: Store
    follower: Store
    leave: Callable[[], Awaitable[None]]
    """The leader drains and is gone."""


@asynccontextmanager
async def two(dsn: str, nats: Nats, **told: object) -> AsyncIterator[Replicas]:
    settings = settings_for(dsn, nats.url, **told)
    async with AsyncExitStack() as leaving, AsyncExitStack() as staying:
        leader = await leaving.enter_async_context(store(settings))
        await until(lambda: _leader(dsn), leader.address if settings.forward else "")
        follower = await staying.enter_async_context(store(settings))
        yield Replicas(leader, follower, leaving.aclose)


async def until(ask: Callable[[], Awaitable[str]], wanted: str) -> None:
    async with asyncio.timeout(10):
        while await ask() != wanted:
            await asyncio.sleep(0.01)


async def _leader(dsn: str) -> str:
    """Where the shard's leader answers, as the table says."""
    connection = await asyncpg.connect(dsn)
    try:
        return str(await connection.fetchval("SELECT address FROM relay_lease"))
    finally:
        await connection.close()


def forwarded() -> float:
    return float(metrics.forwarded._value.get())


async def forwards(replicas: Replicas) -> None:
    """Wait until the follower knows its leader."""
    async with asyncio.timeout(10):
        while True:
            before = forwarded()
            await replicas.follower.append(append(some_stream()))
            if forwarded() > before:
                return
            await asyncio.sleep(0.02)


async def test_a_follower_hands_appends_to_the_leader_with_every_verdict_intact(
    database_dsn: str, nats: Nats
) -> None:
    async with two(database_dsn, nats, lease_s=0.5) as replicas:
        await forwards(replicas)
        follower, stream = replicas.follower, some_stream()
        before = forwarded()
        first = append(stream, event(stream), expected="none")
        stored = await follower.append(copy(first))
        again = await follower.append(copy(first))
        assert (again.first_position, again.duplicate) == (stored.first_position, True)
        conflict = await refused(follower.append(append(stream, expected="none")))
        assert isinstance(conflict, VersionConflict)
        assert conflict.metadata["actual_version"] == "1"
        first.events[0].body = b"other"
        assert isinstance(await refused(follower.append(copy(first))), EventIdReused)
        verdicts = await follower.batch(
            append(stream), append(stream, expected=7), append(some_stream())
        )
        assert [one.HasField("appended") for one in verdicts] == [True, False, True]
        other = some_stream()
        await follower.atomic(append(other), guards=[pb.Guard(stream=stream, expected=_exists())])
        assert forwarded() == before + 6
        assert ids(await replicas.leader.stream(stream))[0] == first.events[0].envelope.event_id
    await assert_sound(database_dsn)


def _exists() -> pb.ExpectedVersion:
    return pb.ExpectedVersion(exists=pb.StreamExists())


async def test_a_leader_that_leaves_is_followed_at_once(database_dsn: str, nats: Nats) -> None:
    async with two(database_dsn, nats, lease_s=60) as replicas:
        await replicas.leave()
        # the lease would last a minute: it was given up, and the follower was told
        await until(lambda: _leader(database_dsn), replicas.follower.address)
        await replicas.follower.append(append(some_stream()))
        async with asyncio.timeout(10):
            while (await replicas.follower.head()).published < 1:
                await asyncio.sleep(0.01)


async def test_a_leader_that_does_not_answer_costs_no_append(database_dsn: str, nats: Nats) -> None:
    async with two(database_dsn, nats, lease_s=0.5) as replicas:
        await forwards(replicas)
        connection = await asyncpg.connect(database_dsn)
        # as if it had been killed: it holds the lease and answers no more
        await connection.execute(
            "UPDATE relay_lease SET address = '127.0.0.1:1', holder = gen_random_uuid(),"
            " epoch = epoch + 1, expires_at = now() + interval '60 s'"
        )
        await connection.close()
        stream = some_stream()
        new = events(stream, 20)
        for one in new:
            await replicas.follower.append(append(stream, one))
        assert ids(await replicas.follower.stream(stream)) == ids(new)
    await assert_sound(database_dsn)


@pytest.mark.parametrize("forward", [True, False], ids=["forwarding", "racing"])
async def test_three_replicas_at_once_keep_one_order(
    database_dsn: str, nats: Nats, *, forward: bool
) -> None:
    told = settings_for(database_dsn, nats.url, lease_s=0.5, forward=forward)
    async with AsyncExitStack() as stack:
        replicas = [await stack.enter_async_context(store(told)) for _ in range(3)]
        streams = [some_stream() for _ in range(5)]

        async def write(replica: Store, stream: str, new: list[pb.NewEvent]) -> None:
            for one in new:
                while True:
                    try:
                        await replica.append(append(stream, copy(one)))
                    except Overloaded:
                        continue
                    break

        sent = {(place, stream): events(stream, 8) for place in range(3) for stream in streams}
        await asyncio.gather(
            *(write(replicas[place], stream, new) for (place, stream), new in sent.items())
        )
        for stream in streams:
            read = ids(await replicas[0].stream(stream))
            assert len(read) == 24
            for place in range(3):
                mine = ids(sent[place, stream])
                assert [one for one in read if one in mine] == mine
    await assert_sound(database_dsn)
