"""Real processes are killed under load. The oracle is the simulated clinic's own account: every
acknowledged event is stored exactly once, in order, and projected exactly once.

FAULT_ROUNDS raises the number of kills of each.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
from collections.abc import Sequence
from pathlib import Path

import pytest

from rehab.projections.v1 import projections_admin_service_pb2 as pb
from rehab.projections.v1.projections_admin_service_pb2_grpc import ProjectionsAdminServiceStub
from rehab_cli.asking import METADATA
from rehab_cli.checking import verdict
from rehab_cli.demo import Demo
from rehab_cli.suite import SERVICES, Suite
from rehab_cli.supervisor import Service, environment
from rehab_runtime.channels import channel
from tests.support.ports import low_ports

ROUNDS = int(os.environ.get("FAULT_ROUNDS", "2"))
VICTIMS = (
    ("eventstore", "PostgreSQL"),
    ("ingest", "identity"),
    ("projections", "policy", "emr"),
)
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


async def lived_through(suite: Suite, victims: Sequence[str], seed: int) -> tuple[Demo, list[str]]:
    """A clinic whose weeks pass in seconds, and who was killed in them, in turn."""
    speed = DAYS * 86_400 / (2.0 * ROUNDS * len(victims))
    size = {"patients": PATIENTS, "therapists": 2, "seed": seed, "days": DAYS}
    clinic = Demo(suite.addresses, speed=speed, **size)
    chance = random.Random(seed)
    killed: list[str] = []
    living = asyncio.create_task(clinic.run())
    for victim in victims * ROUNDS:
        await asyncio.sleep(chance.uniform(0.8, 1.6))
        if not living.done():
            await kill(suite, victim)
            killed.append(victim)
    await living
    return clinic, killed


def test_every_server_is_killed() -> None:
    every = [victim for victims in VICTIMS for victim in victims]
    assert sorted(every) == sorted([*SERVICES, "PostgreSQL"])


@pytest.mark.timeout(90 + 30 * ROUNDS)
@pytest.mark.parametrize("victims", VICTIMS, ids=" ".join)
async def test_nothing_acknowledged_is_lost_doubled_or_reordered(
    victims: tuple[str, ...], tmp_path: Path
) -> None:
    async with Suite(tmp_path, low_ports(), lambda *_: None, longest_pause_s=0.5) as suite:
        clinic, killed = await lived_through(suite, victims, seed=ROUNDS)
        assert set(killed) == set(victims)
        found = await verdict(clinic)
        assert found.good, [str(difference) for difference in found.differences]
        assert found.sent > 0
        assert not await differences(suite)


async def differences(suite: Suite) -> list[str]:
    """Tables that are not what a fold of the whole log gives, after all this."""
    async with channel(suite.addresses.projections) as connection:
        steps = ProjectionsAdminServiceStub(connection).Rebuild(
            pb.RebuildRequest(workers=1, expect_same=True), metadata=METADATA, timeout=100
        )
        built = [step async for step in steps][-1].built
    return [one.table for one in built.differences]


@pytest.mark.timeout(90 + 30 * ROUNDS)
async def test_replicas_of_the_read_models_that_come_and_go_change_nothing(tmp_path: Path) -> None:
    async with Suite(tmp_path, low_ports(), lambda *_: None, longest_pause_s=0.5) as suite:
        own = {
            "LISTEN": "127.0.0.1:0",
            "METRICS_LISTEN": "",
            "POSTGRES_DSN": suite.servers.dsn("projections"),
            "NATS_URL": suite.servers.nats_url,
            "EVENTSTORE_ADDRESS": suite.addresses.eventstore,
        }
        others = [asyncio.create_task(come_and_go(own, stay_s)) for stay_s in (0.4, 0.9)]
        clinic, _ = await lived_through(suite, ["projections"] * 2, seed=ROUNDS + 1)
        for one in others:
            one.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        found = await verdict(clinic)
        assert found.good, [str(difference) for difference in found.differences]
        assert not await differences(suite)


async def come_and_go(own: dict[str, str], stay_s: float) -> None:
    """A replica starts, folds for a while and is asked to stop, again and again."""
    while True:
        replica = Service("projections", environment("projections", own), lambda *_: None)
        try:
            await replica.start()
            await asyncio.sleep(stay_s)
        finally:
            await replica.stop()
