"""Commits whose answer is lost, and a PostgreSQL that is away."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable

import asyncpg
import pytest

from rehab_eventstore import metrics
from rehab_runtime.errors import EventIdReused, RehabError, Unavailable
from tests.eventstore.broken_link import Break, broken_link
from tests.eventstore.given import append, event, events, ids, some_stream
from tests.eventstore.rig import Rig, assert_sound, rig, stored

pytestmark = pytest.mark.asyncio(loop_scope="module")


def unknown_outcomes() -> float:
    return metrics.unknown_outcomes._value.get()


async def known(one: Rig) -> str:
    """A stream of two events that the writer knows, so that the next statement is an append."""
    stream = some_stream()
    await one.append(append(stream))
    await one.append(append(stream))
    return stream


@pytest.mark.parametrize("when", Break)
async def test_a_commit_whose_answer_is_lost_is_stored_once_and_answered(
    log_dsn: str, when: Break
) -> None:
    async with broken_link(log_dsn) as link, rig(link.dsn) as one:
        stream = await known(one)
        before = unknown_outcomes()
        link.break_next(when)
        sent = events(stream, 3)
        appended = await one.append(append(stream, *sent, expected=2))
        again = await one.append(append(stream, expected=5))
    assert unknown_outcomes() == before + 1
    assert link.breaks == 1
    assert not appended.duplicate
    assert (appended.stream_version, again.stream_version) == (5, 6)
    there = await stored(log_dsn, [stream])
    assert [row.event_id for row in there[2:5]] == ids(sent)
    assert there[2].position == appended.first_position
    await assert_sound(log_dsn)


@pytest.mark.parametrize("when", Break)
async def test_every_caller_of_a_batch_whose_answer_is_lost_gets_its_own_verdict(
    log_dsn: str, when: Break
) -> None:
    async with broken_link(log_dsn) as link, rig(link.dsn) as one:
        streams = [await known(one) for _ in range(10)]
        repeated = append(streams[0])
        await one.append(repeated)
        before = unknown_outcomes()
        link.break_next(when)
        other = event(streams[0], b"other", event_id=repeated.events[0].envelope.event_id)
        requests = [
            *(repeated, append(streams[0], other)),
            *(append(stream, expected=2) for stream in streams[1:]),
        ]
        answers = await asyncio.gather(*map(one.append, requests), return_exceptions=True)
    assert unknown_outcomes() == before + 1
    assert answers[0].duplicate
    assert isinstance(answers[1], EventIdReused)
    assert [answer[2:4] for answer in answers[2:]] == [(3, False)] * 9
    assert len(await stored(log_dsn, streams)) == 30


async def test_a_commit_that_comes_through_after_its_link_broke_is_not_made_twice(
    log_dsn: str,
) -> None:
    blocker = await asyncpg.connect(log_dsn)
    try:
        async with broken_link(log_dsn) as link, rig(link.dsn, timeout_s=20) as one:
            stream = await known(one)
            transaction = blocker.transaction()
            await transaction.start()
            await blocker.execute("SELECT FROM log_head FOR UPDATE")
            request = append(stream, expected=2)
            task = asyncio.create_task(one.append(request))
            await waiting(blocker, 1)
            # the statement stays on its way in the server
            link.cut()
            await waiting(blocker, 2)
            await transaction.rollback()
            async with asyncio.timeout(10):
                appended = await task
            assert (await one.append(request)).duplicate
    finally:
        await blocker.close()
    assert not appended.duplicate
    assert len(await stored(log_dsn, [stream])) == 3
    await assert_sound(log_dsn)


async def waiting(observer: asyncpg.Connection, count: int) -> None:
    """Until so many statements wait for the head."""
    query = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        " AND application_name = 'eventstore-writer' AND wait_event_type = 'Lock'"
    )
    async with asyncio.timeout(10):
        while await observer.fetchval(query) < count:
            # its view of the activity is that of the transaction's begin otherwise
            await observer.execute("SELECT pg_stat_clear_snapshot()")
            await asyncio.sleep(0.005)


async def test_another_writer_first_after_a_lost_answer_is_no_confusion(log_dsn: str) -> None:
    async with broken_link(log_dsn) as link, rig(link.dsn) as one, rig(log_dsn) as rival:
        stream, other = await known(one), await known(one)
        link.break_next(Break.BEFORE_REQUEST)
        # the same event through another replica stands where the lost batch would have stood
        shared, alone = append(stream), append(other)
        link.open = False
        both = [asyncio.create_task(one.append(request)) for request in (shared, alone)]
        async with asyncio.timeout(5):
            while not link.breaks:
                await asyncio.sleep(0.001)
        place = await rival.append(shared)
        link.open = True
        repeated, fresh = await asyncio.gather(*both)
    assert repeated.duplicate
    assert repeated.first_position == place.first_position
    assert not fresh.duplicate
    assert len(await stored(log_dsn, [stream, other])) == 6


async def test_links_that_break_again_and_again_lose_nothing_and_repeat_nothing(
    log_dsn: str,
) -> None:
    streams = [some_stream() for _ in range(6)]
    chance = random.Random(11)
    acknowledged: list[str] = []

    async def caller(one: Rig, sabotage: Callable[[], None]) -> None:
        for _ in range(25):
            stream = chance.choice(streams)
            request = append(stream, *events(stream, chance.choice([1, 3])))
            while True:
                try:
                    await one.append(request)
                    break
                except RehabError:
                    await asyncio.sleep(0.01)
            acknowledged.extend(ids(request.events))
            if chance.random() < 0.1:
                sabotage()

    async with broken_link(log_dsn) as link, rig(link.dsn) as one, rig(log_dsn) as rival:

        def sabotage() -> None:
            if chance.random() < 0.3:
                link.cut()
            else:
                link.break_next(chance.choice(list(Break)))

        async with asyncio.TaskGroup() as group:
            for number in range(16):
                group.create_task(caller(rival if number % 4 == 0 else one, sabotage))
        assert link.breaks >= 5
    there = [row.event_id for row in await stored(log_dsn, streams)]
    assert sorted(there) == sorted(acknowledged)
    await assert_sound(log_dsn)


async def test_while_postgresql_is_away_appends_wait_then_are_refused_then_go_on(
    log_dsn: str,
) -> None:
    stream = some_stream()
    async with broken_link(log_dsn) as link, rig(link.dsn, patience_s=0.2) as one:
        await known(one)
        link.open = False
        link.cut()
        sent = [append(stream) for _ in range(3)]
        answers = await asyncio.gather(*map(one.append, sent), return_exceptions=True)
        assert [type(answer) for answer in answers] == [Unavailable] * 3
        with pytest.raises(Unavailable) as refused:
            await one.append(sent[0])
        assert refused.value.retry_after_s is not None
        link.open = True
        async with asyncio.timeout(10):
            while True:
                try:
                    await one.append(sent[0])
                    break
                except Unavailable:
                    await asyncio.sleep(0.01)
        again = await asyncio.gather(*map(one.append, sent))
    assert [row.event_id for row in await stored(log_dsn, [stream])] == [
        one.events[0].envelope.event_id for one in sent
    ]
    assert [answer.stream_version for answer in again] == [1, 2, 3]


async def test_an_append_outlives_a_short_absence_of_postgresql(log_dsn: str) -> None:
    stream = some_stream()
    async with broken_link(log_dsn) as link, rig(link.dsn) as one:
        await known(one)
        link.open = False
        link.cut()
        task = asyncio.create_task(one.append(append(stream)))
        await asyncio.sleep(0.1)
        link.open = True
        assert (await task).stream_version == 1


async def test_a_link_that_falls_silent_is_given_up(log_dsn: str) -> None:
    stream = some_stream()
    async with (
        broken_link(log_dsn) as link,
        rig(link.dsn, timeout_s=0.2, patience_s=0.1) as one,
    ):
        await known(one)
        link.silent = True
        async with asyncio.timeout(8):
            with pytest.raises(Unavailable):
                await one.append(append(stream))
            link.silent = False
            link.cut()
            while True:
                try:
                    await one.append(append(stream))
                    break
                except Unavailable:
                    await asyncio.sleep(0.01)
    await assert_sound(log_dsn)


async def test_a_log_that_lost_acknowledged_events_becomes_another_one(log_dsn: str) -> None:
    stream = some_stream()
    admin = await asyncpg.connect(log_dsn)
    try:
        async with broken_link(log_dsn) as link, rig(link.dsn) as one:
            await one.append(append(stream))
            kept = one.memory.head
            await one.append(append(stream, *events(stream, 2)))
            # as after a failover to a replica that was behind
            await admin.execute("DELETE FROM events WHERE position > $1", kept.position)
            await admin.execute("UPDATE log_head SET position = $1", kept.position)
            link.cut()
            appended = await one.append(append(stream, expected=1))
            assert one.memory.head.incarnation != kept.incarnation
            assert appended.first_position == kept.position + 1
        assert str(await admin.fetchval("SELECT incarnation FROM log_head")) != kept.incarnation
    finally:
        await admin.close()
    await assert_sound(log_dsn)
