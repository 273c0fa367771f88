from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from tests.sdk.clinic import Clinic, clinic
from tests.sdk.town import Town, town_of


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def suite(postgres: Any, nats: Any) -> AsyncIterator[Clinic]:
    """One clinic's services for a module's tests; each has patients of its own."""
    async with clinic(postgres, nats.url) as made:
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def town(
    postgres: Any, nats: Any, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Town]:
    """One clinic that asks identity for a module's tests; each has patients of its own."""
    key_file = tmp_path_factory.mktemp("identity") / "identity.key"
    async with town_of(postgres, nats.url, key_file) as made:
        yield made


@pytest.fixture
def patient() -> str:
    return f"patient-{uuid.uuid4().hex[:8]}"
