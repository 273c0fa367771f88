"""What PostgreSQL does without a log on top: the floor and the ceiling of every figure."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from bench.measure import Measure, Rate, many
from rehab_runtime.clock import uuid7

COPIED = 100_000


@asynccontextmanager
async def raw(
    dsn: str, callers: int, seconds: float, body: bytes
) -> AsyncIterator[dict[str, Measure]]:
    """Single-row INSERT commits, `unnest` inserts of 100 rows, and one COPY."""
    pool = await asyncpg.create_pool(dsn, min_size=16, max_size=16)
    await pool.execute(
        "CREATE TABLE raw (id uuid PRIMARY KEY, stream text NOT NULL, body bytea NOT NULL)"
    )

    async def inserts() -> Rate:
        async def once(number: int) -> None:
            await pool.execute(
                "INSERT INTO raw VALUES ($1, $2, $3)", uuid7(), f"patient-{number}", body
            )

        return await many(callers, seconds, once)

    async def unnested() -> Rate:
        async def once(number: int) -> None:
            await pool.execute(
                "INSERT INTO raw SELECT * FROM unnest($1::uuid[], $2::text[], $3::bytea[])",
                [uuid7() for _ in range(100)],
                [f"patient-{number}"] * 100,
                [body] * 100,
            )

        return await many(8, seconds, once, 100)

    async def copied() -> Rate:
        rows = [(uuid7(), "patient", body) for _ in range(COPIED)]
        loop = asyncio.get_running_loop()
        began = loop.time()
        async with pool.acquire() as connection:
            await connection.copy_records_to_table("raw", records=rows)
        return Rate(COPIED / (loop.time() - began))

    try:
        yield {"insert": inserts, "unnest": unnested, "copy": copied}
    finally:
        await pool.close()
