"""The log's time never goes back, whatever replicas' clocks do, and leases do not ask them."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from rehab_eventstore import metrics
from rehab_eventstore.main import running
from rehab_runtime.clock import SystemClock, WrongClock
from rehab_runtime.embedded import Nats
from rehab_runtime.startup import StartupError
from tests.eventstore.given import append, some_stream
from tests.eventstore.rig import assert_sound, stored
from tests.eventstore.store import settings_for, store
from tests.support.clocks import set_wrong

HOUR_S = 3600.0
JUMPS = (HOUR_S, 0.0, -HOUR_S, 2 * HOUR_S, -HOUR_S)


@pytest.fixture
def offset(tmp_path: Path) -> Path:
    path = tmp_path / "clock"
    set_wrong(path, 0)
    return path


def behind_s() -> float:
    return float(metrics.clock_behind_seconds._value.get())


async def test_the_time_of_recording_never_goes_back_though_the_clock_jumps(
    database_dsn: str, nats: Nats, offset: Path
) -> None:
    told = settings_for(database_dsn, nats.url, clock_offset_file=str(offset))
    stream = some_stream()
    async with store(told) as made:
        await made.append(append(stream))
        for seconds in JUMPS:
            set_wrong(offset, seconds)
            await made.append(append(stream))
            await made.append(append(stream))
        assert 2.9 * HOUR_S < behind_s() <= 3 * HOUR_S
    # and not over a restart either
    async with store(told) as made:
        await made.append(append(stream))
        set_wrong(offset, 3 * HOUR_S)
        await made.append(append(stream))
        assert behind_s() == 0
    await assert_sound(database_dsn)
    times = [row.recorded_at for row in await stored(database_dsn)]
    assert len(times) == 1 + 2 * len(JUMPS) + 2
    assert times[1] - times[0] > timedelta(minutes=59)
    assert len(set(times[8:12])) == 1


async def test_a_leader_whose_clock_jumps_stays_the_leader_and_goes_on_publishing(
    database_dsn: str, nats: Nats, offset: Path
) -> None:
    told: dict[str, Any] = {"lease_s": 0.6, "poll_ms": 20}
    wrong = settings_for(database_dsn, nats.url, clock_offset_file=str(offset), **told)
    right = wrong.model_copy(update={"clock_offset_file": ""})
    async with store(wrong) as leader, store(right) as follower:
        connection = await asyncpg.connect(database_dsn)
        lease = "SELECT epoch, holder FROM relay_lease"
        before = await connection.fetchrow(lease)
        for seconds in JUMPS:
            set_wrong(offset, seconds)
            for made in (leader, follower):
                for _ in range(3):
                    await made.append(append(some_stream()))
            async with asyncio.timeout(10):
                while (head := await follower.head()).published < head.position:
                    await asyncio.sleep(0.01)
        # several times as long as a lease lasts
        expires = "SELECT expires_at FROM relay_lease"
        first = await connection.fetchval(expires)
        async with asyncio.timeout(10):
            while await connection.fetchval(expires) - first < timedelta(seconds=3 * 0.6):
                await asyncio.sleep(0.02)
        assert await connection.fetchrow(lease) == before
        await connection.close()
    await assert_sound(database_dsn)


async def test_a_wrong_clock_is_refused_in_production_and_where_there_is_none(
    database_dsn: str, nats: Nats, offset: Path
) -> None:
    told = settings_for(database_dsn, nats.url, clock_offset_file=str(offset))
    for wrong, line in (
        ({"environment": "production"}, "this is production"),
        ({"clock_offset_file": str(offset.with_name("none"))}, "cannot be read"),
    ):
        with pytest.raises(StartupError, match=line):
            async with running(told.model_copy(update=wrong)):
                pass


def test_a_wrong_clock_is_wrong_by_as_much_as_it_is_told(offset: Path) -> None:
    wrong, right = WrongClock(offset), SystemClock()
    for seconds in (0.0, HOUR_S, -HOUR_S):
        set_wrong(offset, seconds)
        low = right.now()
        seen = wrong.now() - timedelta(seconds=seconds)
        assert low <= seen <= right.now()
