"""A replica that does not fold answers like one that does: it is told what others fold."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import aclosing

import pytest

from rehab.projections.v1 import projections_admin_service_pb2 as admin_pb
from rehab_projections import consumers, progress
from rehab_runtime.channels import channel
from rehab_runtime.errors import Stale
from tests.projections.given import at, event, prescribed
from tests.projections.replicas import LONG_S, holders, replicas
from tests.projections.service import (
    Place,
    refused,
    since,
    since_all,
)
from tests.projections.test_consumer import PATIENTS, repetitions, sets
from tests.projections.test_rebuild import Admin
from tests.projections.test_watch import listed, report

BEGIN = at("2026-03-02T08:00")


@pytest.fixture
def nobody_polls(monkeypatch: pytest.MonkeyPatch) -> None:
    """What one replica knows of another it was told."""
    monkeypatch.setattr(progress, "FOREIGN_POLL_S", LONG_S)
    monkeypatch.setattr(consumers, "LOOK_ON_S", LONG_S)
    monkeypatch.setattr(consumers, "ANSWER_S", LONG_S)


async def test_a_read_at_a_replica_that_does_not_fold_waits_for_what_another_folds(
    place: Place, nobody_polls: None
) -> None:
    async with replicas(place, 2) as (log, (folding, idle)):
        assert await holders(idle) == ["replica-0"]
        for part in range(5):
            position = await log.append(*sets(1 + 4 * part, 4))
            assert await repetitions(idle.reads, position) == 4 * (part + 1)
        asked = since(position + 1_000)
        asked.max_wait_ms = 50
        told = idle.reads.adherence(patient_id=PATIENTS[0], consistency=asked)
        assert isinstance(await refused(told), Stale)
        assert (await idle.reads.lag_at(position)).lag_p50_ms >= 0
        assert await holders(folding) == ["replica-0"]


async def test_a_watch_at_a_replica_that_does_not_fold_hears_of_changes(
    place: Place, nobody_polls: None
) -> None:
    slow = {"watch_tick_ms": 60_000}
    async with (
        replicas(place, 2, **slow) as (log, (_, idle)),
        asyncio.timeout(20),
        aclosing(idle.reads.watch()) as changes,
    ):
        assert await listed(changes) == []
        for number, patient in enumerate("abc", 1):
            await log.append(report(number, patient))
            assert (await anext(changes)).upserted.patient_id == patient


async def test_a_stream_held_back_is_tried_again_by_whoever_folds_it(
    place: Place, nobody_polls: None
) -> None:
    async with replicas(place, 2) as (log, (_, idle)), channel(idle.address) as connection:
        impossible = prescribed(effective_from="2026-02-30")
        await log.append(event(1, BEGIN, impossible, patient=PATIENTS[0]))
        assert (await idle.reads.lag_at(1)).parked == 1
        admin = Admin(connection)
        told = await admin.ask("RetryParked", admin_pb.RetryParkedRequest())
        assert (told.released, told.parked) == (0, 1)
        skip = admin_pb.SkipParkedRequest(patient_id=PATIENTS[0], reason="no such day")
        assert (await admin.ask("SkipParked", skip)).released
        assert (await idle.reads.lag()).parked == 0


async def test_every_replica_tells_alike_who_folds_and_how_far(sharded: Place) -> None:
    async with replicas(sharded, 2) as (log, each):
        written = await log.written(*sets(1, 40))
        told = []
        for one in each:
            await one.reads.work(consistency=since_all(written))
            told.append(
                [
                    (lag.shard, lag.position, lag.head, lag.status, lag.holder)
                    for lag in await one.reads.lags()
                ]
            )
        assert told[0] == told[1]
        assert Counter(one[4] for one in told[0]) == {"replica-0": 2, "replica-1": 1}
        assert all(lag.held_ms < LONG_S * 1000 for lag in await each[0].reads.lags())
