"""Real servers for tests: one of each per worker, a fresh database per test.

Use it as a pytest plugin: `pytest_plugins = ["rehab_runtime.testing.fixtures"]`. The servers run
on a loop of their own in a thread, so that tests may open and close loops as they like.
"""

from __future__ import annotations

import asyncio
import threading
import uuid
from collections.abc import AsyncIterator, Coroutine, Iterator
from typing import Any, TypeVar

import asyncpg
import pytest
import pytest_asyncio

from rehab_runtime.embedded import Nats, Postgres, Server, Valkey

T = TypeVar("T")


class Loop:
    """An event loop in a thread of its own."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


@pytest.fixture(scope="session")
def server_loop() -> Iterator[Loop]:
    loop = Loop()
    yield loop
    loop.close()


def _served(loop: Loop, server: Server) -> Iterator[Any]:
    loop.run(server.start())
    yield server
    loop.run(server.stop())


@pytest.fixture(scope="session")
def postgres(server_loop: Loop, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    yield from _served(server_loop, Postgres(tmp_path_factory.mktemp("postgres") / "data"))


@pytest.fixture(scope="session")
def nats(server_loop: Loop, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nats]:
    yield from _served(server_loop, Nats(tmp_path_factory.mktemp("nats") / "data"))


@pytest.fixture(scope="session")
def valkey(server_loop: Loop, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Valkey]:
    yield from _served(server_loop, Valkey(tmp_path_factory.mktemp("valkey") / "data"))


@pytest.fixture
def nats_url(nats: Nats) -> str:
    return nats.url


@pytest_asyncio.fixture
async def database_dsn(postgres: Postgres) -> AsyncIterator[str]:
    """A fresh, empty database; dropped after the test."""
    name = f"test_{uuid.uuid4().hex}"
    admin = await asyncpg.connect(postgres.dsn())
    try:
        await admin.execute(f"CREATE DATABASE {name}")
        yield postgres.dsn(name)
        await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    finally:
        await admin.close()
