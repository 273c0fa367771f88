"""A patient who comes again after a restart is not folded from the first event."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import pytest

from rehab_policy import metrics
from rehab_policy.keeping import EVERY
from tests.policy.given import BOOK, EMERGENCY, PATIENT, arrived, book, pain, rep, rising
from tests.policy.service import WAIT_S, House, Log, Place, eventstore, policy

FEW = 200


@asynccontextmanager
async def lived(place: Place) -> AsyncIterator[tuple[Log, str]]:
    """A log in which a patient did so much that the state is kept, and policy has ended."""
    async with eventstore(place) as (log, address):
        async with policy(place, address, log) as house:
            await log.append(*arrived(), pain(6))
            for _ in range(0, EVERY, FEW):
                position = await log.append(*(rep(90) for _ in range(FEW)))
            await house.folded(position)
            await house.asks.alerts_of(1)
            async with asyncio.timeout(WAIT_S):
                while not await kept(place):
                    await asyncio.sleep(0.02)
        yield log, address


async def kept(place: Place, change: str = "") -> list[asyncpg.Record]:
    connection = await asyncpg.connect(place.eventstore().postgres_dsn)
    try:
        if change:
            await connection.execute(f"UPDATE snapshot SET {change}")
        return list(await connection.fetch("SELECT stream_id, state FROM snapshot"))
    finally:
        await connection.close()


async def comes_again(house: House, log: Log) -> tuple[float, float]:
    """How many states were used and how many events folded again; a rule's cooldown holds on."""
    before = restored(), refolded()
    position = await log.append(pain(6), pain(7))
    await house.folded(position)
    assert len(await house.asks.alerts_of(2)) == 2
    return restored() - before[0], refolded() - before[1]


def restored() -> float:
    return float(metrics.restored._value.get())


def refolded() -> float:
    return float(metrics.refolded.labels("fold")._value.get())


async def test_only_what_came_after_the_state_that_is_kept_is_folded_again(place: Place) -> None:
    async with lived(place) as (log, address):
        ((stream, state),) = await kept(place)
        assert stream == PATIENT
        assert b"rep_observation" not in state, "it is sealed"
        async with policy(place, address, log) as house:
            used, again = await comes_again(house, log)
    assert used == 1
    assert again < FEW + 10


@pytest.mark.parametrize("damage", ["state = state || '\\x00'", "stream_version = 500"])
async def test_a_state_that_is_damaged_costs_time_alone(place: Place, damage: str) -> None:
    async with lived(place) as (log, address):
        await kept(place, damage)
        async with policy(place, address, log) as house:
            used, again = await comes_again(house, log)
    assert used == 0
    assert again > EVERY


async def test_a_state_of_other_rules_is_not_used(place: Place) -> None:
    async with lived(place) as (log, address):
        await drop_rules(place)
        changed = book(EMERGENCY, rising(6), version=1)
        assert changed != BOOK
        async with policy(place, address, log, changed) as house:
            before = restored()
            await house.folded(await log.append(pain(6)))
            assert restored() == before


async def drop_rules(place: Place) -> None:
    connection = await asyncpg.connect(place.policy_dsn)
    try:
        await connection.execute("TRUNCATE rule_set CASCADE")
    finally:
        await connection.close()
