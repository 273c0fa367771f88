"""The fold on real servers: cuts, repeats, losses and kills change nothing of what it says."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import nats
import pytest
from prometheus_client import REGISTRY

from rehab.events.v1 import event_pb2
from rehab_projections.messages import stamped
from rehab_runtime.embedded import Nats, Postgres
from rehab_runtime.errors import IncarnationChanged, Unavailable
from tests.projections.given import at, event, observed, pain, prescribed, rep, set_completed
from tests.projections.given_care import certified
from tests.projections.service import (
    Clinic,
    Place,
    Reads,
    clinic,
    eventstore,
    looked_into,
    projections,
    since,
)

BEGIN = at("2026-03-02T08:00")
AS_OF = stamped(at("2026-03-03T00:00"))
PATIENTS = [f"patient-{n}" for n in range(4)]


def sets(first: int, count: int, patients: Sequence[str] = PATIENTS) -> list[event_pb2.Event]:
    """Observed repetitions, one event each, dealt out to the patients in turn."""
    return [
        event(
            number,
            BEGIN,
            observed("s", [rep(number % 1000 + 1)], index=1),
            patient=patients[number % len(patients)],
        )
        for number in range(first, first + count)
    ]


async def repetitions(reads: Reads, position: int, patients: Sequence[str] = PATIENTS) -> int:
    """Distinct repetitions in the read models once they reflect a position."""
    total = 0
    for patient in patients:
        told = await reads.quality(
            patient_id=patient,
            as_of=AS_OF,
            consistency=since(position),
        )
        total += sum(exercise.reps for exercise in told.exercises)
    return total


async def rows(dsn: str, version: int = 1) -> dict[str, list[Any]]:
    """Every row of every read model."""
    tables = (
        "patient",
        "care_event",
        "session",
        "exercise_set",
        "monitoring",
        "corrected",
        "vital",
        "billing_event",
        "session_note",
        "work_episode",
    )
    async with looked_into(dsn, version) as connection:
        return {
            table: sorted(tuple(row) for row in await connection.fetch(f"SELECT * FROM {table}"))
            for table in tables
        }


async def append_in_parts(running: Clinic, parts: Sequence[Sequence[event_pb2.Event]]) -> int:
    position = 0
    for part in parts:
        position = await running.log.append(*part)
        await running.reads.lag_at(position)
    return position


def mixed(first: int) -> list[event_pb2.Event]:
    return [
        event(first, BEGIN, prescribed(), patient=PATIENTS[0]),
        event(first + 1, BEGIN, pain(8), patient=PATIENTS[1]),
        event(first + 2, BEGIN, set_completed("s", 1, 9), patient=PATIENTS[0]),
        *sets(first + 3, 30),
    ]


async def test_what_was_folded_live_is_what_a_fold_from_zero_gives(place: Place):
    async with eventstore(place) as (log, address):
        async with projections(place, address, log) as live:
            position = await append_in_parts(live, [mixed(1), mixed(100), mixed(200)])
        again = Place(place.postgres, place.nats_url)
        settings = {"log_stream": place.stream, "subject_prefix": place.subject_prefix}
        async with projections(again, address, log, **settings) as rebuilt:
            await rebuilt.reads.lag_at(position)
    dsn = place.postgres.dsn
    live_rows = await rows(dsn(f"projections_{place.name}"))
    assert live_rows == await rows(dsn(f"projections_{again.name}"))
    assert live_rows["exercise_set"]


async def test_a_service_that_was_stopped_goes_on_where_it_stood(place: Place):
    async with eventstore(place) as (log, address):
        async with projections(place, address, log) as clinic_:
            await clinic_.reads.lag_at(await log.append(*sets(1, 20)))
        position = await log.append(*sets(21, 20))
        async with projections(place, address, log) as clinic_:
            assert await repetitions(clinic_.reads, position) == 40


async def test_deleting_the_brokers_stream_under_way_loses_nothing(running: Clinic):
    await append_in_parts(running, [sets(1, 20)])
    broker = await nats.connect(running.place.nats_url)
    try:
        await broker.jetstream().delete_stream(running.place.stream)
        position = await append_in_parts(running, [sets(21, 20), sets(41, 20)])
    finally:
        await broker.close()
    assert await repetitions(running.reads, position) == 60


async def test_repeated_and_reordered_messages_change_nothing(running: Clinic):
    position = await append_in_parts(running, [sets(1, 20)])
    await running.reads.lag_at(position)
    broker = await nats.connect(running.place.nats_url)
    try:
        stream = broker.jetstream()
        stored, head = await running.log.client.read_all(0, 100)
        for events in (stored[5:15], stored[:5], stored[12:20], stored[3:4]):
            message = event_pb2.LogMessage(incarnation=head.incarnation, events=events)
            subject = f"{running.place.subject_prefix}.0.mixed"
            await stream.publish(subject, message.SerializeToString())
        await stream.publish(f"{running.place.subject_prefix}.0.mixed", b"\xff not a message")
    finally:
        await broker.close()
    position = await running.log.append(*sets(21, 20))
    assert await repetitions(running.reads, position) == 40


async def test_a_message_before_its_predecessors_makes_a_hole_that_is_filled(running: Clinic):
    """The broker shows events 11 to 20 of a log of which nothing else has been shown."""
    await append_in_parts(running, [sets(1, 5)])
    broker = await nats.connect(running.place.nats_url)
    try:
        await broker.jetstream().delete_stream(running.place.stream)
        position = await running.log.append(*sets(6, 15))
        stored, head = await running.log.client.read_all(10, 100)
        message = event_pb2.LogMessage(incarnation=head.incarnation, events=stored)
        subject = f"{running.place.subject_prefix}.0.mixed"
        await broker.publish(subject, message.SerializeToString())
    finally:
        await broker.close()
    assert await repetitions(running.reads, position) == 20


async def test_without_a_broker_the_fold_reads_by_polling(place: Place, tmp_path):
    nowhere = Place(place.postgres, f"nats://127.0.0.1:{Nats(tmp_path / 'none').port}")
    async with clinic(nowhere) as running:
        position = await append_in_parts(running, [sets(1, 20), sets(21, 20)])
        assert await repetitions(running.reads, position) == 40


async def test_a_broker_that_comes_late_or_falls_is_only_slower(place: Place, tmp_path):
    server = Nats(tmp_path / "nats")
    async with clinic(Place(place.postgres, server.url)) as running:
        position = await append_in_parts(running, [sets(1, 10)])
        await server.start()
        try:
            position = await append_in_parts(running, [sets(11, 10)])
            await server.kill()
            position = await append_in_parts(running, [sets(21, 10)])
            await server.start()
            position = await append_in_parts(running, [sets(31, 10)])
        finally:
            await server.stop()
        assert await repetitions(running.reads, position) == 40


async def test_a_fold_without_its_event_store_waits_for_it(place: Place):
    async with eventstore(place) as (log, address):
        await log.append(*sets(1, 5))
    async with projections(place, address, log) as clinic_:
        assert (await clinic_.reads.lag()).status == "waiting"
        again = place.eventstore().model_copy(update={"listen": address})
        from rehab_eventstore import main  # noqa: PLC0415

        async with main.running(again):
            # behind the five stands who was lent keys
            lag = await clinic_.reads.lag_at(5 + 1)
            assert (lag.status, lag.events) == ("live", 0)


async def test_a_log_of_another_incarnation_stops_the_service(place: Place):
    async with eventstore(place) as (log, address), projections(place, address, log) as clinic_:
        await clinic_.reads.lag_at(await log.append(*sets(1, 5)))
    other = Place(place.postgres, place.nats_url)
    async with (
        eventstore(other) as (log, address),
        projections(place, address, log) as clinic_,
        asyncio.timeout(10),
    ):
        assert isinstance(await clinic_.background.fallen, IncarnationChanged)


async def test_a_database_killed_under_way_is_folded_on_from_what_it_kept(place: Place, tmp_path):
    async with (
        Postgres(tmp_path / "own") as own,
        eventstore(place) as (log, address),
        projections(place, address, log, postgres_dsn=own.dsn("projections")) as clinic_,
    ):
        position = await append_in_parts(clinic_, [sets(1, 20)])
        for first in (21, 41):
            await own.kill()
            position = await log.append(*sets(first, 20))
            await own.start()
        reads = clinic_.reads
        async with asyncio.timeout(20):
            while (await lag_or_nothing(reads)) < position:
                await asyncio.sleep(0.05)
        assert await repetitions(reads, position) == 60
        assert not clinic_.background.fallen.done()


async def lag_or_nothing(reads: Reads) -> int:
    try:
        return (await reads.lag()).position
    except Unavailable:
        return 0


@pytest.mark.parametrize("parts", [1, 7])
async def test_two_replicas_fold_every_event_once(place: Place, parts: int):
    async with (
        eventstore(place) as (log, address),
        projections(place, address, log) as one,
        projections(place, address, log) as other,
    ):
        position = 0
        for part in range(parts):
            position = await log.append(*sets(1 + 20 * part, 20))
        assert await repetitions(one.reads, position) == 20 * parts
        assert await repetitions(other.reads, position) == 20 * parts
        assert not one.background.fallen.done()
        assert not other.background.fallen.done()


async def test_a_value_that_no_column_holds_stops_its_own_stream_only(running: Clinic):
    """The log keeps bodies as bytes: what ingest would refuse can still stand in it."""
    unstorable = event(100, BEGIN, set_completed("s", 1, 5, "a\0b"), patient=PATIENTS[0])
    position = await running.log.append(*sets(1, 8), unstorable, *sets(9, 8))
    lag = await running.reads.lag_at(position)
    assert lag.parked == 1
    assert await repetitions(running.reads, position) == 8 + 6
    assert not running.background.fallen.done()


@pytest.mark.parametrize(
    "impossible",
    [prescribed(effective_from="2026-02-30"), certified("2026-03-01", "2026-02-30")],
    ids=["folded", "gathered"],
)
async def test_a_stream_held_back_is_tried_again_at_the_next_start(
    place: Place, impossible: event_pb2.Body
):
    async with eventstore(place) as (log, address):
        async with projections(place, address, log) as clinic_:
            await log.append(
                event(1, BEGIN, impossible, patient=PATIENTS[0]),
                event(2, BEGIN, pain(9), patient=PATIENTS[1]),
            )
            lag = await clinic_.reads.lag_at(2)
            assert lag.parked == 1
            told = await clinic_.reads.work(consistency=since(2))
            assert [one.patient_id for one in told.items] == [PATIENTS[1]]
        async with projections(place, address, log) as clinic_:
            assert (await clinic_.reads.lag_at(2)).parked == 1
            assert not clinic_.background.fallen.done()


async def test_a_fold_that_stands_still_shows_by_the_age_of_what_waits(running: Clinic):
    position = await running.log.append(*sets(1, 5))
    await running.reads.lag_at(position)
    labels = {"consumer": "projections", "shard": "0"}

    def age() -> float:
        return REGISTRY.get_sample_value("oldest_unprocessed_seconds", labels) or 0.0

    dsn = running.place.projections("nobody:1").postgres_dsn
    async with looked_into(dsn) as connection:
        async with asyncio.timeout(15):
            async with connection.transaction():
                await connection.execute("LOCK TABLE session IN EXCLUSIVE MODE")
                await running.log.append(*sets(6, 5))
                while not age():
                    await asyncio.sleep(0.01)
                first = age()
                assert age() > first
            while age():
                await asyncio.sleep(0.01)
