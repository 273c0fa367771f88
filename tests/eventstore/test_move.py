"""Data keys move from a key file to Vault while the log is in use, and may be interrupted."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from rehab_cli.addresses import Addresses
from rehab_cli.errors import SuiteError
from rehab_cli.keys import move_keys
from rehab_cli.supervisor import Service, environment
from rehab_eventstore.main import running
from rehab_runtime.clock import FixedClock
from rehab_runtime.embedded import Nats
from rehab_runtime.startup import StartupError
from tests.eventstore.given import append, event
from tests.eventstore.store import Store, settings_for, store
from tests.support.ports import low_ports
from tests.support.vault_server import VaultServer, serving

PATIENTS = 700
"""More than one step of a move, and less than two."""
STEP = 500


@pytest.fixture
def vault() -> Iterator[VaultServer]:
    with serving(FixedClock(datetime(2026, 3, 1, tzinfo=UTC))) as server:
        yield server


@pytest.fixture
def keepers(vault: VaultServer, tmp_path: Path) -> dict[str, str]:
    """Where both keepers are."""
    token = tmp_path / "token"
    token.write_text(vault.issue(None))
    return {
        "key_file": str(tmp_path / "keys.json"),
        "vault_address": vault.address,
        "vault_key": "patients",
        "vault_token_file": str(token),
    }


def patients(count: int) -> list[str]:
    return [f"patient-{number}" for number in range(count)]


async def fill(made: Store, count: int) -> None:
    streams = patients(count)
    await made.batch(
        *[append(one, event(one, one.encode(), phi=True, consent_id="c-1")) for one in streams]
    )


async def kept_by(dsn: str) -> dict[str, int]:
    """How many living data keys each keeper wraps."""
    connection = await asyncpg.connect(dsn)
    rows = await connection.fetch(
        "SELECT split_part(split_part(kek_id, ':', 1), '-', 1) AS keeper, count(*) AS keys"
        " FROM data_key WHERE wrapped IS NOT NULL GROUP BY keeper"
    )
    await connection.close()
    return {row["keeper"]: row["keys"] for row in rows}


async def opened(made: Store, streams: list[str]) -> list[bytes]:
    read = [one for one in await made.all() if one.envelope.subject_id in streams]
    await made.open(read)
    assert not any(one.key_id for one in read)
    return sorted(one.body for one in read)


def at(made: Store) -> Addresses:
    return Addresses(made.address, "", "")


async def test_keys_move_to_vault_and_the_key_file_is_needed_no_more(
    database_dsn: str, nats: Nats, keepers: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    streams = patients(3)
    bodies = sorted(one.encode() for one in streams)
    async with store(settings_for(database_dsn, nats.url, **keepers)) as made:
        await fill(made, 3)
        with pytest.raises(SuiteError, match="EVENTSTORE_KEYS_ALSO"):
            await move_keys(at(made))
    # replicas learn to open by Vault first, then one after the other wraps by it
    alone = {**keepers, "forward": False}
    before = settings_for(database_dsn, nats.url, keys="file", keys_also="vault", **alone)
    after = settings_for(database_dsn, nats.url, keys="vault", keys_also="file", **alone)
    async with store(before) as one, store(after) as other:
        for made, name in ((one, "by the old"), (other, "by the new")):
            new = event(name.replace(" ", "-"), name.encode(), phi=True, consent_id="c-1")
            await made.append(append(new.envelope.subject_id, new))
        streams += ["by-the-old", "by-the-new"]
        bodies = sorted([*bodies, b"by the old", b"by the new"])
        assert await kept_by(database_dsn) == {"local": 4, "vault": 1}
        for made in (one, other):
            assert await opened(made, streams) == bodies
    async with store(after) as made:
        assert await move_keys(at(made)) == 0
        assert "4 data keys moved from file to vault" in capsys.readouterr().out
        assert await kept_by(database_dsn) == {"vault": 5}
        assert await move_keys(at(made)) == 0
    os.remove(keepers["key_file"])
    async with store(settings_for(database_dsn, nats.url, keys="vault", **keepers)) as made:
        assert await opened(made, streams) == bodies


async def test_a_key_that_cannot_be_opened_stays_and_is_told(
    database_dsn: str, nats: Nats, keepers: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    async with store(settings_for(database_dsn, nats.url, **keepers)) as made:
        await fill(made, 3)
    connection = await asyncpg.connect(database_dsn)
    await connection.execute("UPDATE data_key SET wrapped = '\\x00' WHERE stream_id = 'patient-1'")
    await connection.close()
    told = settings_for(database_dsn, nats.url, keys="vault", keys_also="file", **keepers)
    async with store(told) as made:
        assert await move_keys(at(made)) == 1
    assert "1 are left, 1 of them cannot be opened" in capsys.readouterr().out
    assert await kept_by(database_dsn) == {"local": 1, "vault": 2}


async def test_keys_of_a_keeper_that_is_not_told_are_refused_at_the_start(
    database_dsn: str, nats: Nats, keepers: dict[str, str]
) -> None:
    async with store(settings_for(database_dsn, nats.url, **keepers)) as made:
        await fill(made, 1)
    with pytest.raises(StartupError, match="1 patients' data keys are wrapped by local-"):
        async with running(settings_for(database_dsn, nats.url, keys="vault", **keepers)):
            pass
    same = settings_for(database_dsn, nats.url, keys="file", keys_also="file", **keepers)
    with pytest.raises(StartupError, match="are the same"):
        async with running(same):
            pass


class Gate:
    """Stops Vault at its n-th wrapping from now, until it is released."""

    def __init__(self, vault: VaultServer, wrappings: int) -> None:
        self.reached = threading.Event()
        self._left = wrappings
        self._vault = vault
        self._answer = vault.answer
        vault.answer = self._asked  # type: ignore[method-assign]

    def _asked(self, method: str, path: str, token: str, body: dict[str, Any]) -> Any:
        if path.startswith("transit/encrypt/"):
            self._left -= 1
            if self._left == 0:
                self.reached.set()
                self._vault.release.wait(30)
        return self._answer(method, path, token, body)


@asynccontextmanager
async def child(dsn: str, nats: Nats, keepers: dict[str, str]) -> Any:
    own = {
        "LISTEN": f"127.0.0.1:{low_ports()}",
        "METRICS_LISTEN": "",
        "POSTGRES_DSN": dsn,
        "NATS_URL": nats.url,
        "KEYS": "vault",
        "KEYS_ALSO": "file",
        **{name.upper(): value for name, value in keepers.items()},
    }
    service = Service(
        "eventstore", environment("eventstore", own), lambda *_: None, longest_pause_s=0.05
    )
    try:
        await service.start()
        yield service
    finally:
        await service.stop()


@pytest.mark.timeout(180)
async def test_a_move_that_is_killed_goes_on_where_it_was(
    database_dsn: str,
    nats: Nats,
    keepers: dict[str, str],
    vault: VaultServer,
    capsys: pytest.CaptureFixture[str],
) -> None:
    async with store(settings_for(database_dsn, nats.url, **keepers)) as made:
        await fill(made, PATIENTS)
    async with child(database_dsn, nats, keepers) as service:
        addresses = Addresses(service.address, "", "")
        # two wrappings of at most 256 keys are the first step
        gate = Gate(vault, 3)
        moving = asyncio.create_task(move_keys(addresses))
        assert await asyncio.to_thread(gate.reached.wait, 60)
        os.kill(service.pid, signal.SIGKILL)
        with pytest.raises(SuiteError):
            await moving
        assert await kept_by(database_dsn) == {"local": PATIENTS - STEP, "vault": STEP}
        vault.release.set()
        async with asyncio.timeout(60):
            while await again(addresses):
                await asyncio.sleep(0.05)
        assert f"{PATIENTS - STEP} data keys moved from file to vault" in capsys.readouterr().out
    assert await kept_by(database_dsn) == {"vault": PATIENTS}
    async with store(settings_for(database_dsn, nats.url, keys="vault", **keepers)) as made:
        assert len(await opened(made, patients(PATIENTS))) == PATIENTS


async def again(addresses: Addresses) -> bool:
    """Whether the service is still away."""
    try:
        assert await move_keys(addresses) == 0
    except SuiteError:
        return True
    return False
