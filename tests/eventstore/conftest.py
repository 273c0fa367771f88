from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest_asyncio

from rehab_runtime import postgres as runtime_postgres
from rehab_runtime.embedded import Nats
from tests.eventstore.store import Store, settings_for, store


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def module_dsn(postgres: Any) -> AsyncIterator[str]:
    """An empty database that the tests of one module share."""
    name = f"test_{uuid.uuid4().hex}"
    admin = await asyncpg.connect(postgres.dsn())
    await admin.execute(f"CREATE DATABASE {name}")
    yield postgres.dsn(name)
    await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await admin.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def log_dsn(module_dsn: str) -> str:
    """A database with the log's tables, shared by the tests of one module."""
    await runtime_postgres.migrate(module_dsn, "rehab_eventstore")
    return module_dsn


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared(module_dsn: str, nats: Nats) -> AsyncIterator[Store]:
    """One event store that the tests of a module share: each uses streams of its own."""
    async with store(settings_for(module_dsn, nats.url, checkpoint_ms=20)) as made:
        yield made
