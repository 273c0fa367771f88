from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest_asyncio

from tests.sdk.clinic import Clinic, clinic


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def suite(postgres: Any, nats: Any) -> AsyncIterator[Clinic]:
    """One clinic's services for a module's tests; each has patients of its own."""
    async with clinic(postgres, nats.url) as made:
        yield made
