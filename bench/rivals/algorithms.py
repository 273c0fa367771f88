"""Append algorithms of other event stores on PostgreSQL, on a pool of connections: what their SQL
does, without what their libraries cost on top."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import resources

import asyncpg

from bench.measure import Measure, Rate, many
from rehab_runtime.clock import uuid7
from rehab_runtime.postgres import Queries

NAMES = ("commanded", "message_db", "marten", "emmett")


@asynccontextmanager
async def rivals(
    dsn: str, callers: int, seconds: float, body: bytes
) -> AsyncIterator[dict[str, Measure]]:
    """Single-event appends of each, by name, every caller to a stream of its own."""
    schema = Queries.load("bench.rivals", "algorithms.sql")
    assert resources.files("bench.rivals").is_dir()
    pool = await asyncpg.create_pool(dsn, min_size=min(callers, 64), max_size=min(callers, 64))
    rounds = itertools.count()
    try:
        for name in NAMES:
            await pool.execute(schema[name])

        def measure(name: str) -> Measure:
            async def run() -> Rate:
                turn = next(rounds)

                async def once(number: int) -> None:
                    # a category for each caller, where an algorithm locks by category
                    await pool.execute(
                        f"SELECT {name}.append($1, NULL, $2, 'rep_observation', $3)",
                        f"patient{number}-{turn}",
                        uuid7(),
                        body,
                    )

                return await many(callers, seconds, once)

            return run

        yield {name: measure(name) for name in NAMES}
    finally:
        await pool.close()
