"""Real processes are killed under load. The oracle is the simulated clinic's own account: every
acknowledged event is stored exactly once, in order, and projected exactly once.

FAULT_ROUNDS raises the number of kills.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from rehab_cli.demo import Demo
from rehab_cli.suite import Suite
from rehab_runtime.embedded import free_port

ROUNDS = int(os.environ.get("FAULT_ROUNDS", "5"))
PATIENTS, DAYS = 12, 28
Kill = Callable[[Suite], Awaitable[None]]


async def kill_eventstore(suite: Suite) -> None:
    os.kill(suite.services["eventstore"].pid, signal.SIGKILL)


async def kill_ingest(suite: Suite) -> None:
    os.kill(suite.services["ingest"].pid, signal.SIGKILL)


async def kill_projections(suite: Suite) -> None:
    os.kill(suite.services["projections"].pid, signal.SIGKILL)


async def kill_postgres(suite: Suite) -> None:
    await suite.postgres.kill()
    await suite.postgres.start()


async def lived_through(kill: Kill, suite: Suite, seed: int) -> tuple[Demo, int]:
    """A clinic whose weeks pass in seconds, and how often something was killed in them."""
    speed = DAYS * 86_400 / (2.0 * ROUNDS)
    clinic = Demo(suite.addresses, count=PATIENTS, therapists=2, seed=seed, days=DAYS, speed=speed)
    chance = random.Random(seed)
    kills = 0
    living = asyncio.create_task(clinic.run())
    while kills < ROUNDS and not living.done():
        await asyncio.sleep(chance.uniform(0.8, 1.6))
        if not living.done():
            await kill(suite)
            kills += 1
    await living
    return clinic, kills


@pytest.mark.timeout(60 + 10 * ROUNDS)
@pytest.mark.parametrize(
    "kill",
    [kill_eventstore, kill_ingest, kill_projections, kill_postgres],
    ids=lambda kill: kill.__name__,
)
async def test_nothing_acknowledged_is_lost_doubled_or_reordered(
    kill: Kill, tmp_path: Path
) -> None:
    async with Suite(tmp_path, free_port(), lambda *_: None) as suite:
        clinic, kills = await lived_through(kill, suite, seed=ROUNDS)
        assert kills > 0
        lag = await clinic.projected()
        happened = sum(expected.events for expected in clinic.expected.values())
        assert clinic.progress.acked == happened
        assert await clinic.stored() == happened == lag.position
        assert await clinic.differences() == []
