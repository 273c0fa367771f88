"""What PostgreSQL's NOTIFY tells is heard, also after the connection was lost."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import pytest

from rehab_runtime import listener
from rehab_runtime.listener import Listener


class Ear:
    def __init__(self, dsn: str) -> None:
        self.heard: asyncio.Queue[tuple[str, str]] = asyncio.Queue()
        self.begun: asyncio.Queue[None] = asyncio.Queue()
        channels = {name: self._hears(name) for name in ("one", "other")}
        self.listener = Listener(
            dsn, "test-listener", channels, lambda: self.begun.put_nowait(None)
        )

    def _hears(self, name: str) -> Any:
        return lambda _, payload: self.heard.put_nowait((name, payload))


@asynccontextmanager
async def listening(dsn: str) -> Any:
    ear = Ear(dsn)
    task = asyncio.create_task(ear.listener.run())
    connection = await asyncpg.connect(dsn)
    try:
        async with asyncio.timeout(20):
            await ear.begun.get()
            yield ear, connection
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await connection.close()


async def test_each_channel_is_heard_with_what_it_tells(database_dsn: str) -> None:
    async with listening(database_dsn) as (ear, connection):
        await connection.execute(
            "NOTIFY other, 'b'; NOTIFY one, 'a'; NOTIFY third, 'c'; NOTIFY one"
        )
        assert [await ear.heard.get() for _ in range(3)] == [
            ("other", "b"),
            ("one", "a"),
            ("one", ""),
        ]


async def test_a_lost_connection_is_made_again_and_told(
    database_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listener, "RELISTEN_S", 0.01)
    async with listening(database_dsn) as (ear, connection):
        for turn in range(3):
            await connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE application_name = 'test-listener' AND datname = current_database()"
            )
            await ear.begun.get()
            await connection.execute("SELECT pg_notify('one', $1)", str(turn))
            assert await ear.heard.get() == ("one", str(turn))
