"""Whoever is to hear of emergency access hears of it at once, at least once, and after a fall."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import pytest
import pytest_asyncio

from rehab.events.v1.event_pb2 import Role
from rehab.identity.v1 import account_service_pb2 as account_pb
from rehab.identity.v1 import identity_service_pb2 as pb
from rehab_identity.facts.webhook import DEDUPLICATION, SIGNATURE, signature
from rehab_runtime.auth import Principal
from rehab_runtime.embedded import free_port
from rehab_runtime.errors import NotFound, PermissionDenied, Unauthenticated
from tests.identity.facts.service import (
    ADMIN,
    ANN,
    BOB,
    CLI,
    CLINIC,
    FAR,
    Clinic,
    Place,
    clinic,
    eventstore,
    identity,
    patient_of,
    refused,
    some_patient,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")
SECRET = "s" * 32
SOON_S = 15.0


class Hook:
    """An address that notices are posted to; `refusing` so many of them first."""

    def __init__(self) -> None:
        self.refusing = 0
        self.told: list[tuple[dict[str, Any], dict[str, str], bytes]] = []
        self.came = asyncio.Event()
        self.url = ""

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")[1:-2]
        headers = {name.lower(): text for name, text in (line.split(": ", 1) for line in head)}
        body = await reader.readexactly(int(headers["content-length"]))
        status = "503 Unavailable" if self.refusing else "204 No Content"
        self.refusing = max(0, self.refusing - 1)
        writer.write(f"HTTP/1.1 {status}\r\nConnection: close\r\n\r\n".encode())
        await writer.drain()
        writer.close()
        self.told.append((json.loads(body), headers, body))
        self.came.set()


@pytest_asyncio.fixture(loop_scope="module")
async def hook() -> AsyncIterator[Hook]:
    made = Hook()
    server = await asyncio.start_server(made.take, "127.0.0.1", 0)
    made.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/notices"
    yield made
    server.close()
    await server.wait_closed()


async def administered(made: Clinic, *names: str) -> None:
    for name in names:
        request = account_pb.CreateAccountRequest(
            account_id=name, clinic_id=CLINIC, role=Role.ROLE_ADMIN
        )
        await made.as_(CLI).accounts("CreateAccount", request)


async def next_notice(watch: AsyncIterator[Any]) -> Any:
    async with asyncio.timeout(SOON_S):
        async for one in watch:
            if one.HasField("notice"):
                return one
    raise AssertionError("the watch ended")


async def first(watch: AsyncIterator[Any]) -> Any:
    async with asyncio.timeout(SOON_S):
        return await anext(watch)


async def test_admins_and_who_treats_the_patient_hear_of_it_while_they_watch(
    shared: Clinic,
) -> None:
    await administered(shared, "admin-1", "officer")
    patient = await shared.treated(some_patient(), ANN.id)
    async with (
        aclosing(shared.as_(ADMIN).watch_emergencies(CLINIC)) as admins,
        aclosing(shared.as_(ANN).watch_emergencies(CLINIC)) as treating,
    ):
        assert not (await first(admins)).HasField("notice")
        await first(treating)
        grant = await shared.as_(BOB).take(patient)
        for watch in (admins, treating):
            notice = (await next_notice(watch)).notice
            assert notice.grant.grant_id == grant.grant_id
            assert notice.grant.expires_at == grant.expires_at
            assert (notice.clinic_id, notice.grant.principal_id) == (CLINIC, BOB.id)
            assert set(notice.recipients) >= {"admin-1", "officer", ANN.id}
            assert BOB.id not in notice.recipients


async def test_a_therapist_hears_of_their_own_patients_alone(shared: Clinic) -> None:
    other, own = await shared.treated(some_patient()), await shared.treated(some_patient(), ANN.id)
    async with aclosing(shared.as_(ANN).watch_emergencies(CLINIC)) as watch:
        await first(watch)
        await shared.as_(BOB).take(other)
        grant = await shared.as_(BOB).take(own)
        assert (await next_notice(watch)).notice.grant.grant_id == grant.grant_id


async def test_who_connects_again_misses_nothing(shared: Clinic) -> None:
    patient = await shared.treated(some_patient())
    async with aclosing(shared.as_(ADMIN).watch_emergencies(CLINIC)) as watch:
        seen = (await first(watch)).seq
    taken = [
        (await shared.as_(BOB).take(patient, reason=reason)).grant_id
        for reason in ("safety", "other", "unconscious")
    ]
    async with aclosing(shared.as_(ADMIN).watch_emergencies(CLINIC, seen)) as watch:
        heard = [(await next_notice(watch)).notice.grant.grant_id for _ in taken]
    assert heard == taken


async def test_others_do_not_hear_of_it(shared: Clinic) -> None:
    for who in (patient_of("p"), Principal("medic", "emergency", CLINIC)):
        asked = first(shared.as_(who).watch_emergencies(CLINIC))
        assert isinstance(await refused(asked), PermissionDenied)
    asked = first(shared.as_(FAR).watch_emergencies(CLINIC))
    assert isinstance(await refused(asked), NotFound)


async def test_who_was_told_of_it_is_traced(shared: Clinic) -> None:
    patient = await shared.treated(some_patient())
    watcher = Principal("watching-admin", "admin", CLINIC)
    async with aclosing(shared.as_(watcher).watch_emergencies(CLINIC)) as watch:
        await first(watch)
        await shared.as_(BOB).take(patient)
        await next_notice(watch)
    request = pb.SearchAccessRequest(clinic_id=CLINIC)
    request.filter.patient_id, request.filter.actor_id = patient, watcher.id
    async with asyncio.timeout(SOON_S):
        while not (found := (await shared.as_(ADMIN).search(request)).entries):
            await asyncio.sleep(0.01)
    assert [one.rpc.rsplit("/", 1)[1] for one in found] == ["WatchEmergencyAccess"]


async def test_a_notice_is_posted_signed_with_ids_and_codes_alone(place: Place, hook: Hook) -> None:
    async with clinic(place, notice_url=hook.url, notice_secret=SECRET) as made:
        await administered(made, "officer")
        patient = await made.treated(some_patient(), ANN.id)
        grant = await made.as_(BOB).take(patient)
        async with asyncio.timeout(SOON_S):
            await hook.came.wait()
    ((told, headers, body),) = hook.told
    assert told.pop("taken_at") < told.pop("expires_at")
    assert told == {
        "type": "emergency_access_taken",
        "grant_id": grant.grant_id,
        "clinic_id": CLINIC,
        "patient_id": patient,
        "principal_id": BOB.id,
        "reason": "acute_event",
        "recipients": [ANN.id, "officer"],
    }
    assert headers[DEDUPLICATION] == grant.grant_id
    seconds = int(headers[SIGNATURE].split(",")[0].removeprefix("t="))
    assert headers[SIGNATURE] == signature(SECRET.encode(), seconds, body)
    assert headers[SIGNATURE] != signature(b"another secret", seconds, body)


async def test_a_notice_that_is_not_taken_comes_again_with_the_same_key(
    place: Place, hook: Hook
) -> None:
    hook.refusing = 1
    async with clinic(place, notice_url=hook.url, notice_secret=SECRET) as made:
        patient = await made.treated(some_patient())
        await made.as_(BOB).take(patient)
        async with asyncio.timeout(SOON_S):
            while len(hook.told) < 2:
                await asyncio.sleep(0.01)
    assert len({headers[DEDUPLICATION] for _, headers, _ in hook.told}) == 1


async def test_a_notice_survives_a_fall_and_is_told_once_by_two_replicas(
    place: Place, hook: Hook
) -> None:
    nobody = f"http://127.0.0.1:{free_port()}/notices"
    async with eventstore(place) as (log, address):
        async with identity(place, log, address, notice_url=nobody, notice_secret=SECRET) as made:
            patient = await made.treated(some_patient())
            await made.as_(BOB).take(patient)
        hooked = {"notice_url": hook.url, "notice_secret": SECRET}
        async with (
            identity(place, log, address, **hooked),
            identity(place, log, address, **hooked) as second,
        ):
            async with asyncio.timeout(SOON_S):
                await hook.came.wait()
            hook.came.clear()
            await second.as_(BOB).take(patient, reason="safety")
            async with asyncio.timeout(SOON_S):
                await hook.came.wait()
    assert [told["reason"] for told, _, _ in hook.told] == ["acute_event", "safety"]


async def test_a_watch_ends_when_who_watches_may_do_nothing_any_more(shared: Clinic) -> None:
    request = account_pb.CreateAccountRequest(
        account_id="leaving",
        clinic_id=CLINIC,
        role=Role.ROLE_ADMIN,
    )
    await shared.as_(CLI).accounts("CreateAccount", request)
    watcher = Principal("leaving", "admin", CLINIC)
    patient = await shared.treated(some_patient())
    async with aclosing(shared.as_(watcher).watch_emergencies(CLINIC)) as watch:
        await first(watch)
        disable = account_pb.SetAccountStatusRequest(
            account_id="leaving", status=account_pb.ACCOUNT_STATUS_DISABLED, reason="left"
        )
        await shared.as_(CLI).accounts("SetAccountStatus", disable)
        await shared.as_(BOB).take(patient)
        assert isinstance(await refused(next_notice(watch)), Unauthenticated)
