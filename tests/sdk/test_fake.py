"""What rehab_sdk.testing can be told to do, a client meets."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from typing import Any

import pytest

from rehab.projections.v1 import projections_service_pb2 as pb
from rehab_sdk import Acked, AsyncRehab, Rehab, dev_token, errors
from rehab_sdk.testing import FakeRehab, Refusal
from tests.sdk.clinic import OPTIONS, pains
from tests.sdk.given import CLINIC, CONSENT

PATIENT = "patient-1"
IMPATIENT = replace(OPTIONS, deadline_s=0.2)


@pytest.fixture
def fake() -> Iterator[FakeRehab]:
    with FakeRehab() as made:
        yield made


def settings(**more: Any) -> dict[str, Any]:
    return {
        "token": dev_token("patient", CLINIC, PATIENT),
        "device_id": "phone-1",
        "consent_id": CONSENT,
        "zone": "Europe/Berlin",
        "options": OPTIONS,
        **more,
    }


def phone(fake: FakeRehab, **more: Any) -> AbstractAsyncContextManager[AsyncRehab]:
    return AsyncRehab.connect(**fake.addresses, **settings(**more))


def test_a_blocking_program_meets_it_as_well(fake: FakeRehab) -> None:
    with Rehab.connect(**fake.addresses, **settings()) as client:
        with client.session(patient=PATIENT, exercise="squat") as session:
            session.rep(score=80)
        assert client.patients.adherence(PATIENT).freshness.position == 3
    assert [event.envelope.kind for event in fake.wait_for(3)] == [
        "exercise_session",
        "rep_observation",
        "exercise_session",
    ]
    assert fake.events_of("another") == []


async def test_a_stream_that_is_cut_comes_again_and_loses_nothing(fake: FakeRehab) -> None:
    async with phone(fake) as client, client.stream() as stream:
        told = pains(client, PATIENT, 200)
        for number, event in enumerate(told):
            await stream.send(event)
            if number % 40 == 39:
                await asyncio.to_thread(fake.wait_for, number - 30)
                fake.cut()
    assert [e.envelope.event_id for e in fake.events] == [e.envelope.event_id for e in told]
    assert fake.streams >= 3


async def test_a_stream_asked_to_reconnect_comes_again_in_good_order(fake: FakeRehab) -> None:
    async with phone(fake) as client, client.stream() as stream:
        for event in pains(client, PATIENT, 3):
            await (await stream.send(event))
            fake.reconnect()
    assert len(fake.events) == 3
    assert fake.streams >= 3


async def test_while_it_is_offline_nobody_is_answered(fake: FakeRehab) -> None:
    async with phone(fake) as client, client.stream() as stream:
        with fake.offline():
            receipt = await stream.send(*pains(client, PATIENT, 1))
            with pytest.raises(errors.Unavailable):
                async with phone(fake, options=IMPATIENT) as impatient:
                    await impatient.lag()
            assert not receipt.done()
        assert isinstance(await receipt, Acked)


async def test_a_window_bounds_what_is_in_flight(fake: FakeRehab) -> None:
    fake.set_window(2)
    async with phone(fake) as client, client.stream() as stream:
        for event in pains(client, PATIENT, 20):
            await stream.send(event)
            assert len(stream.unacknowledged()) <= 64
    assert len(fake.events) == 20


async def test_it_may_be_slow(fake: FakeRehab) -> None:
    fake.delay_s = 0.1
    async with phone(fake) as client:
        began = time.monotonic()
        await client.lag()
        assert time.monotonic() - began >= 0.1


async def test_it_refuses_events_as_told_and_takes_the_others(fake: FakeRehab) -> None:
    fake.reject(Refusal("CONSENT_NOT_IN_FORCE", "since yesterday"), kind="pain_report", times=1)
    async with phone(fake) as client, client.stream() as stream:
        told = pains(client, PATIENT, 3)
        for event in told:
            await stream.send(event)
        await stream.flush()
        (refused,) = stream.rejected
    assert refused.event == told[0]
    assert isinstance(refused.error, errors.ConsentRequired)
    assert len(fake.events) == 2


async def test_a_session_hears_its_live_coaching(fake: FakeRehab) -> None:
    async with (
        phone(fake) as client,
        client.session(patient=PATIENT, exercise="squat") as session,
    ):
        await (await session.rep(score=40))
        fake.feedback(session.session_id, "slower", "Slower, please")
        fake.feedback("another-session", "faster")
        async for cue in session.feedback():
            assert (cue.cue, cue.text) == ("slower", "Slower, please")
            break


async def test_reads_answer_as_told_and_reflect_what_was_written(fake: FakeRehab) -> None:
    fake.answer("GetAdherence", pb.GetAdherenceResponse(sessions=4))
    async with phone(fake) as client:
        await client.log(*pains(client, PATIENT, 1))
        adherence = await client.patients.adherence(PATIENT)
        assert (adherence.sessions, adherence.freshness.position) == (4, 1)
        fake.answer("GetAdherence", lambda asked: pb.GetAdherenceResponse(sessions=asked.wrong))
        with pytest.raises(errors.Internal, match="wrong"):
            await client.patients.adherence(PATIENT)
        assert [session async for session in client.patients.sessions(PATIENT)] == []
    with pytest.raises(KeyError):
        fake.answer("GetNothing", pb.GetAdherenceResponse())


async def test_a_watched_work_queue_changes_as_told(fake: FakeRehab) -> None:
    item = pb.WorkItem(item_id="item-1", patient_id=PATIENT)
    fake.answer("ListWorkQueue", pb.ListWorkQueueResponse(items=[item]))
    token = dev_token("therapist", CLINIC, "therapist-1")
    heard: list[str | None] = []
    async with phone(fake, token=token) as client, client.work_queue.watch() as changes:
        async for change in changes:
            heard.append(change.WhichOneof("change"))
            if heard[-1] == "listed" and "removed_item_id" not in heard:
                fake.tell("WatchWorkQueue", pb.WatchWorkQueueResponse(removed_item_id="item-1"))
            elif heard[-1] == "removed_item_id":
                break
    assert heard == ["upserted", "listed", "removed_item_id"]


async def test_nobody_is_let_in_without_a_token(fake: FakeRehab) -> None:
    async with phone(fake, token="", clinic_id=CLINIC) as client:
        with pytest.raises(errors.Unauthenticated):
            await client.lag()
        with pytest.raises(errors.Unauthenticated):
            async with client.work_queue.watch() as changes:
                await anext(changes)


def test_waiting_for_events_that_do_not_come_ends(fake: FakeRehab) -> None:
    with pytest.raises(TimeoutError):
        fake.wait_for(1, timeout_s=0.01)


async def test_a_phone_speaks_for_its_own_patient_alone(fake: FakeRehab) -> None:
    async with phone(fake) as client:
        (told,) = pains(client, "patient-2", 1)
        with pytest.raises(errors.RehabError) as caught:
            await client.log(told)
    assert [one.rule for one in caught.value.violations] == ["patient.own"]
    assert fake.events == []
