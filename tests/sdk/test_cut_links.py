"""Whatever happens to the link: what was sent is stored once, in order, on real servers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace

import pytest

from rehab_sdk import Acked, errors, events
from rehab_sdk.watch import WorkQueueWatch
from tests.sdk.clinic import OPTIONS, Clinic, admit, cancelled, pains
from tests.support.proxy import Proxy, proxy_to

pytestmark = pytest.mark.asyncio(loop_scope="module")
IMPATIENT = replace(
    OPTIONS,
    deadline_s=0.5,
    stream=replace(OPTIONS.stream, flush_timeout_s=0.5, send_timeout_s=0.5),
)


@asynccontextmanager
async def being_cut(proxy: Proxy, *, every_bytes: int) -> AsyncIterator[None]:
    """Cut the link each time it has carried so many more bytes."""

    async def cutting() -> None:
        while True:
            until = proxy.bytes_up + every_bytes
            while proxy.bytes_up < until:
                await asyncio.sleep(0.001)
            proxy.cut()

    task = asyncio.create_task(cutting())
    try:
        yield
    finally:
        await cancelled(task)


async def test_a_link_cut_again_and_again_loses_doubles_and_reorders_nothing(
    suite: Clinic, patient: str
) -> None:
    async with (
        proxy_to(suite.ingest) as proxy,
        suite.phone(patient, ingest=proxy.address) as client,
        client.stream() as stream,
    ):
        told = pains(client, patient, 600)
        async with being_cut(proxy, every_bytes=10_000):
            receipts = [await stream.send(event) for event in told]
            verdicts = [await receipt for receipt in receipts]
    assert proxy.cuts >= 10
    assert all(isinstance(verdict, Acked) for verdict in verdicts)
    assert await suite.stored_ids(patient) == [event.envelope.event_id for event in told]


async def test_rejected_events_are_told_once_each_over_a_link_that_is_cut(
    suite: Clinic, patient: str
) -> None:
    async with (
        proxy_to(suite.ingest) as proxy,
        suite.phone(patient, ingest=proxy.address) as client,
        client.stream() as stream,
    ):
        told = pains(client, patient, 300)
        bad = told[::7]
        for event in bad:
            event.body.pain_report.nprs = 11
        async with being_cut(proxy, every_bytes=6_000):
            for event in told:
                await stream.send(event)
            await stream.flush()
        rejected = [one.event.envelope.event_id for one in stream.rejected]
    assert proxy.cuts >= 5
    assert rejected == [event.envelope.event_id for event in bad]
    good = [event.envelope.event_id for event in told if event not in bad]
    assert await suite.stored_ids(patient) == good


async def test_a_session_survives_cuts(suite: Clinic, patient: str) -> None:
    async with (
        proxy_to(suite.ingest) as proxy,
        suite.phone(patient, ingest=proxy.address) as client,
        being_cut(proxy, every_bytes=4_000),
        client.session(patient=patient, exercise="squat") as session,
    ):
        receipts = [await session.rep(score=80) for _ in range(100)]
    ids = await suite.stored_ids(patient)
    assert ids[1:-1] == [receipt.event_id for receipt in receipts]
    assert proxy.cuts >= 3


async def test_single_calls_survive_cuts(suite: Clinic, patient: str) -> None:
    async with (
        proxy_to(suite.ingest) as proxy,
        suite.phone(patient, ingest=proxy.address) as client,
        being_cut(proxy, every_bytes=1_000),
    ):
        told = pains(client, patient, 40)
        for event in told:
            await client.log(event)
    assert proxy.cuts >= 5
    assert await suite.stored_ids(patient) == [event.envelope.event_id for event in told]


async def test_a_stream_begun_offline_is_sent_when_the_server_appears(
    suite: Clinic, patient: str
) -> None:
    async with proxy_to(suite.ingest) as proxy:
        proxy.close()
        async with suite.phone(patient, ingest=proxy.address) as client, client.stream() as stream:
            told = pains(client, patient, 10)
            for event in told:
                await stream.send(event)
            assert stream.unacknowledged() == told
            proxy.reopen()
    assert await suite.stored_ids(patient) == [event.envelope.event_id for event in told]


async def test_events_that_stay_unacknowledged_are_handed_back_and_may_be_logged_again(
    suite: Clinic, patient: str
) -> None:
    async with proxy_to(suite.ingest) as proxy:
        async with suite.phone(patient, ingest=proxy.address, options=IMPATIENT) as client:
            told = pains(client, patient, 20)
            with pytest.raises(errors.NotAcknowledged) as lost:  # noqa: PT012
                async with client.stream() as stream:
                    for event in told[:10]:
                        await (await stream.send(event))
                    proxy.close()
                    receipts = [await stream.send(event) for event in told[10:]]
            assert list(lost.value.events) == told[10:]
            for receipt in receipts:
                with pytest.raises(errors.NotAcknowledged):
                    await receipt
            proxy.reopen()
        async with suite.phone(patient) as later:
            await later.log_many(lost.value.events)
    assert await suite.stored_ids(patient) == [event.envelope.event_id for event in told]


async def test_sending_waits_for_room_and_not_for_ever(suite: Clinic, patient: str) -> None:
    async with proxy_to(suite.ingest) as proxy:
        proxy.close()
        async with suite.phone(patient, ingest=proxy.address, options=IMPATIENT) as client:
            with pytest.raises(errors.NotAcknowledged):  # noqa: PT012
                async with client.stream() as stream:
                    with pytest.raises(errors.TimedOut):  # noqa: PT012
                        for event in pains(client, patient, 10_000):
                            await stream.send(event)
                    held = len(stream.unacknowledged())
    assert 1 <= held <= 1_000


async def test_an_absent_server_is_unavailable_within_the_deadline(
    suite: Clinic, patient: str
) -> None:
    async with proxy_to(suite.ingest) as proxy:
        proxy.close()
        async with suite.phone(patient, ingest=proxy.address, options=IMPATIENT) as client:
            with pytest.raises(errors.Unavailable):
                await client.log(*pains(client, patient, 1))


async def test_a_link_that_carries_nothing_any_more_is_given_up_for_another(
    suite: Clinic, patient: str
) -> None:
    pinging = replace(OPTIONS, keepalive_s=0.5, keepalive_timeout_s=0.3)
    async with (
        proxy_to(suite.ingest) as proxy,
        suite.phone(patient, ingest=proxy.address, options=pinging) as client,
        client.stream() as stream,
    ):
        await (await stream.send(*pains(client, patient, 1)))
        proxy.stall()
        await (await stream.send(*pains(client, patient, 1)))
    assert len(await suite.stored_ids(patient)) == 2


async def test_a_rolling_restart_of_ingest_loses_nothing(suite: Clinic, patient: str) -> None:
    async with (
        suite.ingesting() as old,
        proxy_to(old) as proxy,
        suite.phone(patient, ingest=proxy.address) as client,
        client.stream() as stream,
    ):
        told = pains(client, patient, 200)
        for event in told[:100]:
            await stream.send(event)
        async with suite.ingesting() as new:
            proxy.lead_to(new)
            proxy.cut()
            for event in told[100:]:
                await stream.send(event)
            await stream.flush()
    assert await suite.stored_ids(patient) == [event.envelope.event_id for event in told]


async def test_a_draining_ingest_is_left_without_loss(suite: Clinic, patient: str) -> None:
    async with AsyncExitStack() as stack:
        leaving = AsyncExitStack()
        old = await leaving.enter_async_context(suite.ingesting())
        new = await stack.enter_async_context(suite.ingesting())
        proxy = await stack.enter_async_context(proxy_to(old))
        client = await stack.enter_async_context(suite.phone(patient, ingest=proxy.address))
        stream = await stack.enter_async_context(client.stream())
        told = pains(client, patient, 200)
        for event in told[:100]:
            await stream.send(event)
        proxy.lead_to(new)
        async with asyncio.TaskGroup() as both:
            both.create_task(leaving.aclose())
            for event in told[100:]:
                await stream.send(event)
        await stream.flush()
    assert await suite.stored_ids(patient) == [event.envelope.event_id for event in told]


async def until_listed(changes: WorkQueueWatch, patient: str) -> str:
    """The patient's item, once the list is complete and has it."""
    item_id, listed = "", False
    async for change in changes:
        if change.upserted.patient_id == patient:
            item_id = change.upserted.item_id
        listed = listed or change.HasField("listed")
        if listed and item_id:
            break
    return item_id


async def test_a_watch_goes_on_over_lost_links_and_tells_what_vanished(
    suite: Clinic, patient: str
) -> None:
    await admit(suite, patient)
    async with (
        proxy_to(suite.projections) as proxy,
        suite.phone(patient) as phone,
        suite.therapist() as direct,
    ):
        suite_through = replace(suite, projections=proxy.address)
        async with suite_through.therapist() as client, client.work_queue.watch() as changes:
            fall = await phone.log(phone.event(patient, events.fall()))
            await direct.work_queue.list(min_position=fall.position)
            item_id = await until_listed(changes, patient)
            proxy.close()
            closed = events.review_closed(item_id, "contacted")
            stored = await direct.log(direct.event(patient, closed))
            await direct.work_queue.list(min_position=stored.position)
            proxy.reopen()
            async for change in changes:
                if change.removed_item_id == item_id:
                    break
