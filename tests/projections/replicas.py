"""Several replicas of the read models of one log."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from tests.projections.service import (
    Clinic,
    Log,
    Place,
    eventstore,
    projections,
)

LONG_S = 60
"""A lease that no test waits for: what is handed over was given up."""


async def holders(clinic: Clinic) -> list[str]:
    return [one.holder for one in await clinic.reads.lags()]


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(15):
        while not await holds():
            await asyncio.sleep(0.01)


async def shared(clinic: Clinic, *counts: int) -> None:
    """Wait until so many replicas hold so many shards each."""

    async def holds() -> bool:
        found = await holders(clinic)
        each = Counter(found)
        return "" not in each and sorted(each.values()) == sorted(counts)

    await until(holds)


@asynccontextmanager
async def replicas(
    place: Place, count: int, **told: Any
) -> AsyncIterator[tuple[Log, list[Clinic]]]:
    """In the order in which they came: those that do not fold come last."""
    told = {"lease_s": LONG_S, **told}
    async with eventstore(place) as (log, address), AsyncExitStack() as stack:
        each: list[Clinic] = []
        for number in range(count):
            one = projections(place, address, log, replica=f"replica-{number}", **told)
            each.append(await stack.enter_async_context(one))
            expected = min(number + 1, place.shards)
            parts = [
                place.shards // expected + (n < place.shards % expected) for n in range(expected)
            ]
            await shared(each[0], *parts)
        yield log, each
