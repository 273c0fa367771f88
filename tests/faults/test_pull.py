"""Two replicas that notify a system are killed at random, and so is the system, which also takes a
notification and does not answer, or refuses. In the end it was told of every event in the order of
their numbers, each with one meaning, and can pull what the log tells last."""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from random import Random

import pytest

from rehab.events.v1.event_pb2 import Event
from rehab_runtime.channels import channel
from rehab_runtime.embedded import Postgres
from tests.emr.given import arrived
from tests.emr.house import Asks, House, Place, eventstore, receiving
from tests.emr.pulls import (
    Hook,
    Notice,
    Puller,
    PullHouse,
    all_events,
    require_one_meaning,
    taken,
)
from tests.faults.test_emr import PATIENTS, Emr, lives
from tests.support.ports import low_port

SEED = 11
ROUNDS = int(os.environ.get("FAULT_ROUNDS", "3"))
PAUSE_S = (0.3, 1.2)
WAIT_S = 40.0
WRONG = ("500", "503:0", "hang", "429:0")


def script(chance: Random) -> list[str]:
    return ["200" if chance.random() < 0.7 else chance.choice(WRONG) for _ in range(200)]


async def disturbed(emrs: Sequence[Emr], hook: Hook, chance: Random) -> Counter[str]:
    kills: Counter[str] = Counter()
    for number in range(ROUNDS):
        await asyncio.sleep(chance.uniform(*PAUSE_S))
        victim = ("emr", "hook")[number % 2]
        kills[victim] += 1
        if victim == "hook":
            await hook.kill()
            await asyncio.sleep(chance.uniform(0, 0.5))
            await hook.start()
            await hook.says(*script(chance))
        else:
            emr = chance.choice(emrs)
            await emr.kill()
            await emr.start()
    return kills


@pytest.mark.timeout(600)
async def test_killed_at_random_it_tells_each_event_with_one_meaning_and_forgets_none(
    postgres: Postgres, nats_url: str, tmp_path: Path
) -> None:
    place, chance = Place(postgres, nats_url, tmp_path), Random(SEED)
    async with AsyncExitStack() as stack:
        log, address = await stack.enter_async_context(eventstore(place))
        hook = await stack.enter_async_context(receiving(tmp_path / "hook", made=Hook))
        assert isinstance(hook, Hook)
        ports = (low_port(), low_port())
        told = place.emr(address, request_timeout_ms=500, lease_ms=500, breaker_failures=20)
        told["pull_url"] = f"http://localhost:{ports[0]}/fhir"
        emrs = [Emr(told | {"http_listen": f"127.0.0.1:{port}"}) for port in ports]
        await asyncio.gather(*(one.start() for one in emrs))
        for one in emrs:
            stack.push_async_callback(one.kill)
        async with channel(emrs[0].address) as connection:
            house = PullHouse(House(place, log, Asks(connection), hook), hook)
            puller = await house.register(most_entries=5)
        for patient in PATIENTS:
            await log.append(*arrived(patient))
        await hook.says(*script(chance))
        stop = asyncio.Event()
        living = asyncio.create_task(lives(log, stop, Random(SEED + 1)))
        kills = await disturbed(emrs, hook, chance)
        stop.set()
        said = await living
        await hook.says()
        async with channel(emrs[0].address) as connection:
            house = PullHouse(House(place, log, Asks(connection), hook), hook)
            await house.house.until_all("delivered", len(said))
            notices = await hook.notices()
            assert (await house.subscription()).events == max(taken(notices))
            require_told(notices, said)
            await require_pulled(puller, house, said)
    assert sum(kills.values()) == ROUNDS
    assert {one.answer for one in notices} > {"200"}, "nothing went wrong"


def require_told(notices: Sequence[Notice], said: dict[str, Event]) -> None:
    """Of everything, and in order: a number is never told before the one before it was taken."""
    known = require_one_meaning(notices)
    assert taken(notices) == set(known)
    assert {event.focus.rpartition("/")[2] for event in known.values()} == set(said)
    first_told = list(dict.fromkeys(event.number for event in all_events(notices)))
    assert first_told == sorted(first_told)


async def require_pulled(puller: Puller, house: PullHouse, said: dict[str, Event]) -> None:
    """What the log tells last, and an account of it."""
    found = await asyncio.gather(*(puller.read(f"Observation/{name}") for name in said))
    values = {one["id"]: one["valueQuantity"]["value"] for one in found}
    assert values == {name: one.body.pain_report.nprs for name, one in said.items()}
    accounted = Counter[str]()
    for patient in PATIENTS:
        told = await house.house.disclosures(patient)
        accounted.update(one.resource_id for one in told if one.outcome == "pulled")
    assert accounted == Counter(dict.fromkeys(said, 1))
