"""A rebuild of nothing, and one whose service is killed: before its first rows, and after some."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import pytest

from rehab.projections.v1 import projections_admin_service_pb2 as pb
from rehab_cli.supervisor import Service, environment
from rehab_projections.registry.bulk import BATCH_EVENTS
from rehab_runtime.channels import channel
from rehab_runtime.errors import Overloaded, RehabError
from tests.projections.service import THERAPIST, Place, Reads, clinic, eventstore, looked_into
from tests.projections.test_consumer import rows, sets
from tests.projections.test_rebuild import Admin, until

WAITING = (
    "SELECT count(*) FROM pg_locks JOIN pg_database ON pg_database.oid = pg_locks.database"
    " WHERE datname = current_database() AND NOT granted"
)


async def test_a_rebuild_of_an_empty_log_answers(place: Place) -> None:
    async with clinic(place) as running, channel(running.address) as connection:
        built = await Admin(connection).rebuild(workers=2)
        assert (built.version, built.answers, list(built.differences)) == (2, True, [])
        position = await running.log.append(*sets(1, 3))
        await running.reads.lag_at(position)


@asynccontextmanager
async def process(place: Place, address: str) -> AsyncIterator[Service]:
    """The projections as a process of their own, started again when they fall."""
    told = place.projections(address)
    own = {
        name.upper(): str(getattr(told, name))
        for name in ("postgres_dsn", "nats_url", "log_stream", "subject_prefix", "metrics_listen")
    }
    own |= {"LISTEN": "127.0.0.1:0", "EVENTSTORE_ADDRESS": address}
    service = Service("projections", environment("projections", own), lambda *_: None, 0.1)
    await service.start()
    try:
        yield service
    finally:
        await service.stop()


async def killed(service: Service) -> None:
    """Kill it, and wait until another process answers in its place."""
    before = service.pid
    os.kill(before, signal.SIGKILL)

    async def is_back() -> bool:
        if not service.running or service.pid == before:
            return False
        try:
            async with channel(service.address) as connection:
                return bool(await Admin(connection).versions())
        except RehabError:
            return False

    await until(is_back)


async def told_to_rebuild(service: Service) -> None:
    """Ask for a rebuild until the one before has let go; it ends with the service."""
    with pytest.raises(RehabError) as error:
        async with channel(service.address) as connection:
            await Admin(connection).rebuild(expect_same=True)
    if isinstance(error.value, Overloaded):
        await told_to_rebuild(service)


async def waits(inside: asyncpg.Connection, count: int) -> None:
    async def holds() -> bool:
        return bool(await inside.fetchval(WAITING) == count)

    await until(holds)


LOCK = "LOCK TABLE session IN EXCLUSIVE MODE"


async def folded(inside: asyncpg.Connection) -> int:
    return int(await inside.fetchval("SELECT max(position) FROM part"))


async def killed_before_its_first_rows(service: Service, dsn: str) -> None:
    async with channel(service.address) as connection:
        steps = Admin(connection).steps("Rebuild", pb.RebuildRequest(workers=1))
        await anext(steps)
        async with looked_into(dsn, 2) as inside:
            async with inside.transaction():
                await inside.execute(LOCK)
                await waits(inside, 1)
                await killed(service)
            assert await folded(inside) == 0
        await steps.aclose()


async def killed_after_its_first_rows(service: Service, dsn: str) -> None:
    async with looked_into(dsn, 2) as before, looked_into(dsn, 2) as after:
        first, second = before.transaction(), after.transaction()
        await first.start()
        await before.execute(LOCK)
        again = asyncio.create_task(told_to_rebuild(service))
        await waits(before, 1)
        await second.start()
        # in line behind the first rows, before the second ones
        ours = asyncio.create_task(after.execute(LOCK))
        await waits(before, 2)
        await first.rollback()
        await ours
        await waits(before, 1)
        await killed(service)
        await second.rollback()
        await again
        assert await folded(before) == BATCH_EVENTS


async def test_a_rebuild_goes_on_though_its_service_is_killed_twice(place: Place) -> None:
    dsn = str(place.projections("nobody:1").postgres_dsn)
    async with eventstore(place) as (log, address), process(place, address) as service:
        last = await log.append(*sets(1, BATCH_EVENTS + 500))
        async with channel(service.address) as connection:
            await Reads(connection, THERAPIST).lag_at(last)
        await killed_before_its_first_rows(service, dsn)
        await killed_after_its_first_rows(service, dsn)
        async with channel(service.address) as connection:
            built = await asyncio.wait_for(finished(Admin(connection)), 60)
        assert (built.version, built.answers, list(built.differences)) == (2, True, [])
    assert await rows(dsn, 1) == await rows(dsn, 2)


async def finished(admin: Admin) -> pb.Rebuilt:
    """A rebuild that goes on once the one before has let go."""
    while True:
        try:
            return await admin.rebuild(expect_same=True)
        except Overloaded:
            continue
