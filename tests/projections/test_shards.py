"""A log of several shards is folded whole, each shard at its own pace; what is asked of positions
names their shard."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from prometheus_client import REGISTRY

from rehab.events.v1 import event_pb2
from rehab_runtime.errors import IncarnationChanged, InvalidArgument, Stale
from rehab_runtime.slices import shard_of
from tests.projections.given import at, event, pain, prescribed
from tests.projections.service import (
    Place,
    clinic,
    eventstore,
    looked_into,
    patients,
    projections,
    refused,
    rules_of,
    since,
    since_all,
)
from tests.projections.test_consumer import PATIENTS, repetitions, rows, sets

SHARDS = 3
BEGIN = at("2026-03-02T08:00")
HOMES = {shard_of(patient, SHARDS): patient for patient in (f"patient-{n}" for n in range(40))}
"""A patient of each shard."""


@pytest.fixture
def place(postgres: Any, nats_url: str) -> Place:
    return Place(postgres, nats_url, SHARDS)


def history() -> list[event_pb2.Event]:
    """Something of everybody, the patients by turns."""
    return [
        *(event(n, BEGIN, prescribed(), patient=one) for n, one in enumerate(HOMES.values(), 1)),
        *(event(10 + n, BEGIN, pain(9), patient=one) for n, one in enumerate(HOMES.values())),
        *sets(100, 40),
    ]


async def test_the_read_models_are_those_of_a_log_with_one_shard(
    place: Place, postgres: Any, nats_url: str
) -> None:
    told = []
    for each in (place, Place(postgres, nats_url)):
        async with clinic(each) as running:
            written = await running.log.written(*history())
            await running.reads.work(consistency=since_all(written))
        content = await rows(each.projections("nobody:1").postgres_dsn)
        assert all(content[table] for table in ("patient", "care_event", "session"))
        # positions differ: each shard counts its own
        told.append({(one[0], one[1], *one[4:]) for one in content["patient"]})
        told.append({(one[0], one[2]) for one in content["care_event"]})
        told.append({(one[0], one[1], one[2], *one[4:]) for one in content["session"]})
        told.append(set(content["exercise_set"]))
    assert told[:4] == told[4:]


async def test_an_answer_about_a_patient_reflects_the_position_of_its_shard(place: Place) -> None:
    async with clinic(place) as running:
        for number in range(1, 5):
            for shard, patient in HOMES.items():
                made = event(number * 10 + shard, BEGIN, prescribed(), patient=patient)
                written = await running.log.written(made)
                assert list(written) == [shard]
                told = await running.reads.adherence(
                    patient_id=patient, consistency=since(written[shard])
                )
                assert told.freshness.shard == shard
                assert told.freshness.position >= written[shard]
                assert not told.freshness.positions


async def test_an_answer_about_a_clinic_reflects_a_position_of_every_shard(place: Place) -> None:
    async with clinic(place) as running:
        written = await running.log.written(*history())
        assert set(written) == set(range(SHARDS))
        told = await running.reads.work(consistency=since_all(written))
        assert set(patients(told.items)) == set(HOMES.values())
        reached = {one.shard: one.position for one in told.freshness.positions}
        assert set(reached) == set(written)
        assert all(reached[shard] >= position for shard, position in written.items())
        watching = running.reads.watch()
        async for change in watching:
            if change.HasField("listed"):
                assert len(change.listed.positions) == SHARDS
                break
        await watching.aclose()


async def test_positions_of_other_shards_do_not_hold_up_an_answer_about_a_patient(
    place: Place,
) -> None:
    async with clinic(place) as running:
        written = await running.log.written(*history())
        far = since_all(dict.fromkeys(range(1, SHARDS), 10**9) | {0: written[0]})
        told = await running.reads.adherence(patient_id=HOMES[0], consistency=far)
        assert told.freshness.position >= written[0]
        far.max_wait_ms = 20
        error = await refused(running.reads.adherence(patient_id=HOMES[2], consistency=far))
        assert isinstance(error, Stale)
        assert error.metadata["shard"] == "2"


async def test_a_position_without_its_shard_cannot_be_asked_of_a_clinic(place: Place) -> None:
    async with clinic(place) as running:
        await running.reads.lag_at(0)
        error = await refused(running.reads.work(consistency=since(1)))
        assert isinstance(error, InvalidArgument)
        assert rules_of(error) == [("consistency.min_position", "shard.told")]
        error = await refused(running.reads.work(consistency=since_all({1: 0, SHARDS: 1})))
        assert rules_of(error) == [("consistency.min_positions[1].shard", "shard.exists")]


async def test_lag_and_age_are_told_by_shard(place: Place) -> None:
    async with clinic(place) as running:
        written = await running.log.written(*history())
        await running.reads.work(consistency=since_all(written))
        lags = await running.reads.lags()
        # who is lent keys is told behind what was written
        assert {one.shard for one in lags} == set(written)
        assert all(one.position >= written[one.shard] for one in lags)
        assert all(one.events == one.head - one.position for one in lags)
        for shard in range(SHARDS):
            labels = {"consumer": "projections", "shard": str(shard)}
            assert REGISTRY.get_sample_value("oldest_unprocessed_seconds", labels) is not None


async def test_an_event_that_cannot_be_folded_is_told_of_its_shard(place: Place) -> None:
    async with clinic(place) as running:
        impossible = prescribed(effective_from="2026-02-30")
        written = await running.log.written(event(1, BEGIN, impossible, patient=HOMES[2]))
        await running.reads.work(consistency=since_all(written))
        assert [one.parked for one in await running.reads.lags()] == [0, 0, 1]
    async with eventstore(place) as (log, address), projections(place, address, log) as again:
        await again.reads.lag_at(0)
        assert [one.parked for one in await again.reads.lags()] == [0, 0, 1]


async def test_two_replicas_fold_every_event_of_every_shard_once(place: Place) -> None:
    async with (
        eventstore(place) as (log, address),
        projections(place, address, log) as one,
        projections(place, address, log) as other,
    ):
        for part in range(4):
            written = await log.written(*sets(1 + 20 * part, 20))
        for reads in (one.reads, other.reads):
            await reads.work(consistency=since_all(written))
            assert await repetitions(reads, 0) == 80
    assert len({shard_of(patient, SHARDS) for patient in PATIENTS}) > 1


async def test_shards_are_folded_on_from_where_each_of_them_was(place: Place) -> None:
    async with eventstore(place) as (log, address):
        async with projections(place, address, log) as first:
            written = await log.written(*sets(1, 40))
            await first.reads.work(consistency=since_all(written))
        await log.written(*sets(41, 40))
        async with projections(place, address, log) as second:
            written = await log.written(*sets(81, 4))
            await second.reads.work(consistency=since_all(written))
            assert await repetitions(second.reads, 0) == 84


async def test_one_shard_of_another_log_stops_the_service(place: Place) -> None:
    async with eventstore(place) as (log, address):
        async with projections(place, address, log) as first:
            written = await log.written(*sets(1, 12))
            await first.reads.work(consistency=since_all(written))
        async with looked_into(place.projections(address).postgres_dsn) as connection:
            await connection.execute(
                "UPDATE projection SET incarnation = 'another' WHERE shard = 1"
            )
        async with projections(place, address, log) as second, asyncio.timeout(10):
            assert isinstance(await second.background.fallen, IncarnationChanged)
