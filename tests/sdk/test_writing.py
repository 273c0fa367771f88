"""What an application writes stands in the log, on real servers."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from rehab.events.v1.event_pb2 import Body
from rehab_sdk import (
    Acked,
    AsyncRehab,
    MemoryOutbox,
    Rejected,
    Stored,
    dev_token,
    errors,
    events,
)
from rehab_sdk.outbox import new_epoch
from tests.sdk.clinic import OPTIONS, Clinic, pains
from tests.sdk.given import CLINIC

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def bodies(suite: Clinic, patient: str) -> list[Body]:
    return [Body.FromString(event.body) for event in await suite.stored(patient)]


async def actions(suite: Clinic, patient: str) -> list[str | None]:
    return [
        body.exercise_session.WhichOneof("action")
        if body.HasField("exercise_session")
        else body.WhichOneof("kind")
        for body in await bodies(suite, patient)
    ]


async def test_a_session_is_stored_as_it_happened(suite: Clinic, patient: str) -> None:
    async with (
        suite.phone(patient) as client,
        client.session(patient=patient, plan=3, exercise="squat") as session,
    ):
        await session.pain(2, phase="pre")
        for score in (82, 64):
            await session.rep(score=score, rom_deg=95.0)
        await session.set_completed()
        await session.exertion(4)
        await session.symptom("dizziness")
        await session.fall(near=True)
        await session.skip("pain", exercise="lunge")
        await session.pain(3, phase="post")
    assert await actions(suite, patient) == [
        "started",
        "pain_report",
        "rep_observation",
        "rep_observation",
        "set_completed",
        "feedback",
        "symptom_report",
        "symptom_report",
        "exercise_skipped",
        "pain_report",
        "completed",
    ]
    stored = await suite.stored(patient)
    assert {event.envelope.correlation_id for event in stored} == {session.session_id}
    assert {event.envelope.plan_version for event in stored} == {3}
    assert {event.envelope.device_id for event in stored} == {f"phone-of-{patient}"}
    done = (await bodies(suite, patient))[4].exercise_session.set_completed
    assert (done.reps, done.good_reps) == (2, 1)


async def test_a_session_that_an_error_leaves_is_abandoned(suite: Clinic, patient: str) -> None:
    with pytest.raises(ZeroDivisionError):  # noqa: PT012
        async with (
            suite.phone(patient) as client,
            client.session(patient=patient, exercise="squat") as session,
        ):
            await session.rep(score=80)
            raise ZeroDivisionError
    assert await actions(suite, patient) == ["started", "rep_observation", "abandoned"]
    ending = (await bodies(suite, patient))[-1].exercise_session.abandoned
    assert ending.reason == "technical"


async def test_a_session_may_be_abandoned_for_a_reason(suite: Clinic, patient: str) -> None:
    async with (
        suite.phone(patient) as client,
        client.session(patient=patient, exercise="squat") as session,
    ):
        session.abandon("pain")
    ending = (await bodies(suite, patient))[-1].exercise_session.abandoned
    assert ending.reason == "pain"


async def test_a_session_that_is_cancelled_is_interrupted(suite: Clinic, patient: str) -> None:
    begun = asyncio.Event()

    async def exercise() -> None:
        async with (
            suite.phone(patient) as client,
            client.session(patient=patient, exercise="squat") as session,
        ):
            await (await session.rep(score=80))
            begun.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(exercise())
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    ending = (await bodies(suite, patient))[-1].exercise_session.abandoned
    assert ending.reason == "interrupted"


async def test_a_receipt_gives_a_position_at_which_the_event_stands(
    suite: Clinic, patient: str
) -> None:
    async with suite.phone(patient) as client, client.stream() as stream:
        receipts = [await stream.send(event) for event in pains(client, patient, 20)]
        acked = [await receipt for receipt in receipts]
    stored = await suite.stored(patient)
    assert [event.envelope.event_id for event in stored] == [one.event_id for one in receipts]
    for event, verdict in zip(stored, acked, strict=True):
        assert verdict.position >= event.envelope.position
    assert client.last_positions == {0: stored[-1].envelope.position}


async def test_two_sessions_of_one_client_do_not_disturb_each_other(
    suite: Clinic, patient: str
) -> None:
    other = f"{patient}-other"
    async with (
        suite.phone(patient) as client,
        client.session(patient=patient, exercise="squat") as first,
        client.session(patient=other, exercise="squat") as second,
    ):
        for _ in range(10):
            await first.rep(score=80)
            await second.rep(score=80)
    for name in (patient, other):
        assert await actions(suite, name) == ["started", *["rep_observation"] * 10, "completed"]


async def test_logging_the_same_event_again_gives_its_first_position(
    suite: Clinic, patient: str
) -> None:
    async with suite.phone(patient) as client:
        (event,) = pains(client, patient, 1)
        first = await client.log(event)
        again = await client.log(event)
    assert (first.duplicate, again.duplicate) == (False, True)
    assert (again.position, again.stream_version) == (first.position, 1)
    assert await suite.stored_ids(patient) == [event.envelope.event_id]


async def test_an_event_id_with_other_content_already_exists(suite: Clinic, patient: str) -> None:
    async with suite.phone(patient) as client:
        one, other = pains(client, patient, 2)
        await client.log(one)
        other.envelope.event_id = one.envelope.event_id
        with pytest.raises(errors.AlreadyExists) as refused:
            await client.log(other)
    assert refused.value.reason == "EVENT_ID_REUSED"


async def test_many_events_get_a_verdict_each(suite: Clinic, patient: str) -> None:
    async with suite.phone(patient) as client:
        told = pains(client, patient, 5)
        told[1].body.pain_report.nprs = 11
        told[3].envelope.consent_id = ""
        verdicts = await client.log_many(told)
    stored = [isinstance(verdict, Stored) for verdict in verdicts]
    assert stored == [True, False, True, False, True]
    assert isinstance(verdicts[1], Rejected)
    assert isinstance(verdicts[3], Rejected)
    assert verdicts[1].violations[0].field == "body.pain_report.nprs"
    assert isinstance(verdicts[3].error, errors.ConsentRequired | errors.Invalid)
    assert await suite.stored_ids(patient) == [told[n].envelope.event_id for n in (0, 2, 4)]


async def test_more_events_than_fit_a_call_are_all_stored_in_order(
    suite: Clinic, patient: str
) -> None:
    async with suite.phone(patient) as client:
        told = pains(client, patient, 1203)
        verdicts = await client.log_many(told)
    assert all(isinstance(verdict, Stored) for verdict in verdicts)
    assert await suite.stored_ids(patient) == [event.envelope.event_id for event in told]


async def test_a_rejected_event_breaks_nothing_else_and_is_kept(
    suite: Clinic, patient: str
) -> None:
    async with suite.phone(patient) as client, client.stream() as stream:
        told = pains(client, patient, 5)
        told[2].body.pain_report.nprs = 11
        receipts = [await stream.send(event) for event in told]
        with pytest.raises(Rejected) as rejected:
            await receipts[2]
        await stream.flush()
        assert [type(one.verdict) for one in receipts].count(Acked) == 4
        assert [one.event.envelope.event_id for one in stream.rejected] == [receipts[2].event_id]
        assert stream.rejected_count == 1
    assert rejected.value.violations[0].field == "body.pain_report.nprs"
    assert isinstance(rejected.value.error, errors.Invalid)
    left = [one.event_id for one in receipts if one is not receipts[2]]
    assert await suite.stored_ids(patient) == left


async def test_an_event_larger_than_the_server_takes_is_rejected_before_it_is_sent(
    suite: Clinic, patient: str
) -> None:
    async with suite.phone(patient) as client, client.stream() as stream:
        big = client.event(patient, events.symptom(text="x" * 300_000))
        receipt = await stream.send(big)
        with pytest.raises(Rejected) as rejected:
            await receipt
        (small,) = pains(client, patient, 1)
        await (await stream.send(small))
    assert rejected.value.reason == "EVENT_TOO_LARGE"
    assert await suite.stored_ids(patient) == [small.envelope.event_id]


async def test_a_call_without_credentials_is_an_auth_error(suite: Clinic, patient: str) -> None:
    async with suite.phone(patient, token="nonsense", clinic_id=CLINIC) as client:
        with pytest.raises(errors.AuthError) as refused:
            await client.log(*pains(client, patient, 1))
        assert refused.value.correlation_id
        async with client.stream() as stream:
            receipt = await stream.send(*pains(client, patient, 1))
            with pytest.raises(errors.NotAcknowledged) as lost:
                await receipt
            with pytest.raises(errors.AuthError):
                await stream.send(*pains(client, patient, 1))
            await stream.close()
    assert [event.envelope.event_id for event in lost.value.events] == [receipt.event_id]


async def test_another_stream_of_the_same_device_takes_over(suite: Clinic, patient: str) -> None:
    at_once = replace(OPTIONS, stream=replace(OPTIONS.stream, ghost_s=0))
    async with (
        suite.phone(patient, options=at_once) as client,
        suite.phone(patient) as twin,
        client.stream() as first,
    ):
        await (await first.send(*pains(client, patient, 1)))
        async with twin.stream() as second:
            await (await second.send(*pains(twin, patient, 1)))
        assert [cue async for cue in first.feedback] == []  # until the first one's end
        with pytest.raises(errors.Superseded):
            await first.send(*pains(client, patient, 1))
        async with client.session(patient=patient) as third:  # a device may be taken back
            pass
    assert third.rejected == ()
    assert await actions(suite, patient) == ["pain_report", "pain_report", "started", "completed"]


async def test_a_stream_taken_over_by_its_own_ghost_comes_back(suite: Clinic, patient: str) -> None:
    epoch = new_epoch()
    ghostly = MemoryOutbox(epoch)
    async with (
        suite.phone(patient, outbox=MemoryOutbox(epoch)) as client,
        suite.phone(patient, outbox=ghostly) as ghost,
        client.stream() as stream,
    ):
        told = pains(client, patient, 3)
        await (await stream.send(told[0]))
        ghostly.append(b"")
        ghostly.settle(1, "")
        async with ghost.stream() as before:
            await (await before.send(told[1]))
        await (await stream.send(told[2]))
    assert await suite.stored_ids(patient) == [event.envelope.event_id for event in told]


async def test_an_outbox_older_than_the_server_knows_is_numbered_anew(
    suite: Clinic, patient: str
) -> None:
    for epoch in (new_epoch(), 5):  # as when the device's clock was set back
        async with (
            suite.phone(patient, outbox=MemoryOutbox(epoch)) as client,
            client.stream() as stream,
        ):
            await stream.send(*pains(client, patient, 1))
    assert len(await suite.stored_ids(patient)) == 2


async def test_what_waited_in_an_outbox_is_sent_first(suite: Clinic, patient: str) -> None:
    outbox = MemoryOutbox()
    async with suite.phone(patient, outbox=outbox) as client:
        waiting, after = pains(client, patient, 5), pains(client, patient, 1)
        for event in waiting:
            outbox.append(event.SerializeToString())
        async with client.stream() as stream:
            await stream.send(*after)
    wanted = [event.envelope.event_id for event in [*waiting, *after]]
    assert await suite.stored_ids(patient) == wanted
    assert (outbox.settled_seq, outbox.last_seq) == (6, 6)


async def test_a_stream_needs_a_device(suite: Clinic, patient: str) -> None:
    async with suite.phone(patient, device_id="") as client:
        with pytest.raises(errors.Invalid, match="device_id"):
            async with client.stream():
                pass


async def test_one_connection_serves_many_patients(suite: Clinic, patient: str) -> None:
    async with suite.phone(patient) as client:
        for number in range(3):
            name = f"{patient}-{number}"
            other = client.acting(token=dev_token("patient", CLINIC, name), device_id=f"d-{name}")
            await other.log(*pains(other, name, 1))
            (stored,) = await suite.stored(name)
            assert stored.envelope.actor.id == name
            assert stored.envelope.device_id == f"d-{name}"
        assert client.last_positions == {}


async def test_who_connects_must_say_who_they_are() -> None:
    with pytest.raises(errors.Invalid, match="clinic_id"):
        async with AsyncRehab.connect(options=OPTIONS):
            pass
