from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from rehab_runtime.embedded import Nats
from tests.identity.facts.service import Clinic, Place, clinic


@pytest.fixture
def place(postgres: Any, nats_url: str, tmp_path: Path) -> Place:
    return Place(postgres, nats_url, tmp_path)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared(
    postgres: Any, nats: Nats, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Clinic]:
    """One clinic that the tests of a module share: each has patients of its own."""
    folder = tmp_path_factory.mktemp("identity")
    async with clinic(Place(postgres, nats.url, folder, shards=2)) as made:
        yield made
