"""Whoever knocks at the ports of a suite with anything but gRPC is shown out, and nobody else
notices: bytes of all kinds, calls cut short, slow ones, and phones that come and go."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import grpc
import pytest
import pytest_asyncio

from rehab.events.v1.event_pb2 import ROLE_PATIENT, Body
from rehab.identity.v1 import account_service_pb2 as account_pb
from rehab.identity.v1 import session_service_pb2 as session_pb
from rehab.identity.v1.account_service_pb2_grpc import AccountServiceStub
from rehab.identity.v1.session_service_pb2_grpc import SessionServiceStub
from rehab.ingest.v1 import ingest_service_pb2 as pb
from rehab.ingest.v1.ingest_service_pb2_grpc import IngestServiceStub
from rehab.projections.v1 import projections_admin_service_pb2 as admin_pb
from rehab_cli.addresses import SERVICES
from rehab_runtime.auth import bearer, service_principal
from tests.fuzz.calls import AT_ONCE, answered
from tests.fuzz.house import Held, House, Neighbour, house
from tests.fuzz.messages import (
    CALLERS,
    CLINIC,
    RARE,
    admitted,
    caller,
    request_message,
    service_of,
)
from tests.fuzz.reconnects import come_and_go
from tests.identity.house import decoded
from tests.identity.test_people_tokens import FORGED
from tests.suite import injected
from tests.suite.injected import Injected
from tests.suite.rough import of_connection, of_headers, of_messages
from tests.support.contract import METHODS
from tests.support.hostile import CANARY, TEXTS
from tests.support.http2 import said

pytestmark = pytest.mark.asyncio(loop_scope="module")
PHONES = 400
ROUNDS = 5
CLI = service_principal("cli")
PASSWORD = "correct horse battery staple"
ONE_OF_EACH = (
    "/rehab.ingest.v1.IngestService/LogEvents",
    "/rehab.projections.v1.ProjectionsService/GetQuality",
    "/rehab.identity.v1.ConsentService/ListConsents",
)
PARKED = "/rehab.projections.v1.ProjectionsAdminService/ListParked"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def attacked(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    async with house(tmp_path_factory.mktemp("attacked")) as made:
        yield made


@pytest_asyncio.fixture(loop_scope="module")
async def quiet(attacked: House) -> AsyncIterator[None]:
    """Somebody streams all the while and loses nothing, every service serves on as the process that
    it was, and no log line is broken or quotes anything."""
    neighbour = Neighbour(attacked)
    task = asyncio.create_task(neighbour.run())
    await neighbour.streams()
    yield
    await neighbour.goes_on()
    neighbour.leave()
    await task
    assert await neighbour.wrong() == []
    assert await attacked.wrong() == []


async def thrown(attacked: House, told: Mapping[str, bytes]) -> list[str]:
    """Everything at every service; of which the connection stays open."""

    def one(service: str, raw: bytes) -> bool:
        try:
            said(attacked.suite.services[service].address, raw)
        except TimeoutError:
            return False
        return True

    open_ = []
    for service in SERVICES:
        for name, raw in told.items():
            if not await asyncio.to_thread(one, service, raw):
                open_.append(f"{service}: {name}")
    return open_


async def test_what_is_no_http2_is_closed(attacked: House, quiet: None) -> None:
    assert await thrown(attacked, of_connection()) == []


async def test_headers_that_are_none_are_closed(attacked: House, quiet: None) -> None:
    assert await thrown(attacked, of_headers()) == []


async def test_messages_that_are_none_are_closed(attacked: House, quiet: None) -> None:
    assert await thrown(attacked, of_messages()) == []


async def test_streams_that_are_reset_without_end_end_nobody_elses(
    attacked: House, quiet: None
) -> None:
    flood, over = of_headers()["resets without end"], asyncio.Event()
    served: Counter[str] = Counter()

    async def look(service: str) -> None:
        while not over.is_set():
            assert await attacked.serves(service)
            served[service] += 1

    async with asyncio.TaskGroup() as tasks:
        for service in SERVICES:
            tasks.create_task(look(service))
        for service in SERVICES * ROUNDS:
            address = attacked.suite.services[service].address
            await asyncio.to_thread(said, address, flood)
        over.set()
    assert all(served[service] for service in SERVICES)


async def test_phones_that_come_and_are_cut_off_leave_nothing_behind(
    attacked: House, quiet: None
) -> None:
    await come_and_go(attacked, PHONES // 4)
    before = await attacked.settled("ingest", Held(2**31, 0, 1))
    came = await come_and_go(attacked, PHONES)
    assert came.welcomed == PHONES
    left = await attacked.settled("ingest", before)
    assert left.files <= before.files + 4
    assert left.calls <= before.calls
    assert left.resident_mb <= before.resident_mb + 20


async def log_all(attacked: House, told: Sequence[Injected]) -> list[pb.EventVerdict]:
    """What ingest says of each, told by a service: it may tell every kind."""
    stub, metadata = IngestServiceStub(attacked.channels["ingest"]), [bearer(CLI)]
    verdicts: list[pb.EventVerdict] = []
    for first in range(0, len(told), 200):
        events = [one.message for one in told[first : first + 200]]
        request = pb.LogEventsRequest(events=events)
        answer = await stub.LogEvents(request, metadata=metadata, timeout=60)
        verdicts += answer.verdicts
    return verdicts


async def test_text_in_an_event_is_refused_by_a_rule_or_kept_as_it_is(
    attacked: House, quiet: None
) -> None:
    await attacked.log().append(admitted("injected", random.Random("injected")))
    told = list(injected.events())
    verdicts = await log_all(attacked, told)
    kept = {
        one.envelope.event_id: Body.FromString(one.body)
        for one in await attacked.log().read_stream("injected")
    }
    stored = 0
    for one, verdict in zip(told, verdicts, strict=True):
        event = one.message
        if verdict.HasField("stored"):
            stored += 1
            assert kept[event.envelope.event_id] == event.body, one.field
        else:
            assert verdict.failure.violations, one.field
            assert CANARY not in str(verdict.failure), one.field
    assert 200 < stored < len(told)
    assert await attacked.caught_up() == []
    parked = await attacked.channels["projections"].unary_unary(PARKED)(b"", metadata=[bearer(CLI)])
    held = admin_pb.ListParkedResponse.FromString(parked).parked
    assert [one for one in held if one.patient_id == "injected"] == []


async def test_text_in_a_request_is_taken_or_refused_by_a_typed_error(
    attacked: House, quiet: None
) -> None:
    turn, wrong = asyncio.Semaphore(AT_ONCE), []

    async def ask(name: str, one: Injected) -> None:
        async with turn:
            who = caller(name, random.Random(name))
            told = one.message.SerializeToString()
            if what := await answered(attacked, name, told, who):
                wrong.append(f"{name} {one.field}: {what}")

    async with asyncio.TaskGroup() as tasks:
        for name, one in injected.requests():
            if name.rsplit("/", 1)[1] not in RARE:
                tasks.create_task(ask(name, one))
    assert wrong == []


@pytest.mark.parametrize("what", [name for name in TEXTS if name != "long"])
async def test_a_persons_name_comes_back_as_it_was_told(
    attacked: House, quiet: None, what: str
) -> None:
    stub, name = AccountServiceStub(attacked.channels["identity"]), TEXTS[what]
    metadata, account = [bearer(CLI)], f"named-{what.replace(' ', '-')}"
    profile = account_pb.Profile(given_name=name[:60], family_name=name[-60:])
    request = account_pb.CreateAccountRequest(
        account_id=account, clinic_id=CLINIC, role=ROLE_PATIENT, profile=profile
    )
    await stub.CreateAccount(request, metadata=metadata, timeout=20)
    asked = account_pb.GetAccountRequest(account_id=account)
    answer = await stub.GetAccount(asked, metadata=metadata, timeout=20)
    assert answer.account.profile == profile


async def test_nobody_but_services_is_heard_by_the_log(attacked: House, quiet: None) -> None:
    store = [name for name in METHODS if service_of(name) == "eventstore"]
    assert len(store) > 25
    allowed = []
    for name in store:
        for who in CALLERS:
            told = request_message(name, random.Random(name)).SerializeToString()
            code = await refused(attacked, name, told, [bearer(who)])
            if code is not grpc.StatusCode.PERMISSION_DENIED:
                allowed.append(f"{name} {who.role} {code}")
    assert allowed == []


async def refused(attacked: House, name: str, told: bytes, metadata: Any) -> grpc.StatusCode:
    """The code of the answer, OK for an answer."""
    channel = attacked.channels[service_of(name)]
    call: Any
    if METHODS[name].server_streaming:
        call = channel.unary_stream(name)(told, metadata=metadata, timeout=20)
        with contextlib.suppress(grpc.aio.AioRpcError):
            await call.read()
            call.cancel()
            return grpc.StatusCode.OK
    else:
        call = channel.unary_unary(name)(told, metadata=metadata, timeout=20)
        with contextlib.suppress(grpc.aio.AioRpcError):
            await call
    code: grpc.StatusCode = await call.code()
    return code


async def test_a_token_that_is_forged_in_any_way_is_believed_by_no_service(
    attacked: House, quiet: None
) -> None:
    sessions = SessionServiceStub(attacked.channels["identity"])
    tokens = (await _logged_in(attacked, "forger")).tokens
    jwks = await sessions.GetJwks(session_pb.GetJwksRequest(), timeout=20)
    good = tokens.access_token
    parts = (good, decoded(good, 0), decoded(good, 1), json.loads(jwks.jwks)["keys"][0])
    assert grpc.StatusCode.UNAUTHENTICATED not in await _codes(attacked, good)
    for kind, forge in FORGED.items():
        codes = await _codes(attacked, forge(*parts))
        assert codes == {grpc.StatusCode.UNAUTHENTICATED}, kind


async def test_a_refresh_token_that_is_replayed_ends_its_session_at_every_service(
    attacked: House, quiet: None
) -> None:
    sessions = SessionServiceStub(attacked.channels["identity"])
    first = (await _logged_in(attacked, "replayed")).tokens
    request = session_pb.RefreshSessionRequest(refresh_token=first.refresh_token)
    newest = (await sessions.RefreshSession(request, timeout=20)).tokens
    # a lost answer is given once more: whoever comes after that has stolen it, or was stolen from
    await sessions.RefreshSession(request, timeout=20)
    with pytest.raises(grpc.aio.AioRpcError) as stolen:
        await sessions.RefreshSession(request, timeout=20)
    assert stolen.value.code() is grpc.StatusCode.UNAUTHENTICATED
    async with asyncio.timeout(20):
        while await _codes(attacked, newest.access_token) != {grpc.StatusCode.UNAUTHENTICATED}:
            await asyncio.sleep(0.05)


async def _logged_in(attacked: House, name: str) -> session_pb.LogInResponse:
    """A patient of the clinic, new."""
    email, identity = f"{name}@example.org", attacked.channels["identity"]
    profile = account_pb.Profile(email=email)
    request = account_pb.CreateAccountRequest(
        account_id=name, clinic_id=CLINIC, role=ROLE_PATIENT, profile=profile, password=PASSWORD
    )
    await AccountServiceStub(identity).CreateAccount(request, metadata=[bearer(CLI)], timeout=20)
    asked = session_pb.LogInRequest(clinic_id=CLINIC, email=email, password=PASSWORD)
    return await SessionServiceStub(identity).LogIn(asked, timeout=20)


async def _codes(attacked: House, token: str) -> set[grpc.StatusCode]:
    """What a call to each service answers whoever shows this."""
    metadata = [("authorization", f"Bearer {token}")]
    told = {name: request_message(name, random.Random(1)) for name in ONE_OF_EACH}
    return {
        await refused(attacked, name, request.SerializeToString(), metadata)
        for name, request in told.items()
    }
