"""What the service seals of its own, by keys that Vault wraps."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from rehab.emr.v1 import emr_service_pb2 as pb
from rehab_emr import main as emr_main
from rehab_emr.settings import Settings
from rehab_runtime.box.file import read
from rehab_runtime.channels import channel
from rehab_runtime.clock import SystemClock
from rehab_runtime.startup import StartupError
from tests.emr.given import PATIENT, arrived, pain
from tests.emr.house import Asks, House, Place, eventstore, receiving, stored
from tests.support.vault_server import VaultServer, box_in, serving

BEARER = "a-token-of-the-hospital"


@pytest.fixture
def vault() -> Iterator[VaultServer]:
    with serving(SystemClock()) as server:
        yield server


@pytest.fixture
def in_vault(vault: VaultServer, tmp_path: Path) -> dict[str, Any]:
    return box_in(vault, tmp_path)


Replica = Callable[..., AbstractAsyncContextManager[House]]


@pytest_asyncio.fixture
async def replica(place: Place) -> AsyncIterator[Replica]:
    """The service with these settings, before the same log and the same receiver each time."""
    async with (
        eventstore(place) as (log, address),
        receiving(place.folder / "receiver", "--bearer", BEARER) as receiver,
    ):

        @asynccontextmanager
        async def made(**told: Any) -> AsyncIterator[House]:
            async with (
                emr_main.running(Settings(**place.emr(address, **told))) as service,
                channel(service.address) as connection,
            ):
                yield House(place, log, Asks(connection), receiver)

        yield made


async def shares(house: House, value: int) -> None:
    """The endpoint's secret, the patient's link and the key of digests open."""
    await house.log.append(pain(value))
    await house.until(lambda found: len(found) == value)
    await house.until_all("delivered", value)


async def begins(house: House) -> None:
    await house.receiver.ask("/_put", {"resourceType": "Patient", "id": f"r-{PATIENT}"})
    await house.register(bearer=BEARER)
    await house.log.append(*arrived())
    await house.link(PATIENT)


async def test_vault_takes_over_what_the_key_file_holds_and_all_opens_without_the_file(
    place: Place, replica: Replica, in_vault: dict[str, Any], vault: VaultServer
) -> None:
    file = place.folder / "emr-keys.json"
    async with replica() as house:
        await begins(house)
        await shares(house, 1)
    held = read(file)
    async with replica(**in_vault) as house:
        await shares(house, 2)
    os.remove(file)
    vault.rotate()
    async with replica(**in_vault) as house:
        await shares(house, 3)
        replay = pb.ReplayRequest(clinic_id="clinic-1", endpoint_id="hospital", delivered=True)
        await house.asks("Replay", replay)
        await house.until_all("delivered", 3)
        # the same digests, or what is there would have been amended
        assert {one["status"] for one in await house.receiver.observations()} == {"final"}
    for row in await stored(place, "SELECT box_id, number, kek_id, wrapped FROM box_version"):
        assert row["box_id"] == held.id
        assert row["kek_id"] == "vault:transit/patients"
        assert row["wrapped"].startswith(b"vault:v1:")
        assert held.versions[row["number"]] not in row["wrapped"]
    assert not file.exists()
    (row,) = await stored(place, "SELECT secret FROM endpoint")
    assert BEARER.encode() not in row["secret"]


async def test_a_replica_that_is_told_another_keeper_does_not_start(
    place: Place, replica: Replica, in_vault: dict[str, Any]
) -> None:
    async with replica(**in_vault):
        pass
    with pytest.raises(StartupError, match="EMR_KEYS_ALSO"):
        async with replica():
            pass
    assert not (place.folder / "emr-keys.json").exists()
