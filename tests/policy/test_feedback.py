"""Live form feedback: from a repetition on a device's stream to the cue on the same stream."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest_asyncio

from rehab.ingest.v1.ingest_service_pb2_grpc import IngestServiceStub
from rehab_ingest import main as ingest_main
from rehab_ingest.settings import Settings as IngestSettings
from rehab_runtime.auth import Principal, bearer
from rehab_runtime.channels import channel
from tests.ingest.front import Device
from tests.policy.given import CLINIC, PATIENT, arrived, rep
from tests.policy.service import House, Place, eventstore, policy

METADATA = (bearer(Principal(PATIENT, "patient", CLINIC)),)


@pytest_asyncio.fixture
async def coached(place: Place) -> AsyncIterator[tuple[House, IngestServiceStub]]:
    """Policy beside ingest, on one log."""
    async with eventstore(place) as (log, address), policy(place, address, log) as house:
        settings = IngestSettings(
            postgres_dsn=place.postgres.dsn(f"ingest_{place.name}"),
            eventstore_address=address,
            metrics_listen="",
            drain_s=1,
        )
        async with (
            ingest_main.running(settings) as front,
            channel(front.address) as connection,
        ):
            yield house, IngestServiceStub(connection)


async def test_a_device_that_streams_a_poor_repetition_hears_the_cue_on_the_same_stream(
    coached: tuple[House, IngestServiceStub],
) -> None:
    house, stub = coached
    await house.log.append(*arrived())
    device = Device(stub, METADATA)
    await device.hello(session_id="session-1")
    sending = asyncio.create_task(_move_poorly(device))
    try:
        heard = await device.until(lambda told: told.HasField("feedback"), "feedback")
    finally:
        sending.cancel()
    assert (heard.cue, heard.text) == ("knees_out", "Push your knees out.")
    assert heard.session_id == "session-1"


async def _move_poorly(device: Device) -> None:
    """Again and again: ingest says nothing before it hears the log."""
    for number in itertools.count(1):
        poor = rep(20)
        poor.envelope.device_id = "phone-1"
        await device.send(number, poor)
        await asyncio.sleep(0.2)


async def test_a_good_repetition_and_one_of_long_ago_have_no_cue(house: House) -> None:
    await house.log.append(*arrived(), rep(90))
    old = rep(20)
    old.envelope.occurred_at.FromDatetime(datetime.now(UTC) - timedelta(minutes=2))
    position = await house.log.append(old)
    await house.folded(position)
    assert await house.log.said("feedback") == []
    fresh = rep(20)
    await house.folded(await house.log.append(fresh))
    ((_, body),) = await house.log.said("feedback")
    assert body.feedback.form.rep_event_id == fresh.envelope.event_id
