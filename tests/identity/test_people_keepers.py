"""The keys that seal persons' data, kept by Vault or wrapped by another keeper."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rehab_runtime.box.file import read
from rehab_runtime.clock import FixedClock
from rehab_runtime.errors import RehabError
from rehab_runtime.startup import StartupError
from tests.identity.house import ADMIN, START, House, house, profile
from tests.identity.test_people_keys import Keys
from tests.support.vault_server import VaultServer, box_in, serving


@pytest.fixture
def vault() -> Iterator[VaultServer]:
    with serving(FixedClock(START)) as server:
        yield server


@pytest.fixture
def in_vault(vault: VaultServer, tmp_path: Path) -> dict[str, Any]:
    return box_in(vault, tmp_path)


async def opened(home: House, *accounts: str) -> None:
    """Everything that is sealed of them opens."""
    for one in accounts:
        account = (await home.ask("GetAccount", ADMIN, account_id=one)).account
        assert account.profile == profile(one)
        await home.log_in(one)


async def test_what_vault_keeps_opens_after_a_restart_and_stands_nowhere_else(
    database_dsn: str, tmp_path: Path, in_vault: dict[str, Any]
) -> None:
    async with house(database_dsn, tmp_path / "none", **in_vault) as home:
        await home.account("ann")
    async with house(database_dsn, tmp_path / "none", **in_vault) as home:
        await opened(home, "ann")
        (row,) = await home.fetch("SELECT * FROM box_version")
    assert not (tmp_path / "none").exists()
    assert row["kek_id"] == "vault:transit/patients"
    assert row["wrapped"].startswith(b"vault:v1:")


async def test_a_keeper_takes_over_what_the_key_file_holds_and_the_file_may_go(
    database_dsn: str, tmp_path: Path, in_vault: dict[str, Any]
) -> None:
    file = tmp_path / "k"
    async with house(database_dsn, file) as home:
        await home.account("ann")
        await Keys(home).ask("RotateKek")
        await home.account("tom")
        held = read(file)
        async with house(database_dsn, file, **in_vault) as other:
            # one is restarted with Vault while the other still has the file
            await other.account("eve")
            await opened(home, "eve")
    os.remove(file)
    async with house(database_dsn, file, **in_vault) as home:
        await opened(home, "ann", "tom", "eve")
        rows = await home.fetch("SELECT box_id, number, wrapped FROM box_version")
        assert {row["box_id"] for row in rows} == {held.id}
        assert {row["number"] for row in rows} == {1, 2}
        for row in rows:
            assert held.versions[row["number"]] not in row["wrapped"]


async def test_versions_rotate_and_end_with_a_keeper_as_well(
    database_dsn: str, tmp_path: Path, in_vault: dict[str, Any], vault: VaultServer
) -> None:
    async with house(database_dsn, tmp_path / "none", **in_vault) as home:
        keys = Keys(home)
        await home.account("ann")
        assert (await keys.ask("RotateKek")).version == 2
        await home.account("tom")
        vault.rotate()
        await keys.rewrap()
        rows = await home.fetch("SELECT kek_version FROM box_version")
        assert {row["kek_version"] for row in rows} == {"2"}
        assert (await keys.ask("DestroyOldKeks")).version == 2
        assert await keys.census() == {2: (2, 3)}
        await opened(home, "ann", "tom")
    async with house(database_dsn, tmp_path / "none", **in_vault) as home:
        await opened(home, "ann", "tom")


async def test_keys_move_from_vault_to_a_file_that_wraps_them(
    database_dsn: str, tmp_path: Path, in_vault: dict[str, Any]
) -> None:
    async with house(database_dsn, tmp_path / "none", **in_vault) as home:
        await home.account("ann")
    both = {**in_vault, "keys": "file", "keys_also": "vault"}
    async with house(database_dsn, tmp_path / "kek", **both) as home:
        await opened(home, "ann")
        await Keys(home).rewrap()
    async with house(database_dsn, tmp_path / "kek") as home:
        await opened(home, "ann")
        (row,) = await home.fetch("SELECT kek_id FROM box_version")
        assert row["kek_id"].startswith("local-")


async def test_a_replica_that_is_told_another_keeper_does_not_start(
    database_dsn: str, tmp_path: Path, in_vault: dict[str, Any]
) -> None:
    async with house(database_dsn, tmp_path / "none", **in_vault):
        pass
    with pytest.raises(StartupError, match="IDENTITY_KEYS_ALSO") as caught:
        async with house(database_dsn, tmp_path / "k"):
            pass
    assert "are wrapped by vault:transit/patients, not by file" in str(caught.value)
    assert not (tmp_path / "k").exists()


async def test_accounts_of_a_lost_key_file_are_not_taken_for_a_new_beginning(
    database_dsn: str, tmp_path: Path, in_vault: dict[str, Any]
) -> None:
    async with house(database_dsn, tmp_path / "k") as home:
        await home.account("ann")
    with pytest.raises(StartupError, match="IDENTITY_KEY_FILE"):
        async with house(database_dsn, tmp_path / "lost", **in_vault):
            pass


async def test_wrapped_keys_that_were_changed_are_refused_and_never_replaced(
    database_dsn: str, tmp_path: Path, in_vault: dict[str, Any]
) -> None:
    async with house(database_dsn, tmp_path / "none", **in_vault) as home:
        await home.account("ann")
        await home.database.execute("UPDATE box_version SET box_id = 'another'")
    with pytest.raises(RehabError, match="moved"):
        async with house(database_dsn, tmp_path / "none", **in_vault):
            pass
