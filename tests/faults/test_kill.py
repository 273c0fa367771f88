"""Real processes are killed under load. The oracle is the simulated clinic's own account: every
acknowledged event is stored exactly once, in order, and projected exactly once.

FAULT_ROUNDS raises the number of kills.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
from pathlib import Path

import pytest

from rehab_cli.checking import verdict
from rehab_cli.demo import Demo
from rehab_cli.suite import SERVICES, Suite
from tests.support.ports import low_ports

ROUNDS = int(os.environ.get("FAULT_ROUNDS", "5"))
PATIENTS, DAYS = 12, 28
LOOK_S = 0.02


async def kill(suite: Suite, victim: str) -> None:
    """SIGKILL, once it runs again after the last time; the suite brings services back."""
    if victim == "PostgreSQL":
        await suite.postgres.kill()
        await suite.postgres.start()
        return
    service = suite.services[victim]
    while not service.running:
        await asyncio.sleep(LOOK_S)
    os.kill(service.pid, signal.SIGKILL)


async def lived_through(victim: str, suite: Suite, seed: int) -> tuple[Demo, int]:
    """A clinic whose weeks pass in seconds, and how often something was killed in them."""
    speed = DAYS * 86_400 / (2.0 * ROUNDS)
    size = {"patients": PATIENTS, "therapists": 2, "seed": seed, "days": DAYS}
    clinic = Demo(suite.addresses, speed=speed, **size)
    chance = random.Random(seed)
    kills = 0
    living = asyncio.create_task(clinic.run())
    while kills < ROUNDS and not living.done():
        await asyncio.sleep(chance.uniform(0.8, 1.6))
        if not living.done():
            await kill(suite, victim)
            kills += 1
    await living
    return clinic, kills


@pytest.mark.timeout(60 + 10 * ROUNDS)
@pytest.mark.parametrize("victim", [*SERVICES, "PostgreSQL"])
async def test_nothing_acknowledged_is_lost_doubled_or_reordered(
    victim: str, tmp_path: Path
) -> None:
    async with Suite(tmp_path, low_ports(), lambda *_: None, longest_pause_s=0.5) as suite:
        clinic, kills = await lived_through(victim, suite, seed=ROUNDS)
        assert kills > 0
        found = await verdict(clinic)
        assert found.good, [str(difference) for difference in found.differences]
        assert found.sent > 0
