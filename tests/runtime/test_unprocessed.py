"""How long events wait for a consumer shows, whatever the consumer does or does not do."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, aclosing, contextmanager
from datetime import UTC, datetime

import pytest
from prometheus_client import REGISTRY

from rehab_eventstore import main as eventstore_main
from rehab_runtime.channels import channel
from rehab_runtime.clock import FixedClock
from rehab_runtime.eventlog import follow
from rehab_runtime.unprocessed import GRACE_S, Unprocessed
from tests.projections.service import Log, Place
from tests.runtime.test_eventlog import Running, numbered, place, running

__all__ = ["place", "running"]
HOUR_S = 3600.0


def scraped(consumer: str) -> float:
    """What a scrape would show."""
    labels = {"consumer": consumer, "shard": "0"}
    value = REGISTRY.get_sample_value("oldest_unprocessed_seconds", labels)
    assert value is not None
    return value


async def until(told: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not told():
            await asyncio.sleep(0.01)


@contextmanager
def in_the_background(work: asyncio.Task[None]) -> Iterator[None]:
    try:
        yield
    finally:
        work.cancel()


async def test_the_age_grows_while_a_consumer_is_held_and_falls_when_it_goes_on(
    running: Running,
) -> None:
    clock = FixedClock(datetime.now(UTC))
    let_go = asyncio.Event()
    held = asyncio.Event()

    async def consume() -> None:
        follower = running.follow(unprocessed=Unprocessed("held", clock=clock))
        async with aclosing(aiter(follower)) as batches:
            async for _ in batches:
                held.set()
                await let_go.wait()

    await running.log.append(*numbered(1, 5))
    with in_the_background(asyncio.create_task(consume())):
        await held.wait()
        ages = []
        for _ in range(3):
            clock.advance(HOUR_S)
            ages.append(scraped("held"))
        assert ages[0] == pytest.approx(HOUR_S, abs=60)
        assert ages[1] - ages[0] == ages[2] - ages[1] == pytest.approx(HOUR_S)
        let_go.set()
        await until(lambda: scraped("held") == 0)
        clock.advance(HOUR_S)
        await until(lambda: scraped("held") == 0)


async def test_a_batch_that_failed_ages_until_it_is_processed(running: Running) -> None:
    clock = FixedClock(datetime.now(UTC))
    await running.log.append(*numbered(1, 5))
    mine = Unprocessed("failing", clock=clock)
    for _ in range(2):
        # it is given up in the middle of its batch
        async with aclosing(aiter(running.follow(unprocessed=mine))) as batches:
            await anext(batches)
        clock.advance(HOUR_S)
    assert scraped("failing") == pytest.approx(2 * HOUR_S, abs=60)
    async with aclosing(aiter(running.follow(unprocessed=mine))) as batches:
        # and the one that tells who was lent keys
        assert len(await anext(batches)) == 5 + 1
        going_on = asyncio.ensure_future(anext(batches))
        await until(lambda: scraped("failing") == 0)
        going_on.cancel()
        await asyncio.gather(going_on, return_exceptions=True)


async def test_a_consumer_that_cannot_ask_the_log_does_not_look_well(place: Place) -> None:
    clock = FixedClock(datetime.now(UTC))
    async with AsyncExitStack() as stack:
        async with eventstore_main.running(place.eventstore()) as store:
            log = Log(await stack.enter_async_context(channel(store.address)))
            await log.append(*numbered(1, 5))
            follower = follow(log.client, None, 5, unprocessed=Unprocessed("cut off", clock=clock))
            batches = await stack.enter_async_context(aclosing(aiter(follower)))
            waiting = asyncio.ensure_future(anext(batches))
            await until(lambda: follower.head == 5)
            clock.advance(HOUR_S)
            await until(lambda: scraped("cut off") == 0)
        await until(lambda: follower.waiting)
        clock.advance(HOUR_S)
        assert scraped("cut off") == HOUR_S
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)


def test_a_consumer_that_never_began_ages() -> None:
    clock = FixedClock(datetime.now(UTC))
    Unprocessed("never", clock=clock)
    clock.advance(GRACE_S)
    assert scraped("never") == 0
    clock.advance(HOUR_S)
    assert scraped("never") == GRACE_S + HOUR_S
