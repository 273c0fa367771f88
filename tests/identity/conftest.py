from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from tests.identity.house import House, house


@pytest_asyncio.fixture
async def home(database_dsn: str, tmp_path: Path) -> AsyncIterator[House]:
    """With a patient, ann, and a therapist, tom."""
    async with house(database_dsn, tmp_path / "identity.json") as made:
        await made.account("ann")
        await made.account("tom", "therapist")
        yield made
