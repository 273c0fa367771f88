"""A device that enrolled with a code streams over links that are cut again and again, with tokens
that end meanwhile: what it sent is stored once each, in order.

FAULT_SECONDS is how long it streams.
"""

from __future__ import annotations

import asyncio
import os
import random
import re
import sys
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import pytest
import pytest_asyncio

from rehab_sdk import Acked, DeviceKey
from tests.faults.users import pain_reports, town
from tests.sdk.clinic import cancelled, pains
from tests.sdk.given import CONSENT
from tests.sdk.test_examples import example
from tests.sdk.town import Town
from tests.support.fleet import Fleet, fleet
from tests.support.proxy import Proxy, proxy_to

SECONDS = float(os.environ.get("FAULT_SECONDS", "12"))
CUT_S = max(0.7, SECONDS / 20)
LIFE_S = 10
"""Of an access token, the shortest there is: it is renewed at 8 s."""
PATIENT_S = 60
pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.timeout(180 + 3 * SECONDS),
]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def living(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Fleet]:
    folder = tmp_path_factory.mktemp("fleet")
    async with fleet(folder, replicas=1, access_token_s=str(LIFE_S)) as made:
        yield made


@dataclass
class Links:
    """A phone's ways to the suite, which are cut together."""

    town: Town
    proxies: tuple[Proxy, Proxy]

    @property
    def cuts(self) -> int:
        return self.proxies[0].cuts


@asynccontextmanager
async def links(living: Fleet) -> AsyncIterator[Links]:
    made = town(living)
    async with proxy_to(made.ingest) as ingest, proxy_to(made.identity) as identity:
        yield Links(made, (ingest, identity))


@asynccontextmanager
async def cut_all_the_time(made: Links) -> AsyncIterator[None]:
    async def cutting() -> None:
        while True:
            await asyncio.sleep(CUT_S * random.uniform(0.7, 1.3))
            for proxy in made.proxies:
                proxy.cut()

    task = asyncio.create_task(cutting())
    try:
        yield
    finally:
        await cancelled(task)


async def times_let_in(living: Fleet, device_id: str) -> int:
    """How often identity gave the device tokens."""
    connection = await asyncpg.connect(living.servers.dsn("identity"))
    try:
        asked = "SELECT sum(generation) FROM session WHERE device_id = $1"
        return int(await connection.fetchval(asked, device_id))
    finally:
        await connection.close()


async def test_what_is_streamed_over_a_link_that_is_cut_is_stored_once_in_order(
    living: Fleet,
) -> None:
    patient = f"patient-{uuid.uuid4().hex[:8]}"
    async with AsyncExitStack() as stack:
        made = await stack.enter_async_context(links(living))
        await made.town.inhabitant(patient)
        key: DeviceKey = await made.town.device(patient)
        made.town.ingest, made.town.identity = (proxy.address for proxy in made.proxies)
        sent, receipts = [], []
        until = time.monotonic() + SECONDS
        async with (
            cut_all_the_time(made),
            made.town.client(patient, key) as client,
            client.stream() as stream,
        ):
            while time.monotonic() < until:
                (event,) = pains(client, patient, 1)
                receipts.append(await stream.send(event))
                sent.append(event.envelope.event_id)
                await asyncio.sleep(0.02)
            verdicts = [await receipt for receipt in receipts]
    assert all(isinstance(verdict, Acked) for verdict in verdicts)
    assert await pain_reports(living, patient) == sent
    assert len(sent) > SECONDS
    assert made.cuts > SECONDS / CUT_S / 3
    assert await times_let_in(living, key.device_id) > SECONDS / LIFE_S


class Device:
    """The example, as a process of its own."""

    def __init__(self, made: Links, folder: Path) -> None:
        self._folder = folder
        self._env = {
            "REHAB_INGEST": made.proxies[0].address,
            "REHAB_IDENTITY": made.proxies[1].address,
            "REHAB_CONSENT": CONSENT,
            "PYTHONPATH": os.pathsep.join(sys.path),
        }

    async def run(self, seconds: float, *, code: str = "", kill: bool = False) -> list[str]:
        """Ids of the events that it says are kept. Killed, it is so after `seconds`."""
        told_s = 10 * seconds if kill else seconds
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-W", "error", example("enrolled_device.py"), str(self._folder)),
            *([code] if code else []),
            *("--seconds", str(told_s), "--pause", "0.02"),
            env={**os.environ, **self._env},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        if kill:
            await asyncio.sleep(seconds)
            process.kill()
        out, err = await asyncio.wait_for(process.communicate(), PATIENT_S + told_s)
        assert process.returncode == (-9 if kill else 0), err.decode()
        assert kill or out.endswith(b"all acknowledged\n")
        return re.findall(r"^[0-9a-f-]{36}$", out.decode(), flags=re.MULTILINE)


async def test_what_a_device_kept_that_was_killed_is_stored_once_in_order(
    living: Fleet, tmp_path: Path
) -> None:
    patient = f"patient-{uuid.uuid4().hex[:8]}"
    async with links(living) as made:
        await made.town.inhabitant(patient)
        device = Device(made, tmp_path / "phone")
        assert await device.run(0, code=await made.town.code(patient)) == []
        async with cut_all_the_time(made):
            killed = await device.run(SECONDS / 2, kill=True)
            after = await device.run(SECONDS / 2)
    assert min(len(killed), len(after)) > SECONDS / 2
    stored = await pain_reports(living, patient)
    unsaid = len(stored) - len(killed) - len(after)
    assert 0 <= unsaid <= 1, "kept, and killed before it came to say so"
    assert stored[: len(killed)] == killed
    assert stored[len(killed) + unsaid :] == after
    assert len(set(stored)) == len(stored)
    assert made.cuts > SECONDS / CUT_S / 3
