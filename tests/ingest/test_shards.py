"""Where events stand is told with the shard that their positions count in."""

from __future__ import annotations

from collections.abc import AsyncIterator

import grpc
import pytest_asyncio

from rehab.events.v1.event_pb2 import Event
from rehab.ingest.v1 import ingest_service_pb2 as pb
from rehab_runtime.auth import bearer, service_principal
from rehab_runtime.embedded import Postgres
from rehab_runtime.slices import shard_of
from tests.ingest.front import Device, Front, fronted
from tests.ingest.given import rep

SHARDS = 3
GATEWAY = (bearer(service_principal("gateway")),)
HOMES = {shard_of(patient, SHARDS): patient for patient in (f"patient-{n}" for n in range(40))}
"""A patient of each shard."""


@pytest_asyncio.fixture
async def front(postgres: Postgres, nats_url: str) -> AsyncIterator[Front]:
    async with fronted(postgres, nats_url, SHARDS) as made:
        yield made


def of(shard: int) -> Event:
    event = rep()
    event.envelope.subject_id = event.envelope.actor.id = HOMES[shard]
    return event


async def stands(front: Front, events: list[Event]) -> list[tuple[int, int]]:
    """Shard and position of events, as the log has them."""
    places: dict[str, tuple[int, int]] = {}
    for shard, patient in HOMES.items():
        for one in await front.log.read_stream(patient):
            places[one.envelope.event_id] = (shard, one.envelope.position)
    return [places.get(event.envelope.event_id, (0, 0)) for event in events]


def told(ack: pb.Ack) -> list[tuple[int, int]]:
    return [(place.shard, place.position) for place in ack.places]


async def test_simple_calls_tell_the_shard_of_every_event(front: Front) -> None:
    events = [of(number % SHARDS) for number in range(9)]
    answer = await front.stub.LogEvents(
        pb.LogEventsRequest(events=events), metadata=GATEWAY, timeout=10
    )
    stored = [(one.stored.shard, one.stored.position) for one in answer.verdicts]
    assert stored == await stands(front, events)
    again = await front.stub.LogEvent(
        pb.LogEventRequest(event=events[5]), metadata=GATEWAY, timeout=10
    )
    assert (again.shard, again.position, again.duplicate) == (*stored[5], True)


async def test_an_acknowledgement_of_one_patient_tells_the_newest_place(front: Front) -> None:
    for shard in range(SHARDS):
        device, events = Device(front.stub, GATEWAY), [of(shard) for _ in range(4)]
        await device.hello(device=f"phone-{shard}")
        await device.send(1, *events)
        await device.settled(4)
        (ack,) = device.acks
        assert (ack.shard, ack.position) == (await stands(front, events))[-1]
        assert not ack.places


async def test_an_acknowledgement_over_shards_tells_the_place_of_each_event(front: Front) -> None:
    device, events = Device(front.stub, GATEWAY), [of(number % SHARDS) for number in range(7)]
    events[3].envelope.schema_version = 0
    await device.hello()
    await device.send(1, *events)
    await device.settled(7)
    (ack,) = device.acks
    assert told(ack) == await stands(front, events)
    assert told(ack)[3] == (0, 0)
    assert (ack.shard, ack.position) == told(ack)[-1]


async def test_where_the_newest_event_stands_outlives_the_connection(front: Front) -> None:
    device, events = Device(front.stub, GATEWAY), [of(2) for _ in range(3)]
    await device.hello()
    await device.send(1, *events)
    await device.settled(3)
    await device.call.done_writing()
    while await device.call.read() is not grpc.aio.EOF:
        pass
    again = Device(front.stub, GATEWAY)
    assert (await again.hello()).acked_seq == 3
    await again.send(3, events[2])
    await again.settled(3)
    assert (again.acks[-1].shard, again.acks[-1].position) == (await stands(front, events))[-1]
