"""The writer under many callers, rivals and impatience."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from rehab.eventstore.v1 import eventstore_service_pb2 as pb
from rehab_eventstore.domain.commands import Appended
from rehab_eventstore.messages import append_command, priority_of
from rehab_eventstore.queue import Bounds
from rehab_eventstore.storage.link import Link
from rehab_runtime.clock import FixedClock
from rehab_runtime.errors import Draining, Overloaded, VersionConflict
from tests.eventstore.given import append, copy, event, events, some_stream
from tests.eventstore.rig import Rig, assert_sound, rig, stored

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def count(rigs: Iterator[Rig], streams: list[str], wins: int, seed: int) -> list[str]:
    """Append by optimistic concurrency until it has been won so often; the ids that were."""
    chance = random.Random(seed)
    known = dict.fromkeys(streams, 0)
    won: list[str] = []
    while len(won) < wins:
        stream = chance.choice(streams)
        request = append(stream, expected=known[stream])
        try:
            appended = await next(rigs).append(request)
        except VersionConflict as error:
            actual = int(error.metadata["actual_version"])
            assert actual != known[stream]
            known[stream] = actual
        else:
            assert appended.stream_version == known[stream] + 1
            known[stream] += 1
            won.append(request.events[0].envelope.event_id)
    return won


async def pour(rigs: Iterator[Rig], streams: list[str], times: int, seed: int) -> list[str]:
    """Append whatever the version is; the ids of what was acknowledged, all of it."""
    chance = random.Random(seed)
    sent: list[str] = []
    for _ in range(times):
        stream = chance.choice(streams)
        request = append(stream, *events(stream, chance.choice([1, 1, 1, 5])))
        appended = await next(rigs).append(request)
        assert appended.last_position - appended.first_position == len(request.events) - 1
        sent += [one.envelope.event_id for one in request.events]
    return sent


async def round_robin(rigs: list[Rig], streams: list[str], callers: int, each: int) -> set[str]:
    """Callers of both kinds, each spread over all writers; what was acknowledged."""

    def turns(first: int) -> Iterator[Rig]:
        number = first
        while True:
            yield rigs[number % len(rigs)]
            number += 1

    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(
                count(turns(number), streams, each, number)
                if number % 2
                else pour(turns(number), streams, each, number)
            )
            for number in range(callers)
        ]
    return {event_id for task in tasks for event_id in task.result()}


async def test_64_callers_on_few_streams_lose_nothing_and_keep_every_order(log_dsn: str) -> None:
    streams = [some_stream() for _ in range(8)]
    async with rig(log_dsn) as one:
        acknowledged = await round_robin([one], streams, callers=64, each=8)
    there = await stored(log_dsn, streams)
    assert {row.event_id for row in there} == acknowledged
    assert len(there) == len(acknowledged)
    await assert_sound(log_dsn)


@pytest.mark.parametrize("writers", [2, 3])
async def test_writers_without_a_leader_agree_on_one_order(log_dsn: str, writers: int) -> None:
    streams = [some_stream() for _ in range(4)]
    async with AsyncExitStack() as stack:
        rigs = [await stack.enter_async_context(rig(log_dsn)) for _ in range(writers)]
        acknowledged = await round_robin(rigs, streams, callers=16, each=12)
    there = await stored(log_dsn, streams)
    assert {row.event_id for row in there} == acknowledged
    assert len(there) == len(acknowledged)
    await assert_sound(log_dsn)


async def test_one_event_sent_to_every_writer_at_once_is_stored_once(log_dsn: str) -> None:
    stream = some_stream()
    async with AsyncExitStack() as stack:
        rigs = [await stack.enter_async_context(rig(log_dsn)) for _ in range(3)]
        for expected in ("any", "exists", "exists", "any"):
            request = append(stream, *events(stream, 2), expected=expected)
            answers = await asyncio.gather(*(one.append(request) for one in rigs * 4))
            assert len({answer[:3] for answer in answers}) == 1
            assert sum(not answer.duplicate for answer in answers) == 1
    assert len(await stored(log_dsn, [stream])) == 8


async def test_a_conflict_is_told_by_the_log_and_not_by_memory(log_dsn: str) -> None:
    stream = some_stream()
    async with rig(log_dsn) as one, rig(log_dsn) as other:
        await one.append(append(stream))
        await other.append(append(stream, expected=1))
        # what `one` remembers is version 1
        assert (await one.append(append(stream, expected=2))).stream_version == 3
        await other.append(append(stream))
        with pytest.raises(VersionConflict) as refused:
            await one.append(append(stream, expected=3))
    assert refused.value.metadata["actual_version"] == "4"


async def test_a_writer_far_behind_the_log_forgets_what_it_knew(
    log_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rehab_eventstore.memory.CATCH_UP_EVENTS", 10)
    known, changed = some_stream(), some_stream()
    async with rig(log_dsn) as slow, rig(log_dsn) as quick:
        await slow.append(append(known))
        await slow.append(append(changed))
        for _ in range(5):
            await quick.append(append(known, *events(known, 5)))
        await quick.append(append(changed))
        assert (await slow.append(append(changed, expected=2))).stream_version == 3
        assert (await slow.append(append(known, expected=26))).stream_version == 27
    await assert_sound(log_dsn)


async def test_cancelled_callers_break_no_one_else(log_dsn: str) -> None:
    streams = [some_stream() for _ in range(4)]
    chance = random.Random(7)
    kept: set[str] = set()

    async def caller(one: Rig, patient: bool) -> None:
        for _ in range(15):
            stream = chance.choice(streams)
            request = append(stream)
            task = asyncio.create_task(one.append(request))
            if patient:
                await task
                kept.add(request.events[0].envelope.event_id)
            else:
                for _ in range(chance.randrange(6)):
                    await asyncio.sleep(0)
                task.cancel()
                await asyncio.wait([task])

    async with rig(log_dsn) as one, asyncio.TaskGroup() as group:
        for number in range(48):
            group.create_task(caller(one, patient=number % 3 == 0))
    there = [row.event_id for row in await stored(log_dsn, streams)]
    assert len(set(there)) == len(there)
    assert kept <= set(there)
    await assert_sound(log_dsn)


async def test_what_was_taken_in_is_answered_before_the_writer_ends(log_dsn: str) -> None:
    stream = some_stream()
    async with rig(log_dsn) as one:
        waiting = [asyncio.create_task(one.append(append(stream))) for _ in range(50)]
        await asyncio.sleep(0)
        await one.writer.drain()
        answers = await asyncio.gather(*waiting)
        with pytest.raises(Draining):
            await one.append(append(stream))
    assert [answer.stream_version for answer in answers] == list(range(1, 51))


async def test_recorded_times_never_go_backwards_whatever_the_clocks_say(log_dsn: str) -> None:
    now = datetime.now(UTC)
    ahead, behind = FixedClock(now + timedelta(hours=1)), FixedClock(now - timedelta(hours=1))
    stream = some_stream()
    async with rig(log_dsn, clock=ahead) as one, rig(log_dsn, clock=behind) as other:
        await one.append(append(stream))
        await other.append(append(stream))
        ahead.set_wrong(-7200)
        await one.append(append(stream))
        ahead.advance(4 * 3600)
        await one.append(append(stream))
    times = [row.recorded_at for row in await stored(log_dsn, [stream])]
    first = now + timedelta(hours=1)
    assert times == [first, first, first, now + timedelta(hours=3)]


class Gate:
    """Holds every commit of a writer back until it is opened."""

    def __init__(self, link: Link, monkeypatch: pytest.MonkeyPatch) -> None:
        self.open = asyncio.Event()
        self.batches: list[int] = []
        passed = link.append

        async def append(
            head: object, recorded_at: object, rows: list[object], hashes: list[bytes]
        ) -> bool:
            self.batches.append(len(rows))
            await self.open.wait()
            return await passed(head, recorded_at, rows, hashes)  # type: ignore[arg-type]

        monkeypatch.setattr(link, "append", append)


async def queued(one: Rig, requests: list[pb.AppendRequest]) -> list[asyncio.Task[Appended]]:
    tasks = [asyncio.create_task(one.append(request)) for request in requests]
    for _ in range(5):
        await asyncio.sleep(0)
    return tasks


async def test_what_queues_during_a_commit_goes_into_the_next_one_together(
    log_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with rig(log_dsn) as one:
        gate = Gate(one.link, monkeypatch)
        first = await queued(one, [append(some_stream())])
        async with asyncio.timeout(5):
            while not gate.batches:
                await asyncio.sleep(0)
        rest = await queued(one, [append(some_stream()) for _ in range(100)])
        gate.open.set()
        await asyncio.gather(*first, *rest)
    assert gate.batches == [1, 100]


async def test_a_full_queue_refuses_and_says_when_to_come_again(
    log_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = some_stream()
    bounds = Bounds(queued_events=10, batch_events=4)
    async with rig(log_dsn, bounds=bounds) as one:
        gate = Gate(one.link, monkeypatch)
        first = await queued(one, [append(stream)])
        async with asyncio.timeout(5):
            while not gate.batches:
                await asyncio.sleep(0)
        waiting = await queued(one, [append(stream, *events(stream, 5)) for _ in range(2)])
        with pytest.raises(Overloaded) as refused:
            await one.append(append(stream))
        assert refused.value.retry_after_s is not None
        assert 0 < refused.value.retry_after_s <= 5
        # the other queue has room of its own
        imported = await queued(one, [append(stream, priority=pb.PRIORITY_IMPORT)])
        gate.open.set()
        await asyncio.gather(*first, *waiting, *imported)
        await one.append(append(stream))
    assert len(await stored(log_dsn, [stream])) == 13


async def test_once_a_batch_cannot_be_queued_its_stream_waits_whole(
    log_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream, other = some_stream(), some_stream()
    async with rig(log_dsn, bounds=Bounds(queued_events=6)) as one:
        gate = Gate(one.link, monkeypatch)
        first = await queued(one, [append(other)])
        async with asyncio.timeout(5):
            while not gate.batches:
                await asyncio.sleep(0)
        sent = [append(stream, *events(stream, n)) for n in (4, 3, 1)] + [append(other)]
        task = asyncio.create_task(
            one.writer.append_all([(append_command(copy(r)), priority_of(r)) for r in sent])
        )
        await asyncio.sleep(0.01)
        gate.open.set()
        verdicts = await task
        await asyncio.gather(*first)
    # the third would have fitted, but it must not overtake the second
    assert [isinstance(verdict, Overloaded) for verdict in verdicts] == [False, True, True, False]


async def test_an_import_leaves_most_of_a_batch_to_people(
    log_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    live, bulk = some_stream(), some_stream()
    async with rig(log_dsn, bounds=Bounds(batch_events=8, import_share=0.25)) as one:
        gate = Gate(one.link, monkeypatch)
        first = await queued(one, [append(live)])
        async with asyncio.timeout(5):
            while not gate.batches:
                await asyncio.sleep(0)
        imports = await queued(one, [append(bulk, priority=pb.PRIORITY_IMPORT) for _ in range(20)])
        people = await queued(one, [append(live) for _ in range(12)])
        gate.open.set()
        await asyncio.gather(*first, *imports, *people)
    there = [row.stream for row in await stored(log_dsn, [live, bulk])]
    batches = [there[:1], there[1:9], there[9:17], there[17:25], there[25:]]
    assert [(batch.count(live), batch.count(bulk)) for batch in batches] == [
        *((1, 0), (6, 2), (6, 2), (0, 8), (0, 8))
    ]


async def test_an_import_larger_than_its_share_is_not_put_off_for_ever(
    log_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    live, bulk = some_stream(), some_stream()
    async with rig(log_dsn, bounds=Bounds(batch_events=8, import_share=0.25)) as one:
        gate = Gate(one.link, monkeypatch)
        first = await queued(one, [append(live)])
        async with asyncio.timeout(5):
            while not gate.batches:
                await asyncio.sleep(0)
        large = append(bulk, *events(bulk, 5), priority=pb.PRIORITY_IMPORT)
        imports = await queued(one, [large])
        people = await queued(one, [append(live) for _ in range(40)])
        gate.open.set()
        await asyncio.gather(*first, *imports, *people)
    there = [row.stream for row in await stored(log_dsn, [live, bulk])]
    # shares of 2, 4 and 6 events: it goes with the third batch
    assert there.index(bulk) == 1 + 3 * 6


async def test_a_refused_event_does_not_fail_the_batch_it_was_in(
    log_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, fresh = some_stream(), some_stream()
    repeated = append(old)
    async with rig(log_dsn, cached=2) as one:
        place = await one.append(repeated)
        for _ in range(4):
            await one.append(append(old))
        gate = Gate(one.link, monkeypatch)
        first = await queued(one, [append(old)])
        async with asyncio.timeout(5):
            while not gate.batches:
                await asyncio.sleep(0)
        # nobody remembers the repeated event: PostgreSQL refuses it, and the batch with it
        rest = await queued(one, [append(fresh), repeated, append(fresh), append(old)])
        gate.open.set()
        await asyncio.gather(*first)
        answers = await asyncio.gather(*rest)
    assert [answer.duplicate for answer in answers] == [False, True, False, False]
    assert answers[1].first_position == place.first_position
    assert [row.version for row in await stored(log_dsn, [fresh])] == [1, 2]
    await assert_sound(log_dsn)


async def test_what_postgresql_refuses_fails_alone(log_dsn: str) -> None:
    good, bad = some_stream(), some_stream()
    admin = await asyncpg.connect(log_dsn)
    await admin.execute(f"ALTER TABLE events ADD CONSTRAINT unwanted CHECK (stream_id <> '{bad}')")
    try:
        async with rig(log_dsn) as one:
            requests = [append(bad if n % 4 == 2 else good) for n in range(16)]
            answers = await asyncio.gather(*map(one.append, requests), return_exceptions=True)
    finally:
        await admin.execute("ALTER TABLE events DROP CONSTRAINT unwanted")
        await admin.close()
    failed = [type(answer).__name__ for answer in answers if isinstance(answer, Exception)]
    assert failed == ["Internal"] * 4
    assert len(await stored(log_dsn, [good])) == 12
    assert await stored(log_dsn, [bad]) == []
    await assert_sound(log_dsn)


async def test_events_are_told_to_the_watchers_after_their_commit(log_dsn: str) -> None:
    stream = some_stream()
    async with rig(log_dsn) as one:
        appended = await one.append(append(stream, event(stream)))
        assert one.heads[-1].position == appended.last_position
