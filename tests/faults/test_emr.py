"""Two replicas of the record system's side are killed at random, and so is the receiver, which also
commits and does not answer. Its conditional create is no guarantee: two at once make two. In the
end there is exactly one resource for each event, as the log tells it last."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections import Counter
from contextlib import AsyncExitStack
from pathlib import Path
from random import Random
from typing import Any

import pytest

from rehab.emr.v1 import emr_service_pb2 as pb
from rehab.events.v1.event_pb2 import Event
from rehab_runtime.channels import channel
from rehab_runtime.embedded import Postgres
from tests.emr.given import arrived, pain
from tests.emr.house import Asks, House, Log, Place, Receiver, eventstore, receiving

SEED = 7
ROUNDS = int(os.environ.get("FAULT_ROUNDS", "3"))
PATIENTS = [f"patient-{number}" for number in range(8)]
PAUSE_S = (0.4, 1.6)
"""Between two kills."""
PACE_S = 0.05
CORRECTIONS = 0.15
WAIT_S = 40.0


class Emr:
    """The service in a process of its own."""

    def __init__(self, settings: dict[str, Any]) -> None:
        self._environment = {
            f"EMR_{name}".upper(): json.dumps(told) if isinstance(told, list) else str(told)
            for name, told in settings.items()
        }
        self._process: asyncio.subprocess.Process | None = None
        self.address = ""

    async def start(self) -> None:
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-W", "error", "-m", "rehab_emr"),
            env={**os.environ, **self._environment},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        assert self._process.stdout is not None
        line = await asyncio.wait_for(self._process.stdout.readline(), 60)
        self.address = json.loads(line)["address"]

    async def kill(self) -> None:
        assert self._process is not None
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()


async def lives(log: Log, stop: asyncio.Event, chance: Random) -> dict[str, Event]:
    """Patients report pain, and correct some of it: what was told last, by the first report."""
    said: dict[str, Event] = {}
    while not stop.is_set():
        patient, corrected = chance.choice(PATIENTS), ""
        if said and chance.random() < CORRECTIONS:
            corrected = chance.choice(list(said))
            patient = said[corrected].envelope.subject_id
        told = pain(chance.randrange(11), patient, corrects=corrected)
        await log.append(told)
        said[corrected or told.envelope.event_id] = told
        await asyncio.sleep(PACE_S)
    # of each patient the order is kept: when these are there, so is what was corrected before
    for patient in PATIENTS:
        told = pain(chance.randrange(11), patient)
        await log.append(told)
        said[told.envelope.event_id] = told
    return said


async def disturbed(
    emrs: list[Emr], receiver: Receiver, chance: Random, rounds: int
) -> Counter[str]:
    kills: Counter[str] = Counter()
    for _ in range(rounds):
        await asyncio.sleep(chance.uniform(*PAUSE_S))
        victim = chance.choice(("emr", "receiver", "both"))
        emr = chance.choice(emrs)
        kills[victim] += 1
        if victim != "receiver":
            await emr.kill()
        if victim != "emr":
            await receiver.kill()
            await asyncio.sleep(chance.uniform(0, 0.5))
            await receiver.start()
        if victim != "receiver":
            await emr.start()
    return kills


@pytest.mark.timeout(600)
async def test_killed_at_random_it_leaves_one_resource_for_each_event_at_the_receiver(
    postgres: Postgres, nats_url: str, tmp_path: Path
) -> None:
    kills = await lived_through(Place(postgres, nats_url, tmp_path), ROUNDS)
    assert sum(kills.values()) == ROUNDS


@pytest.mark.timeout(300)
async def test_killed_at_random_it_leaves_one_resource_at_a_receiver_without_conditional_creates(
    postgres: Postgres, nats_url: str, tmp_path: Path
) -> None:
    without = {"conditional": "ignores", "lists": ["search-type", "transaction", "batch"]}
    await lived_through(Place(postgres, nats_url, tmp_path), 2, **without)


async def lived_through(place: Place, rounds: int, **receives: Any) -> Counter[str]:
    """How often what was killed, while patients lived and a receiver went wrong in between."""
    chance = Random(SEED)
    async with AsyncExitStack() as stack:
        log, address = await stack.enter_async_context(eventstore(place))
        receiver = await stack.enter_async_context(receiving(place.folder / "receiver"))
        await receiver.goes_wrong(**receives)
        told = place.emr(address, request_timeout_ms=1000, lease_ms=1000, breaker_failures=20)
        emrs = [Emr(told), Emr(told)]
        await asyncio.gather(*(one.start() for one in emrs))
        emr = emrs[0]
        for one in emrs:
            stack.push_async_callback(one.kill)
        async with channel(emr.address) as connection:
            house = House(place, log, Asks(connection), receiver)
            await house.register(patient_system="urn:rehab:patients", most_entries=6)
        for patient in PATIENTS:
            await receiver.knows(patient)
            await log.append(*arrived(patient))
        await receiver.goes_wrong(
            hang=0.05, hang_s=3.0, cut=0.05, broken=0.05, busy=0.03, html=0.02, slow_s=0.05
        )
        stop = asyncio.Event()
        living = asyncio.create_task(lives(log, stop, Random(SEED + 1)))
        kills = await disturbed(emrs, receiver, chance, rounds)
        stop.set()
        said = await living
        await receiver.goes_wrong(hang=0, cut=0, broken=0, busy=0, html=0)
        async with channel(emr.address) as connection:
            house = House(place, log, Asks(connection), receiver)
            await all_delivered(house, len(said))
            await require_exact(house, list(said.values()))
        counts = await receiver.counts()
        assert counts.get("bundle 500"), "nothing went wrong"
        assert counts.get("lost 0"), "every answer came"
        return kills


async def all_delivered(house: House, count: int) -> None:
    async with asyncio.timeout(WAIT_S):
        while True:
            status = await house.status()
            dead = await house.deliveries(state=pb.DELIVERY_STATE_DEAD) if status.dead else []
            assert [one.reason for one in dead] == []
            if status.delivered >= count and not status.pending:
                return
            await asyncio.sleep(0.1)


async def require_exact(house: House, said: list[Event]) -> None:
    """One resource each, with what was told last; and the account knows of each, by the event."""
    there = await house.receiver.observations()
    by_id = Counter(one["identifier"][0]["value"] for one in there)
    assert [name for name, count in by_id.items() if count != 1] == []
    assert len(by_id) == len(said)
    values = {one["identifier"][0]["value"]: one["valueQuantity"]["value"] for one in there}
    accounted: dict[str, int] = {}
    for patient in PATIENTS:
        last = {one.resource_id: one for one in await house.disclosures(patient)}
        for name, one in last.items():
            assert one.outcome == "accepted"
            accounted |= dict.fromkeys(one.event_ids, values[name])
    told = {one.envelope.event_id: one.body.pain_report.nprs for one in said}
    assert {name: accounted.get(name) for name in told} == told
