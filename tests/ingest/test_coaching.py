"""Live feedback reaches the device of its session."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest_asyncio

from rehab.events.v1 import event_pb2
from rehab.eventstore.v1 import eventstore_service_pb2 as store_pb
from rehab.ingest.v1 import ingest_service_pb2 as pb
from rehab_runtime.embedded import Postgres
from rehab_runtime.errors import Unavailable
from tests.ingest.front import Device, Front, fronted
from tests.ingest.given import PATIENT, rep


@pytest_asyncio.fixture(params=[1, 2])
async def front(postgres: Postgres, nats_url: str, request: object) -> AsyncIterator[Front]:
    shards = getattr(request, "param")  # noqa: B009
    async with fronted(postgres, nats_url, shards) as made:
        yield made


async def said(
    front: Front, cue: str, session: str = "session-1", role: int = event_pb2.ROLE_SERVICE
) -> None:
    """As a service of the suite says it: an event of the patient's stream."""
    event = rep()
    event.envelope.kind, event.envelope.actor.role = "feedback", role
    event.envelope.actor.id = "service-policy"
    body = event_pb2.Body()
    body.feedback.session_id = session
    form = body.feedback.form
    form.cue, form.text, form.stop = cue, "Knees out", cue == "stop"
    form.rep_event_id = event.envelope.event_id
    request = store_pb.AppendRequest(stream=PATIENT)
    request.expected.any.SetInParent()
    request.events.add(envelope=event.envelope, body=body.SerializeToString())
    await front.log.append(request)


async def heard(device: Device) -> pb.LiveFeedback:
    return await device.until(lambda message: message.HasField("feedback"), "feedback")


async def listening(front: Front, device: Device) -> None:
    """Ingest hears the log from now on: asked until it does."""
    hearing = asyncio.create_task(heard(device))
    while not hearing.done():
        with contextlib.suppress(Unavailable):  # the channel is not connected anew yet
            await said(front, "listening")
        await asyncio.wait([hearing], timeout=0.2)
    await hearing


async def after(device: Device, cue: str) -> pb.LiveFeedback:
    """The first feedback that is no longer about listening."""
    while (feedback := await heard(device)).cue == "listening":
        pass
    assert feedback.cue == cue
    return feedback


async def test_feedback_reaches_the_device_of_the_session_with_its_text(front: Front) -> None:
    device = front.device()
    await device.hello(session_id="session-1")
    await listening(front, device)
    await said(front, "stop")
    feedback = await after(device, "stop")
    assert (feedback.session_id, feedback.text, feedback.stop) == ("session-1", "Knees out", True)


async def test_other_sessions_and_what_the_device_said_itself_are_not_told(front: Front) -> None:
    device = front.device()
    await device.hello(session_id="session-1")
    await listening(front, device)
    await said(front, "other_session", session="session-2")
    await said(front, "own", role=event_pb2.ROLE_DEVICE)
    await said(front, "meant")
    await after(device, "meant")


async def test_feedback_goes_on_after_the_event_store_was_away(front: Front) -> None:
    device = front.device()
    await device.hello(session_id="session-1")
    await listening(front, device)
    await front.restart_eventstore()
    await listening(front, device)
