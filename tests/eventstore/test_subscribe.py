"""What Subscribe promises."""

from __future__ import annotations

import asyncio
import itertools
import os
import subprocess
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from typing import Any

import pytest

from rehab.eventstore.v1 import eventstore_service_pb2 as pb
from rehab_eventstore.main import running
from rehab_runtime.auth import service_principal
from rehab_runtime.channels import channel
from rehab_runtime.errors import Draining, IncarnationChanged, Overloaded, Unavailable
from rehab_runtime.slices import slice_of
from tests.eventstore.given import append, event, events, ids, positions, some_stream
from tests.eventstore.store import Store, refused, settings_for, store

pytestmark = pytest.mark.asyncio(loop_scope="module")
Steps = AsyncIterator[pb.SubscribeResponse]


async def until(steps: Steps, position: int) -> list[pb.SubscribeResponse]:
    """The messages of a subscription until it has reached a position."""
    seen: list[pb.SubscribeResponse] = []
    async with asyncio.timeout(20):
        async for step in steps:
            seen.append(step)
            if reached(step) >= position:
                break
    return seen


def reached(step: pb.SubscribeResponse) -> int:
    if step.HasField("page"):
        return step.page.events[-1].envelope.position
    return step.checkpoint.position or step.caught_up.position


def seen_positions(steps: list[pb.SubscribeResponse]) -> list[int]:
    return [position for step in steps for position in positions(step.page.events)]


async def test_stored_events_come_first_then_the_switch_then_what_is_new(shared: Store) -> None:
    head = (await shared.head()).position
    stream = some_stream()
    await shared.append(append(stream, *events(stream, 3)))
    async with aclosing(shared.subscribe(after_position=head)) as steps:
        stored = await until(steps, head + 3)
        assert [step.WhichOneof("content") for step in stored] == ["page"]
        switch = await anext(steps)
        assert switch.caught_up.position == head + 3
        sent = event(stream)
        await shared.append(append(stream, sent))
        (live,) = await until(steps, head + 4)
    assert seen_positions(stored) == [head + 1, head + 2, head + 3]
    assert ids(live.page.events) == ids([sent])
    assert live.page.head == head + 4
    assert live.page.incarnation == (await shared.head()).incarnation


async def test_a_subscription_at_the_end_of_the_log_is_live_at_once(shared: Store) -> None:
    await shared.append(append(some_stream()))
    head = (await shared.head()).position
    for asked in ({"after_position": head}, {"from_head": True, "after_position": 1}):
        async with aclosing(shared.subscribe(**asked)) as steps:
            assert (await anext(steps)).caught_up.position == head


@pytest.mark.parametrize("filtered", [False, True], ids=["all", "filtered"])
async def test_nothing_is_missed_or_repeated_at_the_switch_while_others_write(
    shared: Store, filtered: bool
) -> None:
    head = (await shared.head()).position
    streams = [some_stream() for _ in range(8)]
    total = 8 * 60

    async def write(stream: str) -> None:
        for number in range(60):
            await shared.append(append(stream, event(stream, kind=["note", "plan"][number % 2])))

    async def read(after: int) -> list[pb.SubscribeResponse]:
        chosen = pb.Filter(kinds=["note"]) if filtered else pb.Filter()
        async with aclosing(shared.subscribe(after_position=after, filter=chosen)) as steps:
            return await until(steps, head + total)

    async with asyncio.TaskGroup() as group:
        for stream in streams:
            group.create_task(write(stream))
        readers = []
        for _ in range(6):
            readers.append(group.create_task(read(head)))
            await asyncio.sleep(0.01)
    expected = await shared.all(
        after_position=head, filter=pb.Filter(kinds=["note"] if filtered else [])
    )
    assert len(expected) == (total // 2 if filtered else total)
    for reader in readers:
        assert seen_positions(reader.result()) == positions(expected)
        switches = [step for step in reader.result() if step.HasField("caught_up")]
        assert len(switches) == 1
        _assert_in_order(reader.result())


def _assert_in_order(steps: list[pb.SubscribeResponse]) -> None:
    for before, after in itertools.pairwise(steps):
        assert reached(before) <= reached(after)


@pytest.mark.parametrize("by", ["kinds", "streams", "slices"])
async def test_a_filter_hides_events_and_checkpoints_tell_how_far_it_looked(
    shared: Store, by: str
) -> None:
    head = (await shared.head()).position
    wanted, other = some_stream(), some_stream()
    chosen: dict[str, Any] = {
        "kinds": {"kinds": ["note"]},
        "streams": {"streams": [wanted]},
        "slices": {"slices": [slice_of(wanted)]},
    }[by]
    await shared.append(append(wanted, event(wanted, kind="note")))
    await shared.append(append(other, *events(other, 4)))
    async with aclosing(shared.subscribe(after_position=head, filter=pb.Filter(**chosen))) as steps:
        stored = [await anext(steps), await anext(steps)]
        assert seen_positions(stored) == [head + 1]
        assert stored[1].caught_up.position == head + 5
        await shared.append(append(other, *events(other, 3)))
        (hidden,) = await until(steps, head + 8)
        assert hidden.checkpoint.position == head + 8
        assert hidden.checkpoint.incarnation == (await shared.head()).incarnation
        await shared.append(append(wanted, event(wanted, kind="note")))
        assert seen_positions(await until(steps, head + 9)) == [head + 9]


async def test_who_is_slow_gets_everything_all_the_same(shared: Store) -> None:
    settings = settings_for(
        *(shared.settings.postgres_dsn, shared.settings.nats_url),
        page_events=5,
        tail_events=10,
    )
    async with store(settings) as little:
        head = (await little.head()).position
        stream = some_stream()
        async with aclosing(little.subscribe(after_position=head)) as steps:
            assert (await anext(steps)).caught_up.position == head
            for _ in range(12):
                # far more than what is kept for it: 12 MB
                await little.append(append(stream, *events(stream, 16, b"x" * 65_536)))
            seen = await until(steps, head + 192)
    assert seen_positions(seen) == list(range(head + 1, head + 193))
    assert max(len(step.page.events) for step in seen) <= 10


async def test_a_page_fits_a_message_however_much_was_left_unread(shared: Store) -> None:
    head = (await shared.head()).position
    stream = some_stream()
    async with aclosing(shared.subscribe(after_position=head)) as steps:
        assert (await anext(steps)).caught_up.position == head
        for _ in range(12):
            await shared.append(append(stream, *events(stream, 16, b"x" * 65_536)))
        await shared.append(append(stream, *events(stream, 900)))
        seen = await until(steps, head + 1092)
    assert seen_positions(seen) == list(range(head + 1, head + 1093))
    sizes = [[len(one.body) for one in step.page.events] for step in seen]
    assert max(map(len, sizes)) <= shared.settings.page_events
    # what a foreign client takes without being told otherwise
    assert max(step.ByteSize() for step in seen) < 4 * 2**20
    assert max(sum(size[:-1]) for size in sizes) < shared.settings.page_bytes


@asynccontextmanager
async def unread(log: Store, count: int) -> AsyncIterator[list[Steps]]:
    """Subscriptions whose subscribers stopped reading when they were live."""
    head = (await log.head()).position
    async with AsyncExitStack() as stack:
        held = []
        for _ in range(count):
            steps = await stack.enter_async_context(aclosing(log.subscribe(after_position=head)))
            assert (await anext(steps)).HasField("caught_up")
            held.append(steps)
        yield held


def resident_bytes() -> int:
    told = subprocess.check_output(["ps", "-o", "rss=", "-p", str(os.getpid())])
    return 1024 * int(told)


async def test_who_does_not_read_grows_no_memory_and_slows_nobody(shared: Store) -> None:
    settings = settings_for(
        *(shared.settings.postgres_dsn, shared.settings.nats_url),
        tail_bytes=2_000_000,
        page_bytes=200_000,
    )
    async with (
        store(settings) as log,
        channel(log.address) as connection,
        unread(Store(connection, settings, service_principal("test")), 24),
    ):
        stream, body, rounds = some_stream(), b"x" * 65_536, 24
        head = (await log.head()).position
        async with aclosing(log.subscribe(after_position=head)) as live:
            assert (await anext(live)).HasField("caught_up")
            before = resident_bytes()
            for number in range(1, rounds + 1):
                await log.append(append(stream, *events(stream, 16, body)))
                # live all the while
                seen = await until(live, head + 16 * number)
                assert seen_positions(seen)[-1] == head + 16 * number
            # kept for each, it would be 24 times 24 MB
            assert resident_bytes() - before < 24 * rounds * 16 * len(body) / 4


async def test_there_are_so_many_subscribers_and_no_more(shared: Store) -> None:
    settings = settings_for(
        *(shared.settings.postgres_dsn, shared.settings.nats_url), max_subscribers=2
    )
    async with store(settings) as log:
        async with unread(log, 2):
            error = await refused(anext(aiter(log.subscribe())))
            assert isinstance(error, Overloaded)
            await log.append(append(some_stream()))
        async with asyncio.timeout(10):
            while isinstance(await _first(log), Overloaded):
                await asyncio.sleep(0.01)


async def _first(log: Store) -> Any:
    async with aclosing(log.subscribe(from_head=True)) as steps:
        try:
            return await anext(steps)
        except Overloaded as error:
            return error


async def test_who_does_not_read_does_not_keep_a_replica_from_leaving(shared: Store) -> None:
    settings = settings_for(*(shared.settings.postgres_dsn, shared.settings.nats_url), drain_s=30)
    stream = some_stream()
    async with AsyncExitStack() as stack:
        async with running(settings) as leaving:
            connection = await stack.enter_async_context(channel(leaving.address))
            log = Store(connection, settings, service_principal("test"))
            (steps,) = await stack.enter_async_context(unread(log, 1))
            for _ in range(8):
                await log.append(append(stream, *events(stream, 8, b"x" * 65_536)))
            begun = asyncio.get_running_loop().time()
        assert asyncio.get_running_loop().time() - begun < settings.drain_s / 2
        assert isinstance(await refused(until(steps, 2**63)), Unavailable)


async def test_what_another_replica_appends_is_live_here(shared: Store) -> None:
    settings = settings_for(
        *(shared.settings.postgres_dsn, shared.settings.nats_url),
        # only NOTIFY can be in time
        poll_ms=10_000,
    )
    async with store(settings) as other:
        head = (await shared.head()).position
        async with aclosing(other.subscribe(after_position=head)) as steps:
            assert (await anext(steps)).caught_up.position == head
            for number in range(1, 6):
                await shared.append(append(some_stream()))
                async with asyncio.timeout(5):
                    assert positions((await anext(steps)).page.events) == [head + number]


async def test_a_cursor_beyond_the_end_of_the_log_is_refused(shared: Store) -> None:
    head = (await shared.head()).position
    error = await refused(anext(aiter(shared.subscribe(after_position=head + 1))))
    assert isinstance(error, IncarnationChanged)


async def test_a_replica_that_leaves_sends_its_subscribers_on(shared: Store) -> None:
    settings = settings_for(*(shared.settings.postgres_dsn, shared.settings.nats_url), drain_s=10)
    begun = asyncio.Event()

    async def follow(log: Store) -> None:
        async for _ in log.subscribe(from_head=True):
            begun.set()

    async with AsyncExitStack() as stack, asyncio.timeout(5):
        async with running(settings) as leaving:
            connection = await stack.enter_async_context(channel(leaving.address))
            log = Store(connection, settings, service_principal("test"))
            asked = asyncio.create_task(refused(follow(log)))
            await begun.wait()
        assert isinstance(await asked, Draining)


async def test_what_is_live_is_what_is_read_later(database_dsn: str, nats: Any) -> None:
    """A replica hands on what it has written without reading it; another one reads it."""
    told = settings_for(database_dsn, nats.url, poll_ms=20)
    async with store(told) as writing, store(told) as reading:
        sent = [
            event(f"patient-{n % 3}", b"body %d" % n, phi=n % 2 == 0, consent_id="c-1")
            for n in range(30)
        ]
        live = writing.subscribe()
        assert (await anext(live)).HasField("caught_up")
        for one in sent:
            await writing.append(append(one.envelope.subject_id, one))
        seen = [one for step in await until(live, 30) for one in step.page.events]
        assert seen == await reading.all()
