"""PostgreSQL may lose, in a crash, what it had shown: the fold notices by itself."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import asyncpg
import pytest

from rehab_runtime.embedded import Postgres
from tests.projections.service import Place, eventstore, projections, since_all
from tests.projections.test_consumer import lag_or_nothing, repetitions, sets
from tests.support.ports import low_ports


async def nothing_reaches_the_disk(inside: asyncpg.Connection) -> None:
    """From now on, of what need not be there before it is shown."""
    await inside.execute("CREATE TABLE witness (n integer)")
    await inside.execute("CHECKPOINT")
    writer = "SELECT pid FROM pg_stat_activity WHERE backend_type = 'walwriter'"
    os.kill(await inside.fetchval(writer), signal.SIGSTOP)
    await inside.execute("SET synchronous_commit = off")
    await inside.execute("INSERT INTO witness VALUES (1)")


@pytest.mark.parametrize("shards", [1, 2])
async def test_what_a_crash_took_back_is_folded_again_though_the_log_is_silent(
    postgres: Postgres, nats_url: str, tmp_path: Path, shards: int
) -> None:
    place = Place(postgres, nats_url, shards)
    async with (
        Postgres(tmp_path / "own", low_ports()) as own,
        eventstore(place) as (log, address),
        projections(place, address, log, postgres_dsn=own.dsn("projections")) as clinic,
    ):
        await clinic.reads.work(consistency=since_all(await log.written(*sets(1, 20))))
        inside = await asyncpg.connect(own.dsn("projections"))
        await nothing_reaches_the_disk(inside)
        await clinic.reads.work(consistency=since_all(await log.written(*sets(21, 20))))
        assert await repetitions(clinic.reads, 0) == 40
        heads = [head.position for head in await log.client.heads()]
        await own.kill()
        inside.terminate()
        await own.start()
        async with asyncio.timeout(30):
            while await lag_or_nothing(clinic.reads) == 0:
                await asyncio.sleep(0.05)
            lags = await clinic.reads.lags()
            while any(lag.position < heads[lag.shard] for lag in lags):
                await asyncio.sleep(0.05)
                lags = await clinic.reads.lags()
        assert await repetitions(clinic.reads, 0) == 40
        inside = await asyncpg.connect(own.dsn("projections"))
        assert await inside.fetch("SELECT n FROM witness") == []
        await inside.close()
        assert not clinic.background.fallen.done()
