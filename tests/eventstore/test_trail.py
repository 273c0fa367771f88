"""The trail of readings: gathered, bounded, and told before anything is handed out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from rehab_eventstore.audit import KeyTrail
from rehab_eventstore.audit_streams import NAME
from rehab_runtime.access import trail as audit
from rehab_runtime.access.streams import stream_of
from rehab_runtime.access.trail import Told, untraced
from rehab_runtime.auth import service_principal, set_principal
from rehab_runtime.clock import FixedClock
from rehab_runtime.errors import (
    Draining,
    Overloaded,
    PermissionDenied,
    RehabError,
    Unavailable,
)
from rehab_runtime.slices import shard_of


class Pages:
    """What is told, and when the log takes it."""

    def __init__(self) -> None:
        self.told: list[list[Told]] = []
        self.takes = asyncio.Event()
        self.error: RehabError | None = None

    async def tell(self, events: Sequence[Told]) -> None:
        self.told.append(list(events))
        await self.takes.wait()
        if self.error is not None:
            raise self.error


@asynccontextmanager
async def trailing(clock: FixedClock, pages: Pages, **more: Any) -> AsyncIterator[KeyTrail]:
    trail = KeyTrail(pages.tell, clock, **{"covered_s": 60, "pace_s": 0, **more})
    running = asyncio.create_task(trail.run())
    set_principal(service_principal("emr"))
    yield trail
    pages.takes.set()
    async with asyncio.timeout(10):
        await trail.close()
        await running


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(datetime(2026, 3, 1, tzinfo=UTC))


async def waiting(*readings: Any) -> list[asyncio.Task[None]]:
    tasks = [asyncio.create_task(reading) for reading in readings]
    for _ in range(5):
        await asyncio.sleep(0)
    return tasks


async def test_readings_gather_while_those_before_are_committed(clock: FixedClock) -> None:
    pages = Pages()
    async with trailing(clock, pages) as trail:
        tasks = await waiting(trail.read("a", ["p0"]))
        tasks += await waiting(*(trail.read("a", [f"p{n % 50}"]) for n in range(1, 200)))
        assert not any(task.done() for task in tasks)
        assert len(pages.told) == 1
        pages.takes.set()
        await asyncio.gather(*tasks)
        assert [len(page) for page in pages.told] == [1, 1]
        (told,) = pages.told[1]
        assert set(told.subjects) == {f"p{n}" for n in range(1, 50)}
        assert told.covered_until - told.at == timedelta(seconds=60)


async def test_who_reads_what_is_being_told_waits_for_that(clock: FixedClock) -> None:
    pages = Pages()
    async with trailing(clock, pages) as trail:
        tasks = await waiting(trail.read("a", ["p"]))
        tasks += await waiting(trail.read("a", ["p"]), trail.read("a", ["p", "q"]))
        assert not any(task.done() for task in tasks)
        pages.takes.set()
        await asyncio.gather(*tasks)
        assert [one.subjects for page in pages.told for one in page] == [["p"], ["q"]]


async def test_a_caller_who_is_denied_again_and_again_is_told_once(clock: FixedClock) -> None:
    pages = Pages()
    async with trailing(clock, pages) as trail:
        for _ in range(3):
            with pytest.raises(PermissionDenied):
                trail.admit(frozenset({"policy"}), "a")
            await asyncio.sleep(0)
        pages.takes.set()
        await trail.read("a", ["p"])
        clock.advance(60)
        with pytest.raises(PermissionDenied):
            trail.admit(frozenset({"policy"}), "a")
    told = [one for page in pages.told for one in page if not one.reading.allowed]
    assert [one.subjects for one in told] == [(), ()]


async def test_a_denial_that_the_log_does_not_take_is_counted(clock: FixedClock) -> None:
    before = untraced._value.get()
    pages = Pages()
    pages.error = Unavailable("away")
    async with trailing(clock, pages) as trail:
        with pytest.raises(PermissionDenied):
            trail.admit(frozenset({"policy"}), "a")
    assert untraced._value.get() == before + 1


async def test_a_reading_is_covered_until_the_event_says(clock: FixedClock) -> None:
    pages = Pages()
    pages.takes.set()
    async with trailing(clock, pages) as trail:
        await trail.read("a", ["p"])
        clock.advance(59)
        await trail.read("a", ["p"])
        assert len(pages.told) == 1
        clock.advance(1)
        await trail.read("a", ["p"])
        assert len(pages.told) == 2


async def test_a_reading_that_was_not_told_is_not_covered(clock: FixedClock) -> None:
    pages = Pages()
    pages.takes.set()
    pages.error = Unavailable("away")
    async with trailing(clock, pages) as trail:
        for _ in range(2):
            with pytest.raises(Unavailable):
                await trail.read("a", ["p"])
        pages.error = None
        await trail.read("a", ["p"])
        assert len(pages.told) == 3


async def test_one_event_names_a_thousand_subjects_at_most(clock: FixedClock) -> None:
    pages = Pages()
    pages.takes.set()
    async with trailing(clock, pages) as trail:
        await trail.read("a", [f"p{n}" for n in range(2001)])
        assert [len(one.subjects) for one in pages.told[0]] == [1000, 1000, 1]


async def test_what_waits_and_what_is_remembered_is_bounded(
    clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit, "MAX_WAITING", 10)
    monkeypatch.setattr(audit, "MAX_COVERED", 3)
    pages = Pages()
    async with trailing(clock, pages) as trail:
        tasks = await waiting(trail.read("a", ["p"]))
        # more than the bound alone is served: it could never be otherwise
        tasks += await waiting(trail.read("a", [f"p{n}" for n in range(20)]))
        with pytest.raises(Overloaded):
            await trail.read("a", ["q"])
        pages.takes.set()
        await asyncio.gather(*tasks)
        assert len(trail._covered) == 3


async def test_whoever_gives_up_takes_no_trace_along(clock: FixedClock) -> None:
    pages = Pages()
    async with trailing(clock, pages) as trail:
        first, second = await waiting(trail.read("a", ["p"]), trail.read("a", ["p"]))
        first.cancel()
        pages.takes.set()
        await second
        assert [one.subjects for one in pages.told[0]] == [["p"]]


async def test_a_trail_that_is_closed_lets_nobody_read(clock: FixedClock) -> None:
    pages = Pages()
    async with trailing(clock, pages) as trail:
        pages.takes.set()
        await trail.close()
        with pytest.raises(Draining):
            await trail.read("a", ["p"])


@pytest.mark.parametrize("shards", [1, 2, 3, 64])
def test_the_trail_of_a_shard_lives_in_it(shards: int) -> None:
    names = [stream_of(NAME, number, shards) for number in range(shards)]
    assert [shard_of(name, shards) for name in names] == list(range(shards))
    assert len(set(names)) == shards
