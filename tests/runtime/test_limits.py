"""Limits: what is given in any stretch of time, over Valkey and without it."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis.asyncio import Redis

from rehab_runtime.clock import FixedClock, SystemClock
from rehab_runtime.embedded import Valkey as Server
from rehab_runtime.limits import AHEAD, AHEAD_S, Bucket, Limiter, Limits, OwnCount
from rehab_runtime.valkey import PAUSE_S, Away, connect

START = datetime(2026, 3, 2, tzinfo=UTC)
TEN = Limits(Bucket(rate=10, burst=20), Bucket(rate=1000, burst=5000))

Step = tuple[float, int, int]
steps = st.lists(
    st.tuples(st.floats(0, 3), st.integers(0, 5), st.integers(0, 3000)), min_size=1, max_size=60
)


@given(steps)
def test_no_stretch_of_time_is_given_more_than_burst_and_rate_allow(asked: list[Step]) -> None:
    clock = FixedClock(START)
    own = OwnCount(TEN, clock)
    given_at: list[tuple[float, int, int]] = []
    for pause, requests, size in asked:
        clock.advance(pause)
        if not own.take("caller", requests, size):
            given_at.append((clock.monotonic(), requests, size))
    for first in range(len(given_at)):
        for last in range(first, len(given_at)):
            seconds = given_at[last][0] - given_at[first][0]
            taken = given_at[first : last + 1]
            assert sum(one[1] for one in taken) <= 20 + 10 * seconds + 1e-6
            assert sum(one[2] for one in taken) <= 5000 + 1000 * seconds + 1e-6


@given(steps)
def test_whoever_waits_as_told_is_let_in(asked: list[Step]) -> None:
    clock = FixedClock(START)
    own = OwnCount(TEN, clock)
    for _, requests, size in asked:
        wait = own.take("caller", requests, size)
        if wait:
            clock.advance(wait + 1e-6)
            assert own.take("caller", requests, size) == 0


def test_a_refusal_takes_from_neither_bucket() -> None:
    clock = FixedClock(START)
    own = OwnCount(TEN, clock)
    assert own.take("caller", 1, 5000) == 0
    for _ in range(100):
        assert own.take("caller", 1, 1000) == pytest.approx(1.0)
    assert all(own.take("caller", 1, 0) == 0 for _ in range(19))


def test_one_caller_does_not_use_up_what_another_has() -> None:
    own = OwnCount(TEN, FixedClock(START))
    assert own.take("one", 20, 0) == 0
    assert own.take("one", 1, 0) > 0
    assert own.take("two", 20, 0) == 0


def test_one_request_larger_than_the_bucket_is_let_in_when_it_is_full() -> None:
    own = OwnCount(TEN, FixedClock(START))
    assert own.take("caller", 1, 1_000_000) == 0
    assert own.take("caller", 1, 1) > 0


async def test_replicas_share_one_bucket_through_valkey(
    valkey: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    # on a busy machine it answers late: here that is not to count as away
    monkeypatch.setattr("rehab_runtime.valkey.TIMEOUT_S", 20)
    clock, caller = SystemClock(), uuid.uuid4().hex
    limits = Limits(Bucket(rate=1, burst=50), Bucket(rate=1e6, burst=1e6))
    async with connect(valkey.url, clock) as one, connect(valkey.url, clock) as two:
        replicas = [Limiter(limits, clock, one), Limiter(limits, clock, two)]
        began = time.monotonic()
        waits = await asyncio.gather(
            *(replicas[index % 2].take(caller, 1, 1) for index in range(200))
        )
        given_now = waits.count(0.0)
        assert 50 <= given_now <= 51 + (time.monotonic() - began)
        assert 0 < max(waits) <= 2
        assert await replicas[0].take(uuid.uuid4().hex, 50, 1) == 0


async def test_who_asks_often_is_given_as_much_and_valkey_is_asked_less(
    valkey: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rehab_runtime.valkey.TIMEOUT_S", 20)
    clock, caller = FixedClock(START), uuid.uuid4().hex
    # so slow that the test's own time gives nothing
    limits = Limits(Bucket(rate=1e-6, burst=64), Bucket(rate=1e6, burst=1e6))
    async with connect(valkey.url, SystemClock()) as shared:
        asked, ask = 0, shared.ask

        async def counted(question: Callable[[Redis], Awaitable[float]]) -> float:
            nonlocal asked
            asked += 1
            return await ask(question)

        monkeypatch.setattr(shared, "ask", counted)
        limiter = Limiter(limits, clock, shared)
        waits = [await limiter.take(caller, 1, 1) for _ in range(64)]
        assert waits == [0.0] * 64
        assert asked <= 20
        assert await limiter.take(caller, 1, 1) > 0


async def test_what_was_taken_ahead_and_not_used_is_lost(valkey: Server) -> None:
    clock, caller = FixedClock(START), uuid.uuid4().hex
    limits = Limits(Bucket(rate=1e-6, burst=64), Bucket(rate=1e6, burst=1e6))
    async with connect(valkey.url, SystemClock()) as shared:
        limiter = Limiter(limits, clock, shared)
        # the first one pays for itself, the second for as much as is taken ahead
        assert [await limiter.take(caller, 1, 1) for _ in range(2)] == [0.0, 0.0]
        clock.advance(AHEAD_S)
        left = [await limiter.take(caller, 1, 1) for _ in range(64)]
        assert left.count(0.0) == 64 - 1 - AHEAD


async def test_without_valkey_each_process_gives_its_share_and_nobody_waits() -> None:
    clock, caller = SystemClock(), uuid.uuid4().hex
    limits = Limits(Bucket(rate=10, burst=5), Bucket(rate=1e6, burst=1e6))
    async with connect("redis://127.0.0.1:1/0", clock) as nowhere:
        limiter = Limiter(limits, clock, nowhere, replicas=2)
        assert [await limiter.take(caller, 1, 1) for _ in range(5)] == [0.0] * 5
        assert await limiter.take(caller, 1, 1) == pytest.approx(0.2, abs=0.1)


async def test_while_it_is_away_only_one_asks_in_a_while() -> None:
    clock, asked = FixedClock(START), 0

    async def question(client: object) -> None:
        nonlocal asked
        asked += 1
        raise ConnectionError

    async with connect("redis://127.0.0.1:1/0", clock) as nowhere:
        for _ in range(10):
            with pytest.raises(Away):
                await nowhere.ask(question)
        assert asked == 1
        clock.advance(PAUSE_S)
        for _ in range(10):
            with pytest.raises(Away):
                await nowhere.ask(question)
        assert asked == 2
