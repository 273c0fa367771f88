"""Bugs that other event stores had, each by its report: none of them here.

Numbers are those of issues and pull requests of the named projects.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import asyncpg
import nats
import pytest
import pytest_asyncio

from rehab.events.v1.event_pb2 import LogMessage
from rehab.eventstore.v1 import eventstore_service_pb2 as pb
from rehab_runtime.embedded import Nats
from rehab_runtime.errors import EventIdReused, IncarnationChanged, VersionConflict
from rehab_runtime.postgres import Queries
from tests.eventstore.given import append, copy, event, events, ids, positions, some_stream
from tests.eventstore.rig import assert_sound
from tests.eventstore.store import Store, refused, settings_for, store

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def admin(module_dsn: str, shared: Store) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(module_dsn)
    yield connection
    await connection.close()


async def outcome(asked: Any) -> Any:
    try:
        return await asked
    except VersionConflict as error:
        return error


async def test_parallel_appends_at_one_version_have_one_winner_and_lose_nothing(
    shared: Store,
) -> None:
    """Eventuous 553: of 20 parallel appends all "succeeded", and 10 events were gone."""
    stream = some_stream()
    wanted = [append(stream, expected="none") for _ in range(20)]
    answers = await asyncio.gather(*(outcome(shared.append(copy(one))) for one in wanted))
    won = [
        one for one, answer in zip(wanted, answers, strict=True) if isinstance(answer, pb.Appended)
    ]
    assert len(won) == 1
    assert ids(await shared.stream(stream)) == ids(won[0].events)


async def test_the_same_id_with_other_content_is_never_ignored(shared: Store) -> None:
    """Eventuous 553, PR 582: ON CONFLICT DO NOTHING."""
    stream = some_stream()
    first = event(stream, b"one")
    await shared.append(append(stream, copy(first)))
    other = event(stream, b"two", event_id=first.envelope.event_id)
    assert isinstance(await refused(shared.append(append(stream, other))), EventIdReused)


async def test_a_reader_never_sees_a_position_appear_behind_it(shared: Store) -> None:
    """Marten 1629, 2245; message-db 54: sequence order is not commit order."""
    start = (await shared.head()).position
    writing = asyncio.gather(*(shared.append(append(some_stream())) for _ in range(150)))
    seen: list[int] = []
    while len(seen) < 150:
        after = seen[-1] if seen else start
        seen += positions(await shared.all(after_position=after))
    await writing
    assert seen == list(range(start + 1, start + 151))


async def test_an_open_transaction_elsewhere_holds_no_reader_back(
    shared: Store, postgres: Any
) -> None:
    """Readers bounded by xmin stall behind any open writer of the server, of any database."""
    bystander = await asyncpg.connect(postgres.dsn())
    try:
        async with bystander.transaction():
            await bystander.execute("CREATE TEMP TABLE busy AS SELECT 1")
            await bystander.fetchval("SELECT pg_current_xact_id()")
            appended = await shared.append(append(some_stream()))
            read = await shared.all(after_position=appended.last_position - 1)
            assert positions(read) == [appended.last_position]
    finally:
        await bystander.close()


async def test_a_checkpoint_is_never_ahead_of_what_was_handed_out(shared: Store) -> None:
    """KurrentDB 500, 1301, PR 1890: checkpoints ahead of the events they stand for."""
    stream = some_stream()
    head = (await shared.head()).position
    steps = shared.subscribe(after_position=head, filter=pb.Filter(kinds=["note"]))
    handed: list[int] = []
    async with aclosing(steps) as changes:  # type: ignore[type-var]

        async def write() -> None:
            for number in range(60):
                kind = "note" if number % 7 == 0 else "pain_report"
                await shared.append(append(stream, event(stream, kind=kind)))
                await asyncio.sleep(0.002)

        writing = asyncio.create_task(write())
        noted = {head + 1 + number for number in range(60) if number % 7 == 0}
        async with asyncio.timeout(20):
            async for step in changes:
                if step.HasField("page"):
                    handed += positions(step.page.events)
                elif step.HasField("checkpoint"):
                    passed = {one for one in noted if one <= step.checkpoint.position}
                    assert passed <= set(handed)
                    if step.checkpoint.position >= head + 60:
                        break
        await writing
    assert set(handed) == noted


async def test_a_listener_that_is_lost_only_slows_subscribers(
    shared: Store, admin: asyncpg.Connection
) -> None:
    """Marten 4961: a throw in LISTEN killed the high-water loop until the restart."""
    head = (await shared.head()).position
    async with aclosing(shared.subscribe(after_position=head)) as changes:  # type: ignore[type-var]
        assert (await anext(changes)).HasField("caught_up")
        killed = await admin.fetchval(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
            " WHERE application_name = 'eventstore-listener' AND datname = current_database()"
        )
        assert killed == 1
        for _ in range(3):
            appended = await shared.append(append(some_stream()))
            async with asyncio.timeout(5):
                page = (await anext(changes)).page
            assert positions(page.events) == [appended.first_position]


async def test_no_session_lock_is_held(shared: Store, admin: asyncpg.Connection) -> None:
    """Session advisory locks break behind PgBouncer; leases are rows."""
    await shared.append(append(some_stream()))
    assert await admin.fetchval("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") == 0


@pytest.mark.parametrize(
    ("query", "arguments"),
    [
        ("versions", "'{patient-1}'"),
        ("stored", "'{patient-1}', '{00000000-0000-0000-0000-000000000000}'"),
        ("page", "0, 10, 20, 1000"),
        ("stream_forward", "'patient-1', 1, 10, now(), '{}', 10, 1000"),
    ],
)
async def test_reads_go_by_index_whatever_the_statistics_say(
    shared: Store, admin: asyncpg.Connection, query: str, arguments: str
) -> None:
    """commanded/eventstore 256, Emmett's plan tests: a plan of a young table must not scan it."""
    for _ in range(4):
        await shared.batch(*[append(some_stream()) for _ in range(50)])
    text = Queries.load("rehab_eventstore", "queries.sql")[query]
    # as the writer's own connection, and the plan that holds for any arguments
    settings = "SET LOCAL plan_cache_mode = force_generic_plan; SET LOCAL enable_seqscan = off"
    async with admin.transaction():
        await admin.execute(settings)
        await admin.execute(f"PREPARE looked_at AS {text}")
        plan = "\n".join(
            row[0] for row in await admin.fetch(f"EXPLAIN EXECUTE looked_at ({arguments})")
        )
        await admin.execute("DEALLOCATE looked_at")
    assert "Index" in plan
    assert "Seq Scan on events" not in plan


async def test_a_restart_publishes_nothing_twice(database_dsn: str, nats: Nats) -> None:
    """nats-server 7302: the deduplication window is not enough; the broker is asked."""
    told = settings_for(database_dsn, nats.url)
    for _ in range(3):
        async with store(told) as made:
            for _ in range(5):
                await made.append(append(some_stream()))
            async with asyncio.timeout(10):
                while (head := await made.head()).published < head.position:
                    await asyncio.sleep(0.01)
    assert await _published(nats, told.log_stream) == list(range(1, 16))


async def _published(server: Nats, stream: str) -> list[int]:
    client = await nats.connect(server.url)
    try:
        js = client.jetstream()
        last = (await js.stream_info(stream)).state.last_seq
        messages = [await js.get_msg(stream, seq) for seq in range(1, last + 1)]
    finally:
        await client.close()
    return [
        one.envelope.position
        for message in messages
        for one in LogMessage.FromString(message.data or b"").events
    ]


async def test_positions_that_are_used_again_are_told_to_who_saw_the_first(
    database_dsn: str, nats: Nats
) -> None:
    """Failover to an asynchronous replica loses acknowledged events and reuses their positions."""
    async with store(settings_for(database_dsn, nats.url, poll_ms=20)) as made:
        stream = some_stream()
        await made.append(append(stream, *events(stream, 5)))
        before = await made.head()
        connection = await asyncpg.connect(database_dsn)
        # as a server that had received only the first two
        async with connection.transaction():
            await connection.execute("DELETE FROM events WHERE position > 2")
            await connection.execute(
                "UPDATE log_head SET position = 2,"
                " hash = (SELECT hash FROM events WHERE position = 2)"
            )
        await connection.close()
        await made.append(append(some_stream()))
        after = await made.head()
        assert after.incarnation != before.incarnation
        cursor = {"after_position": 5, "incarnation": before.incarnation}
        assert isinstance(await refused(made.all(**cursor)), IncarnationChanged)
    await assert_sound(database_dsn)


async def test_a_cancelled_append_takes_none_of_its_neighbours_along(shared: Store) -> None:
    """A future that was cancelled while its batch was under way must not fail the batch."""
    streams = [some_stream() for _ in range(30)]
    tasks = [asyncio.create_task(shared.append(append(stream))) for stream in streams]
    await asyncio.sleep(0.002)
    for task in tasks[::3]:
        task.cancel()
    answers = await asyncio.gather(*tasks, return_exceptions=True)
    for stream, answer in zip(streams, answers, strict=True):
        stored = await shared.stream(stream)
        if isinstance(answer, pb.Appended):
            assert positions(stored) == [answer.first_position]
        else:
            assert len(stored) <= 1
