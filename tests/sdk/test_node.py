"""The contract is enough for a client in another language: Node.js, from the .proto files alone."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.sdk.clinic import Clinic
from tests.sdk.given import CONSENT
from tests.sdk.test_cut_links import being_cut
from tests.sdk.town import Town
from tests.support.proxy import proxy_to

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(
        "REHAB_CI" not in os.environ and not (shutil.which("node") and shutil.which("npm")),
        reason="Node.js is no requirement of ours: where it is, and in CI, its client is tested",
    ),
]
ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "node"
INSTALL_S, RUN_S = 90, 60


async def run(*command: str, cwd: Path, timeout_s: float) -> str:
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=cwd,
        env={**os.environ, "NO_UPDATE_NOTIFIER": "1"},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        out, err = await asyncio.wait_for(process.communicate(), timeout_s)
    except TimeoutError:
        process.kill()
        await process.wait()
        raise AssertionError(f"{command[0]} was not done in {timeout_s} s") from None
    assert process.returncode == 0, err.decode()
    return out.decode()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def installed(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Path]:
    folder = tmp_path_factory.mktemp("node")
    shutil.copytree(EXAMPLE, folder, dirs_exist_ok=True)
    quiet = ("--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts", "--silent")
    await run("npm", "install", *quiet, cwd=folder, timeout_s=INSTALL_S)
    yield folder


async def stream(folder: Path, address: str, patient: str, *more: str) -> Any:
    said = await run(
        *("node", "stream.mjs", "--protos", str(ROOT / "protos"), "--address", address),
        *("--patient", patient, "--device", f"node-of-{patient}", *more),
        cwd=folder,
        timeout_s=RUN_S,
    )
    return json.loads(said)


async def test_200_events_arrive_once_each_in_order_over_a_link_that_is_cut(
    suite: Clinic, installed: Path, patient: str
) -> None:
    async with proxy_to(suite.ingest) as proxy, being_cut(proxy, every_bytes=6_000):
        told = await stream(installed, proxy.address, patient)
    stored = await suite.stored(patient)
    assert [event.envelope.event_id for event in stored] == told["ids"]
    assert (len(stored), told["acknowledged"], told["rejected"]) == (200, 200, 0)
    assert min(proxy.cuts, told["connections"] - 1) >= 3
    numbers = [event.envelope.device_seq for event in stored]
    assert numbers == sorted(numbers)


async def test_an_enrolled_device_streams_over_cut_links_with_tokens_of_its_own(
    town: Town, installed: Path, patient: str, tmp_path: Path
) -> None:
    await town.inhabitant(patient)
    device = await town.device(patient)
    assert isinstance(device.key, bytes)
    key = tmp_path / "device.key"
    key.write_bytes(device.key)
    async with (
        proxy_to(town.ingest) as proxy,
        proxy_to(town.identity) as identity,
        being_cut(proxy, every_bytes=6_000),
    ):
        who = ("--device", device.device_id, "--key", str(key), "--consent", CONSENT)
        told = await stream(installed, proxy.address, patient, *who, "--identity", identity.address)
        assert identity.bytes_up > 0
    stored = [one for one in await town.told(patient) if one.envelope.kind == "pain_report"]
    assert [one.envelope.event_id for one in stored] == told["ids"]
    assert (len(stored), told["acknowledged"], told["rejected"]) == (200, 200, 0)
    assert min(proxy.cuts, told["connections"] - 1) >= 3


async def test_what_the_server_refuses_is_told_and_the_rest_is_stored(
    suite: Clinic, installed: Path, patient: str
) -> None:
    told = await stream(installed, suite.ingest, patient, "--count", "10", "--zone", "Nowhere/Town")
    assert (told["acknowledged"], told["rejected"]) == (10, 10)
    assert await suite.told(patient) == []


async def test_its_dependencies_are_pinned_exactly() -> None:
    package = json.loads((EXAMPLE / "package.json").read_text())
    assert package["dependencies"]
    assert all(pin.replace(".", "").isdigit() for pin in package["dependencies"].values())
    assert not (EXAMPLE / "package-lock.json").exists()
