"""A client that knows several replicas of a service uses one that answers."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager

import pytest
import pytest_asyncio

from rehab_sdk import AsyncRehab, Backoff, Options, dev_token, errors, events
from rehab_sdk.testing import FakeRehab, Refusal
from tests.sdk.clinic import Clinic, admit, pains
from tests.sdk.given import CLINIC, CONSENT
from tests.support.proxy import Proxy, proxy_to

pytestmark = pytest.mark.asyncio(loop_scope="module")
IMPATIENT = Options(deadline_s=0.5, backoff=Backoff(first_s=0.01, longest_s=0.02))


@pytest_asyncio.fixture(loop_scope="module")
async def ways(suite: Clinic) -> AsyncIterator[list[Proxy]]:
    """Three ways to ingest that can be closed."""
    async with (
        proxy_to(suite.ingest) as one,
        proxy_to(suite.ingest) as two,
        proxy_to(suite.ingest) as three,
    ):
        yield [one, two, three]


def through(suite: Clinic, ways: list[Proxy], patient: str) -> AbstractAsyncContextManager:
    return suite.phone(patient, ingest=[way.address for way in ways])  # type: ignore[arg-type]


async def used(ways: list[Proxy], client: AsyncRehab, patient: str) -> list[Proxy]:
    """Those through which some calls go."""
    before = [way.bytes_up for way in ways]
    for event in pains(client, patient, 5):
        await client.log(event)
    return [way for way, carried in zip(ways, before, strict=True) if way.bytes_up > carried]


async def test_a_client_stays_with_one_replica_until_that_is_gone(
    suite: Clinic, ways: list[Proxy], patient: str
) -> None:
    seen = []
    async with through(suite, ways, patient) as client:
        for _ in ways:
            (current,) = await used(ways, client, patient)
            seen.append(current)
            current.close()
        assert {id(way) for way in seen} == {id(way) for way in ways}
        seen[0].reopen()
        assert await used(ways, client, patient) == [seen[0]]
    assert len(await suite.stored_ids(patient)) == 20


async def test_a_stream_goes_on_with_another_replica(
    suite: Clinic, ways: list[Proxy], patient: str
) -> None:
    async with through(suite, ways, patient) as client, client.stream() as stream:
        told = pains(client, patient, 60)
        for number, event in enumerate(told):
            if number in (20, 40):
                carried = max(ways, key=lambda way: way.bytes_up)
                carried.close()
            await (await stream.send(event))
    assert sum(way.cuts for way in ways) == 2
    assert await suite.stored_ids(patient) == [event.envelope.event_id for event in told]


async def test_a_watch_goes_on_with_another_replica(suite: Clinic, patient: str) -> None:
    position = await admit(suite, patient)
    async with (
        proxy_to(suite.projections) as one,
        proxy_to(suite.projections) as two,
        AsyncRehab.connect(
            projections=[one.address, two.address],
            token=dev_token("therapist", CLINIC, "therapist-1"),
        ) as client,
        client.watch(client.patients.adherence, patient, days=7, min_position=position) as answers,
        suite.phone(patient) as phone,
    ):
        assert (await anext(answers)).sessions == 0
        max((one, two), key=lambda way: way.bytes_up).close()
        async with phone.session(patient=patient) as session:
            await session.log(events.pain(1, phase="post"))
        assert (await anext(answers)).sessions == 1


def phone(*addresses: str) -> AbstractAsyncContextManager[AsyncRehab]:
    return AsyncRehab.connect(
        ingest=addresses,
        projections=addresses,
        token=dev_token("patient", CLINIC, "patient-1"),
        device_id="phone-1",
        consent_id=CONSENT,
        zone="Europe/Berlin",
        options=IMPATIENT,
    )


async def test_a_replica_that_cannot_answer_is_left_for_one_that_can() -> None:
    with FakeRehab() as broken, FakeRehab() as sound:
        broken.refuse(Refusal("UNAVAILABLE"))
        for _ in range(8):  # whichever a client begins with
            async with phone(broken.addresses["ingest"], sound.addresses["ingest"]) as client:
                for event in pains(client, "patient-1", 3):
                    await client.log(event)
        assert broken.calls["LogEvent"] <= 8
        assert sound.calls["LogEvent"] == 24


async def test_a_replica_that_swallows_what_is_sent_holds_up_nobody() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent, FakeRehab() as sound:
        address = "{}:{}".format(*silent.getsockname())
        for _ in range(8):
            async with phone(address, sound.addresses["ingest"]) as client:
                await client.log(*pains(client, "patient-1", 1))
        assert sound.calls["LogEvent"] == 8


async def test_no_replica_at_all_is_unavailable_within_the_deadline() -> None:
    async with proxy_to("127.0.0.1:1") as one, proxy_to("127.0.0.1:1") as two:
        one.close()
        two.close()
        async with asyncio.timeout(10), phone(one.address, two.address) as client:
            with pytest.raises(errors.Unavailable):
                await client.log(*pains(client, "patient-1", 1))


async def test_a_list_without_an_address_is_refused() -> None:
    with pytest.raises(errors.Invalid):
        async with phone():
            pass
