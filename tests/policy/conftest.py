"""Policy on a log of one shard, and of three."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from rehab_runtime.embedded import Postgres
from tests.policy.service import House, Place, housed


@pytest.fixture
def place(postgres: Postgres, nats_url: str) -> Place:
    return Place(postgres, nats_url)


@pytest_asyncio.fixture
async def house(place: Place) -> AsyncIterator[House]:
    async with housed(place) as made:
        yield made


@pytest_asyncio.fixture(params=[1, 3])
async def any_house(
    postgres: Postgres, nats_url: str, request: pytest.FixtureRequest
) -> AsyncIterator[House]:
    async with housed(Place(postgres, nats_url, shards=request.param)) as made:
        yield made
