"""Telling, within a transaction, who may do nothing any more."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import asyncpg

from rehab_runtime.postgres import Queries


async def tell_revoked(
    connection: asyncpg.Connection, queries: Queries, ids: Sequence[str], at: datetime
) -> None:
    """The last thing of a transaction: from here to its end others who tell wait."""
    if not ids:
        return
    await connection.execute(queries["lock_revocations"])
    await connection.execute(queries["tell_revoked"], list(ids), at)


async def ids_of(
    connection: asyncpg.Connection, queries: Queries, name: str, *arguments: object
) -> list[str]:
    """What a query that revokes has revoked."""
    return [str(row[0]) for row in await connection.fetch(queries[name], *arguments)]
