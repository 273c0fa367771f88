"""The service beside a receiver that is well."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from rehab_runtime.embedded import Postgres
from tests.emr.house import House, Place, housed


@pytest.fixture
def place(postgres: Postgres, nats_url: str, tmp_path: Path) -> Place:
    return Place(postgres, nats_url, tmp_path)


@pytest_asyncio.fixture
async def house(place: Place) -> AsyncIterator[House]:
    async with housed(place) as made:
        yield made
