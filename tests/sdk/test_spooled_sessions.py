"""With a spool a session needs no server: what it said is on disk, and sent when there is one."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sys
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rehab_sdk import Acked, AsyncRehab, Rehab, dev_token, errors, events
from rehab_sdk.events import Actor
from rehab_sdk.spool import Limits, SpoolError
from rehab_sdk.testing import FakeRehab
from tests.sdk.clinic import OPTIONS, Clinic, pains
from tests.sdk.given import CLINIC, CONSENT
from tests.support.proxy import proxy_to

PATIENT = "patient-1"
KEY = bytes(range(32))
AWAY = replace(OPTIONS, stream=replace(OPTIONS.stream, spooled_flush_timeout_s=0.05))


@pytest.fixture
def fake() -> Iterator[FakeRehab]:
    with FakeRehab() as made:
        yield made


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "spool"


def settings(path: Path, **more: Any) -> dict[str, Any]:
    return {
        "token": dev_token("patient", CLINIC, PATIENT),
        "device_id": "phone-1",
        "consent_id": CONSENT,
        "zone": "Europe/Berlin",
        "spool": path,
        "options": AWAY,
        **more,
    }


def phone(fake: FakeRehab, path: Path, **more: Any) -> AbstractAsyncContextManager[AsyncRehab]:
    return AsyncRehab.connect(**fake.addresses, **settings(path, **more))


def kinds(fake: FakeRehab) -> list[str]:
    return [event.envelope.kind for event in fake.events]


async def test_a_session_without_a_server_is_sent_by_the_next_run(
    fake: FakeRehab, path: Path
) -> None:
    with fake.offline():
        async with phone(fake, path, spool_key=KEY) as client:
            async with client.session(patient=PATIENT, exercise="squat") as session:
                for score in (70, 80):
                    await session.rep(score=score)
                await session.pain(9, phase="post")
            assert client.waiting == 5
    assert fake.events == []
    async with phone(fake, path, spool_key=KEY) as client:
        await client.drained(20)
        assert client.waiting == 0
    assert kinds(fake) == [
        "exercise_session",
        "rep_observation",
        "rep_observation",
        "pain_report",
        "exercise_session",
    ]


async def test_events_are_sent_in_the_background_between_sessions(
    fake: FakeRehab, path: Path
) -> None:
    async with phone(fake, path) as client:
        with fake.offline():
            async with client.session(patient=PATIENT, exercise="squat") as session:
                await session.rep(score=80)
        await client.drained(20)
        assert len(fake.events) == 3
        async with client.session(patient=PATIENT, exercise="squat") as session:
            receipt = await session.rep(score=80)
        assert isinstance(await receipt, Acked)
    assert len(fake.events) == 6


async def test_a_spool_in_which_nothing_waits_opens_no_stream(fake: FakeRehab, path: Path) -> None:
    async with phone(fake, path) as client:
        await client.drained(20)
        await client.lag()
        async with client.stream() as stream:
            await stream.send(*pains(client, PATIENT, 1))
        await client.lag()
    assert fake.calls == {"GetLag": 2, "StreamObservations": 1}


def test_a_program_without_an_event_loop_has_a_spool_as_well(fake: FakeRehab, path: Path) -> None:
    with fake.offline(), Rehab.connect(**fake.addresses, **settings(path)) as client:
        with client.session(patient=PATIENT, exercise="squat") as session:
            session.rep(score=80)
        assert client.waiting == 3
    with Rehab.connect(**fake.addresses, **settings(path)) as client:
        client.drained(20)
    assert len(fake.events) == 3


async def test_what_a_full_spool_lets_go_is_told_to_who_sent_it(
    fake: FakeRehab, path: Path
) -> None:
    with fake.offline():
        limited = phone(fake, path, spool_limits=Limits(events=3))
        async with limited as client, client.stream() as stream:
            told = [client.event(PATIENT, events.pain(n, phase="post")) for n in (1, 9, 2, 3)]
            receipts = [await stream.send(event) for event in told]
            with pytest.raises(errors.Dropped) as dropped:
                await receipts[0]
            assert [one.event for one in stream.dropped] == [told[0]]
            assert dropped.value.metadata["why"] == "room"
            assert stream.unacknowledged() == told[1:]
    async with phone(fake, path) as client:
        await client.drained(20)
    assert [e.body.pain_report.nprs for e in fake.events] == [9, 2, 3]


async def test_while_there_is_a_server_a_full_spool_waits_instead_of_letting_go(
    fake: FakeRehab, path: Path
) -> None:
    fake.set_window(4)
    fake.delay_s = 0.002
    limited = phone(fake, path, spool_limits=Limits(events=3))
    async with limited as client, client.stream() as stream:
        await (await stream.send(*pains(client, PATIENT, 1)))
        receipts = [await stream.send(event) for event in pains(client, PATIENT, 100)]
        verdicts = [await receipt for receipt in receipts]
        assert stream.dropped == ()
    assert all(isinstance(verdict, Acked) for verdict in verdicts)
    assert len(fake.events) == 101


async def test_refused_events_stand_in_the_spool_until_somebody_looked(
    fake: FakeRehab, path: Path
) -> None:
    fake.reject(kind="pain_report", times=1)
    async with phone(fake, path) as client, client.stream() as stream:
        for event in (told := pains(client, PATIENT, 3)):
            await stream.send(event)
        await stream.flush()
        assert [one.event for one in stream.rejected] == told[:1]
        assert client.spool is not None
        assert [one.event for one in client.spool.refused()] == told[:1]
    assert len(fake.events) == 2


async def test_a_spool_is_one_devices(fake: FakeRehab, path: Path) -> None:
    async with phone(fake, path):
        pass
    with pytest.raises(SpoolError):
        async with phone(fake, path, device_id="phone-2"):
            pass
    with pytest.raises(errors.Invalid):
        async with phone(fake, path, device_id="", token=dev_token("patient", CLINIC, PATIENT)):
            pass


async def test_a_stream_that_cannot_go_on_leaves_the_spool_for_the_next(
    fake: FakeRehab, path: Path
) -> None:
    with fake.offline():
        async with phone(fake, path) as client, client.stream() as stream:
            await stream.send(*pains(client, PATIENT, 1))
    nobody = phone(fake, path, token="nobody's", clinic_id=CLINIC, actor=Actor(PATIENT, "patient"))
    with pytest.raises(errors.NotAcknowledged) as left:  # noqa: PT012
        async with nobody as client, client.stream() as stream:
            await stream.send(*pains(client, PATIENT, 1))
            with pytest.raises(errors.Unauthenticated):
                await client.drained(20)
    assert isinstance(left.value.__cause__, errors.Unauthenticated)
    async with phone(fake, path) as client:
        await client.drained(20)
    assert len(fake.events) == 2


async def test_a_spool_restored_from_a_copy_doubles_nothing_and_goes_on(
    fake: FakeRehab, path: Path
) -> None:
    copy = path.with_name("copy")
    with fake.offline():
        async with phone(fake, path) as client, client.stream() as stream:
            for event in pains(client, PATIENT, 5):
                await stream.send(event)
    shutil.copy(path, copy)
    for _ in range(2):  # the second time the server knows more numbers than the spool
        async with phone(fake, path) as client, client.stream() as stream:
            for event in pains(client, PATIENT, 10):
                await stream.send(event)
        shutil.copy(copy, path)
    async with phone(fake, path) as client:
        await client.drained(20)
    stored = [event.envelope.event_id for event in fake.events]
    assert len(stored) == len(set(stored)) == 25


KILLED = """
import os, signal, sys
from rehab_sdk import Rehab, dev_token
with Rehab.connect(
    ingest="127.0.0.1:1", spool=sys.argv[1], token=dev_token("patient", "clinic-1", sys.argv[2]),
    device_id=f"phone-of-{sys.argv[2]}", consent_id="consent-1", zone="Europe/Berlin",
) as client:
    session = client.session(patient=sys.argv[2], exercise="squat")
    with session as told:
        for _ in range(200):
            told.rep(score=80)
        print(*(told.rep(score=81).event_id for _ in range(3)), flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.asyncio(loop_scope="module")
async def test_a_killed_programs_events_reach_the_log_once_each_over_a_link_that_is_cut(
    suite: Clinic, patient: str, path: Path
) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", KILLED, str(path), patient),
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    said, wrong = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == -signal.SIGKILL, wrong.decode()
    async with proxy_to(suite.ingest) as proxy:
        for _ in range(3):
            async with suite.phone(patient, ingest=proxy.address, spool=path) as client:
                proxy.cut()
        async with suite.phone(patient, ingest=proxy.address, spool=path) as client:
            await client.drained(30)
    stored = await suite.stored(patient)
    assert len(stored) == len({event.envelope.event_id for event in stored}) == 204
    assert [event.envelope.event_id for event in stored[-3:]] == said.decode().split()
