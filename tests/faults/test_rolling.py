"""Every service is restarted under its users' hands: they see latency and no error.

FAULT_ROLLS raises the number of times that the whole suite is rolled.
"""

from __future__ import annotations

import asyncio
import os
import uuid
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from pathlib import Path
from signal import SIGKILL, SIGTERM, Signals
from typing import Any

import pytest

from rehab_sdk import AsyncRehab, Options, dev_token
from rehab_sdk.events import Actor
from tests.faults.users import Users, at_work, pain_reports, town
from tests.sdk.given import CLINIC, CONSENT
from tests.support.fleet import ORDER, Fleet, fleet

ROLLS = int(os.environ.get("FAULT_ROLLS", "1"))
DEADLINE_S = 60.0
"""Of the users' calls: a machine with other work to do takes its time to start a service."""
TIMEOUT_S = 120 + 90 * ROLLS
LIFE_S = "10"
"""Of an access token: shorter than a test."""

Client = AbstractAsyncContextManager[AsyncRehab]


@pytest.mark.timeout(TIMEOUT_S)
async def test_restarting_the_only_replica_of_every_service_shows_no_error_and_loses_nothing(
    tmp_path: Path,
) -> None:
    async with fleet(tmp_path, replicas=1, access_token_s=LIFE_S) as living:
        await rolled(living, [(SIGTERM,), (SIGKILL,)])


@pytest.mark.timeout(2 * TIMEOUT_S)
async def test_restarting_each_of_two_replicas_shows_no_error_and_loses_nothing(
    tmp_path: Path,
) -> None:
    """One goes in good order, the other is killed; in every second roll the other way round."""
    async with fleet(tmp_path, replicas=2, access_token_s=LIFE_S) as living:
        await rolled(living, [(SIGTERM, SIGKILL), (SIGKILL, SIGTERM)][: min(ROLLS, 2)])


async def rolled(living: Fleet, ways: Sequence[Sequence[Signals]]) -> None:
    """Users of every kind at work, while each service is restarted in each of these ways."""
    ready = town(living)
    streaming, logging, moving = (f"patient-{uuid.uuid4().hex[:8]}" for _ in range(3))
    passwords = {one: await ready.inhabitant(one) for one in (streaming, logging, moving)}
    key = await ready.device(streaming)
    users = Users()
    async with AsyncExitStack() as stack:

        def client(patient: str, token: Any = None, device_id: str = "phone-1") -> Client:
            return connected(living, patient, token or passwords[patient], device_id)

        device = await stack.enter_async_context(client(streaming, key, key.device_id))
        phone = await stack.enter_async_context(client(moving, device_id=f"phone-of-{moving}"))
        plain = await stack.enter_async_context(client(logging))
        token = dev_token("therapist", CLINIC, "therapist-1")
        therapist = await stack.enter_async_context(client("", token))
        watching = asyncio.create_task(users.watch(phone, moving))
        async with at_work(
            users.stream(device, streaming),
            users.log(plain, logging),
            users.read(therapist, logging),
            users.exercise(phone, moving),
            users.enter(lambda: client(logging), logging),
        ):
            for _ in range(ROLLS):
                for by in ways:
                    await living.roll(*ORDER, by=by)
            users.stop.set()
        await told_in_the_end(users, phone, moving, watching)
    assert await pain_reports(living, streaming) == users.streamed
    assert await pain_reports(living, logging) == users.logged
    assert all(users.steps[who] for who in ("stream", "log", "read", "exercise", "enter", "watch"))
    print(f"steps {users.steps}, slowest {users.slowest}")  # noqa: T201


def connected(living: Fleet, patient: str, token: Any, device_id: str) -> Client:
    who = {"actor": Actor(patient, "patient"), "clinic_id": CLINIC} if patient else {}
    return AsyncRehab.connect(
        **living.connects,
        token=token,
        device_id=device_id if patient else "",
        consent_id=CONSENT,
        zone="Europe/Berlin",
        options=Options(deadline_s=DEADLINE_S),
        **who,
    )


async def told_in_the_end(
    users: Users, phone: AsyncRehab, patient: str, watching: asyncio.Task[None]
) -> None:
    """The watch goes on and tells all that was done."""
    done = (await phone.patients.adherence(patient, days=7)).sessions
    assert done == users.steps["exercise"]
    async with asyncio.timeout(DEADLINE_S):
        seen = asyncio.create_task(users.until_seen(done))
        await asyncio.wait([watching, seen], return_when=asyncio.FIRST_COMPLETED)
    assert not watching.done(), watching.exception()
    watching.cancel()
