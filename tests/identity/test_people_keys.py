"""The key-encryption key is rotated, all is wrapped anew, and the old version is destroyed."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path
from typing import Any

import grpc
import pytest

from rehab.identity.v1 import account_service_pb2 as account_pb
from rehab.identity.v1 import key_admin_service_pb2 as pb
from rehab.identity.v1.key_admin_service_pb2_grpc import KeyAdminServiceStub
from rehab_runtime.auth import bearer
from rehab_runtime.box import Box
from rehab_runtime.box.file import OfFile
from rehab_runtime.clock import SystemClock
from rehab_runtime.errors import Internal, InvalidArgument, PermissionDenied, from_rpc_error
from tests.identity.house import ADMIN, CLI, House, house, profile


def box(file: Path) -> Box:
    return Box(OfFile(file, SystemClock()), "rehab identity box")


class Keys:
    """The service that looks after keys, asked by a principal."""

    def __init__(self, home: House, who: Any = CLI) -> None:
        self._stub = KeyAdminServiceStub(home.connection)
        self._metadata = (bearer(who),)

    async def ask(self, method: str) -> Any:
        request = getattr(pb, f"{method}Request")()
        try:
            return await getattr(self._stub, method)(request, metadata=self._metadata, timeout=30)
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error) from None

    async def rewrap(self) -> list[tuple[int, int]]:
        call = self._stub.RewrapKeys(pb.RewrapKeysRequest(), metadata=self._metadata, timeout=60)
        return [(one.moved, one.left) async for one in call]

    async def census(self) -> dict[int, tuple[int, int]]:
        told = await self.ask("GetKeyStatus")
        return {one.version: (one.accounts, one.secrets) for one in told.versions}


async def test_all_is_wrapped_anew_and_opens_without_the_old_version(
    database_dsn: str, tmp_path: Path
) -> None:
    file = tmp_path / "k"
    async with house(database_dsn, file) as home:
        keys = Keys(home)
        await home.account("ann")
        await home.device("ann", model="Ann's phone")
        tokens = await home.log_in("ann")
        before = await home.fetch("SELECT data_key FROM account")
        assert await keys.census() == {1: (1, 3)}
        assert (await keys.ask("RotateKek")).version == 2
        await home.account("tom")
        assert await keys.census() == {1: (1, 3), 2: (1, 0)}
        with pytest.raises(InvalidArgument) as caught:
            await keys.ask("DestroyOldKeks")
        assert [one.rule for one in caught.value.violations] == ["kek.rewrapped"]
        old = shutil.copy(file, tmp_path / "backup")
        assert await keys.rewrap() == [(0, 4), (4, 0)]
        assert await keys.census() == {1: (0, 0), 2: (2, 3)}
        assert (await keys.ask("DestroyOldKeks")).version == 2
        assert await keys.census() == {2: (2, 3)}
        assert (await home.let_in(tokens.access_token)).id == "ann"
        # what a backup of the database holds opens no more, but with a backup of the key file
        with pytest.raises(Internal):
            box(file).open(before[0]["data_key"], "account key", "ann")
        assert box(Path(old)).open(before[0]["data_key"], "account key", "ann")
    async with house(database_dsn, file) as home:
        account = (await home.ask("GetAccount", ADMIN, account_id="ann")).account
        assert account.profile == profile("ann")
        (device,) = (await home.ask("ListDevices", ADMIN, patient_id="ann")).devices
        assert device.model == "Ann's phone"
        await home.log_in("ann")


async def test_a_replica_seals_with_what_another_has_rotated_to(
    database_dsn: str, tmp_path: Path
) -> None:
    file = tmp_path / "k"
    async with house(database_dsn, file) as one, house(database_dsn, file) as other:
        await Keys(one).ask("RotateKek")
        await other.account("ann")
        assert (await Keys(other).census())[2] == (1, 0)
        assert (await one.ask("GetAccount", ADMIN, account_id="ann")).account.profile.email


async def test_what_is_erased_while_keys_are_wrapped_anew_stays_erased(
    database_dsn: str, tmp_path: Path
) -> None:
    async with house(database_dsn, tmp_path / "k") as home:
        for number in range(30):
            await home.account(f"p{number}", password="")
        keys = Keys(home)
        await keys.ask("RotateKek")
        erased = [home.people.holdings.erase(f"p{number}") for number in range(15)]
        await asyncio.gather(keys.rewrap(), *erased)
        assert (await keys.census())[2][0] == 15
        for number in range(30):
            account = (await home.ask("GetAccount", ADMIN, account_id=f"p{number}")).account
            gone = account.status == account_pb.ACCOUNT_STATUS_ERASED
            assert gone == (number < 15)
            assert bool(account.profile.email) != gone


async def test_only_services_look_after_keys(database_dsn: str, tmp_path: Path) -> None:
    async with house(database_dsn, tmp_path / "k") as home:
        for method in ("GetKeyStatus", "RotateKek", "DestroyOldKeks"):
            with pytest.raises(PermissionDenied):
                await Keys(home, ADMIN).ask(method)


def test_a_box_whose_file_is_away_goes_on_with_what_it_has(tmp_path: Path) -> None:
    of_file = box(tmp_path / "k")
    sealed = of_file.seal(b"secret", "of")
    (tmp_path / "k").rename(tmp_path / "away")
    assert of_file.open(sealed, "of") == b"secret"
    assert of_file.open(of_file.seal(b"more", "of"), "of") == b"more"
