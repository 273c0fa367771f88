"""Clients with credentials log in, stay logged in, and lose nothing when tokens run out."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rehab.projections.v1.projections_service_pb2 import GetAdherenceResponse
from rehab_sdk import (
    ApiKey,
    AsyncRehab,
    FileTokenStore,
    MemoryTokenStore,
    Password,
    RefreshToken,
    Rehab,
    enrol_device,
    errors,
    events,
)
from rehab_sdk.credentials import Credentials, new_key
from rehab_sdk.events import Actor
from rehab_sdk.testing import FakeRehab
from rehab_sdk.testing.accounts import Who, denied
from tests.sdk.clinic import OPTIONS, pains
from tests.sdk.given import CLINIC, CONSENT

PASSWORD = Password(CLINIC, "ann@example.org", "correct horse")
PATIENT = "patient-1"


@pytest.fixture
def fake() -> AsyncIterator[FakeRehab]:
    with FakeRehab() as made:
        made.add_account(
            CLINIC, PASSWORD.email, PASSWORD.password, principal_id=PATIENT, role="patient"
        )
        yield made


def phone(
    fake: FakeRehab, token: Credentials, **more: Any
) -> AbstractAsyncContextManager[AsyncRehab]:
    settings = {
        "actor": Actor(PATIENT, "patient"),
        "clinic_id": CLINIC,
        "device_id": "phone-1",
        "consent_id": CONSENT,
        "zone": "Europe/Berlin",
        "options": OPTIONS,
        **more,
    }
    return AsyncRehab.connect(**fake.addresses, token=token, **settings)


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not holds():
            await asyncio.sleep(0.005)


async def test_a_password_lets_a_client_in(fake: FakeRehab) -> None:
    async with phone(fake, PASSWORD) as client:
        await client.log(*pains(client, PATIENT, 1))
        await client.lag()
    assert (len(fake.events), fake.accounts.logins) == (1, 1)


async def test_a_wrong_password_is_refused_and_not_tried_again(fake: FakeRehab) -> None:
    wrong = replace(PASSWORD, password="battery staple")
    tried = 0
    log_in = fake.accounts.log_in

    def counted(*shown: str) -> Any:
        nonlocal tried
        tried += 1
        return log_in(*shown)

    fake.accounts.log_in = counted  # type: ignore[method-assign]
    async with phone(fake, wrong) as client:
        with pytest.raises(errors.Unauthenticated):
            await client.lag()
        with pytest.raises(errors.NotAcknowledged) as lost:
            async with client.stream() as stream:
                await stream.send(*pains(client, PATIENT, 1))
        assert isinstance(lost.value.__cause__, errors.Unauthenticated)
    assert tried == 2


async def test_many_calls_at_once_log_in_once_and_refresh_once(fake: FakeRehab) -> None:
    async with phone(fake, PASSWORD) as client:
        await asyncio.gather(*(client.lag() for _ in range(50)))
        assert (fake.accounts.logins, fake.accounts.refreshes) == (1, 0)
        fake.expire_tokens()
        await asyncio.gather(*(client.lag() for _ in range(50)))
        assert (fake.accounts.logins, fake.accounts.refreshes) == (1, 1)


async def test_an_access_token_is_renewed_ahead_of_its_end(fake: FakeRehab) -> None:
    fake.set_token_life(1.5)
    refused = 0
    caller = fake.accounts.caller

    def counted(authorization: str) -> Who:
        nonlocal refused
        try:
            return caller(authorization)
        except Exception:
            refused += 1
            raise

    fake.accounts.caller = counted  # type: ignore[method-assign]
    async with phone(fake, PASSWORD) as client:
        while fake.accounts.refreshes < 2:
            await client.lag()
    assert (fake.accounts.logins, refused) == (1, 0)


async def test_a_token_is_renewed_while_nobody_calls(fake: FakeRehab) -> None:
    fake.set_token_life(1.0)
    async with phone(fake, PASSWORD) as client:
        await client.lag()
        await until(lambda: fake.accounts.refreshes >= 2)


async def test_a_server_that_refuses_new_tokens_as_well_is_not_asked_for_ever(
    fake: FakeRehab,
) -> None:
    asked = 0

    def nobody(authorization: str) -> Who:
        nonlocal asked
        asked += 1
        raise fake_denial()

    fake.accounts.caller = nobody  # type: ignore[method-assign]
    async with phone(fake, PASSWORD) as client:
        with pytest.raises(errors.Unauthenticated):
            await client.lag()
        assert asked == 2
        with pytest.raises(errors.NotAcknowledged):
            async with client.stream() as stream:
                await stream.send(*pains(client, PATIENT, 1))
        # gRPC may tell a stream that is refused while it is written to that it broke: one more try
        assert 6 <= asked <= 8
        before = asked
        with pytest.raises(errors.Unauthenticated):
            async with client.watch(client.patients.adherence, PATIENT) as answers:
                await anext(answers)
        assert asked == before + 4


def fake_denial() -> Exception:
    return denied()


async def test_a_stream_goes_on_with_new_tokens_and_loses_nothing(fake: FakeRehab) -> None:
    async with phone(fake, PASSWORD) as client, client.stream() as stream:
        told = pains(client, PATIENT, 300)
        for number, event in enumerate(told):
            await stream.send(event)
            if number % 50 == 49 and number < 299:
                await stream.flush()
                fake.expire_tokens() if number < 200 else fake.end_sessions()
    assert [event.envelope.event_id for event in fake.events] == [
        event.envelope.event_id for event in told
    ]
    assert fake.streams >= 5
    assert (fake.accounts.logins, fake.accounts.refreshes) == (2, 4)


async def test_a_watch_goes_on_with_new_tokens(fake: FakeRehab) -> None:
    started: list[int] = []
    async with (
        phone(fake, PASSWORD) as client,
        client.watch(client.patients.adherence, PATIENT) as answers,
    ):
        async for answer in answers:
            started.append(answer.started)
            if len(started) == 5:
                break
            fake.expire_tokens() if len(started) < 4 else fake.end_sessions()
            fake.answer("GetAdherence", GetAdherenceResponse(started=len(started)))
    assert started == [0, 1, 2, 3, 4]
    assert (fake.accounts.logins, fake.accounts.refreshes) == (2, 3)


async def test_a_watch_of_somebody_unknown_ends(fake: FakeRehab) -> None:
    wrong = replace(PASSWORD, password="battery staple")
    async with (
        phone(fake, wrong) as client,
        client.watch(client.patients.adherence, PATIENT) as answers,
    ):
        with pytest.raises(errors.Unauthenticated):
            await anext(answers)


async def test_a_session_begun_while_identity_is_away_is_sent_once_it_answers(
    fake: FakeRehab,
) -> None:
    async with phone(fake, PASSWORD) as client:
        with fake.offline():
            session = client.session(patient=PATIENT, exercise="squat")
            begun = await session.__aenter__()
            await begun.rep(score=80)
        await session.__aexit__(None, None, None)
    assert len(fake.events) == 3


async def test_the_newest_refresh_token_outlives_the_program(
    fake: FakeRehab, tmp_path: Path
) -> None:
    kept = tmp_path / "session"
    for _ in range(3):
        async with phone(fake, PASSWORD, token_store=FileTokenStore(kept)) as client:
            await client.lag()
            fake.expire_tokens()
            await client.lag()
        assert kept.stat().st_mode & 0o777 == 0o600
    assert fake.accounts.logins == 1
    assert os.listdir(tmp_path) == ["session"]


async def test_a_session_that_was_ended_is_begun_anew(fake: FakeRehab) -> None:
    store = MemoryTokenStore()
    async with phone(fake, PASSWORD, token_store=store) as client:
        await client.lag()
        fake.end_sessions()
        await client.lag()
    assert fake.accounts.logins == 2


async def test_a_refresh_token_alone_lets_in_until_its_session_is_ended(fake: FakeRehab) -> None:
    given = fake.accounts.log_in(CLINIC, PASSWORD.email, PASSWORD.password).refresh_token
    store = MemoryTokenStore()
    async with phone(fake, RefreshToken(given), token_store=store) as client:
        await client.lag()
        fake.expire_tokens()
        await client.lag()
    async with phone(fake, RefreshToken(given), token_store=store) as client:
        await client.lag()
        fake.end_sessions()
        with pytest.raises(errors.Unauthenticated):
            await client.lag()


async def test_an_enrolled_device_logs_in_with_its_key(fake: FakeRehab) -> None:
    code = fake.enrolment_code(CLINIC, PATIENT)
    key = await enrol_device(code, identity=fake.addresses["identity"], model="Phone 1")
    assert (key.clinic_id, key.patient_id) == (CLINIC, PATIENT)
    with pytest.raises(errors.Unauthenticated):
        await enrol_device(code, identity=fake.addresses["identity"])
    async with AsyncRehab.connect(
        **fake.addresses, token=key, consent_id=CONSENT, zone="Europe/Berlin"
    ) as client:
        await client.log(client.event(PATIENT, events.pain(3, phase="post")))
        fake.end_sessions()  # each log-in makes a statement of its own
        await client.log(client.event(PATIENT, events.pain(4, phase="post")))
    assert fake.accounts.logins == 2
    assert {event.envelope.device_id for event in fake.events} == {key.device_id}


async def test_a_device_with_another_key_stays_out(fake: FakeRehab) -> None:
    code = fake.enrolment_code(CLINIC, PATIENT)
    key = await enrol_device(code, identity=fake.addresses["identity"])
    async with phone(fake, replace(key, key=new_key()[0])) as client:
        with pytest.raises(errors.Unauthenticated):
            await client.lag()


async def test_a_function_that_gives_tokens_is_asked_for_another_one_once(
    fake: FakeRehab,
) -> None:
    given = iter(["worn out", fake.add_api_key(CLINIC, principal_id=PATIENT, role="patient")])
    now = [next(given)]

    def token() -> str:
        return now[0]

    refused = fake.accounts.caller

    def caller(authorization: str) -> Who:
        now[0] = next(given, now[0])
        return refused(authorization)

    fake.accounts.caller = caller  # type: ignore[method-assign]
    async with phone(fake, token) as client:  # type: ignore[arg-type]
        await client.log(*pains(client, PATIENT, 1))
    assert fake.calls == {"LogEvent": 2}


async def test_an_api_key_is_shown_as_it_is(fake: FakeRehab) -> None:
    key = fake.add_api_key(CLINIC, principal_id=PATIENT, role="patient")
    async with phone(fake, ApiKey(key)) as client:
        await client.log(*pains(client, PATIENT, 1))
    assert len(fake.events) == 1


def test_programs_without_an_event_loop_log_in_as_well(fake: FakeRehab) -> None:
    with Rehab.connect(
        **fake.addresses,
        token=PASSWORD,
        actor=Actor(PATIENT, "patient"),
        device_id="phone-1",
        consent_id=CONSENT,
        zone="Europe/Berlin",
    ) as client:
        with client.session(patient=PATIENT, exercise="squat") as session:
            session.rep(score=70)
            fake.expire_tokens()
            session.rep(score=71)
        client.lag()
    assert len(fake.events) == 4


def test_programs_without_an_event_loop_enrol_as_well(fake: FakeRehab) -> None:
    code = fake.enrolment_code(CLINIC, PATIENT)
    key = Rehab.enrol_device(code, identity=fake.addresses["identity"])
    with Rehab.connect(**fake.addresses, token=key) as client:
        client.lag()
    assert fake.accounts.logins == 1


async def test_a_refresh_token_used_twice_ends_its_session_the_third_time(
    fake: FakeRehab,
) -> None:
    first = fake.accounts.log_in(CLINIC, PASSWORD.email, PASSWORD.password).refresh_token
    fake.accounts.refresh(first)
    newest = fake.accounts.refresh(first).refresh_token
    for stolen in (first, newest):
        with pytest.raises(type(fake_denial())):
            fake.accounts.refresh(stolen)
