"""Replicas share the shards of a log: each is folded by one of them."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

import pytest

from rehab.projections.v1 import projections_admin_service_pb2 as admin_pb
from rehab_projections import holding, metrics
from rehab_projections.changes import Changes
from rehab_projections.storage.leases import Leases, Replica
from rehab_projections.storage.write import FencedError, Writer
from rehab_runtime import postgres as runtime_postgres
from rehab_runtime.channels import channel
from rehab_runtime.postgres import Queries
from tests.projections.given import at, recorded
from tests.projections.replicas import LONG_S, holders, replicas, shared, until
from tests.projections.service import (
    Clinic,
    Place,
    eventstore,
    looked_into,
    projections,
    since_all,
)
from tests.projections.test_consumer import PATIENTS, repetitions, sets
from tests.projections.test_rebuild import Admin
from tests.support.proxy import proxy_to

BEGIN = at("2026-03-02T08:00")


@pytest.mark.parametrize("count", [2, 3])
async def test_replicas_share_the_shards_and_fold_each_event_once(
    sharded: Place, count: int
) -> None:
    async with replicas(sharded, count) as (log, each):
        fenced, folded = metrics.fenced._value.get(), metrics.events_folded._value.get()
        for part in range(6):
            written = await log.written(*sets(1 + 20 * part, 20))
            for one in each:
                await one.reads.work(consistency=since_all(written))
        for one in each:
            assert await repetitions(one.reads, 0) == 120
        lags = await each[0].reads.lags()
        assert sum(lag.position for lag in lags) >= 120
        assert metrics.events_folded._value.get() - folded == sum(lag.position for lag in lags)
        assert metrics.fenced._value.get() == fenced


async def test_a_replica_that_leaves_hands_over_at_once(sharded: Place) -> None:
    async with eventstore(sharded) as (log, address), AsyncExitStack() as staying:
        told = {"lease_s": LONG_S}
        async with projections(sharded, address, log, **told) as leaving:
            other = await staying.enter_async_context(projections(sharded, address, log, **told))
            await shared(other, 2, 1)
            written = await log.written(*sets(1, 20))
            await leaving.reads.work(consistency=since_all(written))
        await shared(other, 3)
        written = await log.written(*sets(21, 20))
        await other.reads.work(consistency=since_all(written))
        assert await repetitions(other.reads, 0) == 40


async def test_all_replicas_move_to_a_version_and_share_it(sharded: Place) -> None:
    async with replicas(sharded, 2) as (log, each), channel(each[1].address) as connection:
        written = await log.written(*sets(1, 20))
        await each[0].reads.work(consistency=since_all(written))
        assert (await Admin(connection).rebuild(expect_same=True)).answers
        for part in range(3):
            written = await log.written(*sets(21 + 20 * part, 20))
            for one in each:
                await one.reads.work(consistency=since_all(written))
                assert await repetitions(one.reads, 0) == 20 * (part + 2)
        for one in each:
            await shared(one, 2, 1)


async def test_a_version_is_dropped_once_no_replica_reads_it(sharded: Place) -> None:
    async with replicas(sharded, 2) as (log, each), channel(each[0].address) as connection:
        await log.written(*sets(1, 20))
        done = asyncio.Event()

        async def read(clinic: Clinic) -> int:
            count = 0
            while not done.is_set():
                await clinic.reads.quality(patient_id=PATIENTS[0])
                count += 1
            return count

        admin = Admin(connection)
        assert (await admin.rebuild()).answers
        reading = [asyncio.create_task(read(one)) for one in each]
        assert (await admin.switch(1)).answers
        await admin.ask("DropVersion", admin_pb.DropVersionRequest(version=2))
        assert await admin.versions() == {1: "live"}
        done.set()
        assert all(await asyncio.gather(*reading))


async def test_leases_that_a_crash_of_the_database_took_back_are_made_again(sharded: Place) -> None:
    async with replicas(sharded, 2, lease_s=1) as (log, each):
        written = await log.written(*sets(1, 20))
        await each[0].reads.work(consistency=since_all(written))
        async with looked_into(sharded.projections("nobody:1").postgres_dsn) as inside:
            await inside.execute("TRUNCATE fold_lease, replica")
        written = await log.written(*sets(21, 20))
        for one in each:
            await one.reads.work(consistency=since_all(written))
            assert await repetitions(one.reads, 0) == 40
            await shared(one, 2, 1)


async def test_who_lost_a_lease_stores_nothing(place: Place) -> None:
    async with eventstore(place) as (log, address), projections(place, address, log) as clinic:
        await clinic.reads.lag_at(await log.append(*sets(1, 4)))
    dsn = place.postgres.dsn(f"projections_{place.name}")
    async with (
        runtime_postgres.connect(dsn, name="test") as database,
        runtime_postgres.connect(dsn, name="test", schema="read_models_1") as models,
        looked_into(dsn) as inside,
    ):
        queries = Queries.load("rehab_projections", "leases.sql")
        first, second = (Leases(database, queries, Replica(name), 60, 1) for name in ("a", "b"))
        writer = Writer(models, Queries.load("rehab_projections", "queries.sql"))
        await inside.execute("UPDATE fold_lease SET replica = NULL")
        assert await first.take(5) == [0]
        assert await second.take(5) == []
        begun = await first.begin(0)
        assert begun is not None
        assert await second.begin(0) is None
        # it stands still for longer than its lease lasts
        await inside.execute("UPDATE fold_lease SET expires_at = now() - interval '1 s'")
        assert await second.take(5) == [0]
        last = recorded(sets(5, 1)[0], begun.cursor.position + 1)
        with pytest.raises(FencedError):
            await writer.store(begun.cursor, last, Changes({}))
        assert await first.begin(0) is None
        await first.give_up([0])
        taken = await second.begin(0)
        assert taken is not None
        assert taken.cursor.position == begun.cursor.position
        await writer.store(taken.cursor, last, Changes({}))


async def test_a_replica_whose_event_store_is_away_lets_another_fold(
    sharded: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(holding, "STUCK_S", 0.5)
    async with eventstore(sharded) as (log, address), proxy_to(address) as link:
        told = {"lease_s": 1}
        async with (
            projections(sharded, link.address, log, replica="cut off", **told) as one,
            projections(sharded, address, log, replica="well", **told) as other,
        ):
            await shared(other, 2, 1)
            link.close()
            await until(lambda: _all_by(other, "well"))
            written = await log.written(*sets(1, 20))
            for each in (one, other):
                await each.reads.work(consistency=since_all(written))
                assert await repetitions(each.reads, 0) == 20
            link.reopen()
            await shared(other, 2, 1)


async def _all_by(clinic: Clinic, name: str) -> bool:
    return set(await holders(clinic)) == {name}
