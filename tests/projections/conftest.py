from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from tests.projections.service import Clinic, Place, clinic


@pytest.fixture
def place(postgres: Any, nats_url: str) -> Place:
    return Place(postgres, nats_url)


@pytest.fixture
def sharded(postgres: Any, nats_url: str) -> Place:
    """The same of a log with three shards."""
    return Place(postgres, nats_url, shards=3)


@pytest_asyncio.fixture
async def running(place: Place) -> AsyncIterator[Clinic]:
    """The event store and the projections of one clinic."""
    async with clinic(place) as made:
        yield made
