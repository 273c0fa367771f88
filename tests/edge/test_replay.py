"""Recorded sessions reach a real suite once each, whatever happens to the device and its link."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from rehab.events.v1.event_pb2 import Event
from rehab_edge.commands.replay import begin, perform
from rehab_edge.drift import Finding
from rehab_edge.journal import Journal
from rehab_edge.linking import Link, admitted_since
from rehab_edge.outbox import Outbox
from rehab_edge.recorded import Recorded, of_uiprmd
from rehab_edge.scribe import Scribe, Told
from rehab_sdk import events
from tests.edge.bodies import whole_bodies
from tests.sdk.clinic import Clinic
from tests.sdk.given import CLINIC
from tests.support.proxy import Proxy, proxy_to

pytestmark = pytest.mark.asyncio(loop_scope="module")
EDGE = str(Path(sys.executable).with_name("rehab-edge"))
SUBJECT = 91
NEVER = datetime(2001, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return whole_bodies(tmp_path_factory.mktemp("recordings"), subjects=(SUBJECT,))


def arguments(clinic: Clinic, ingest: str, home: Path, patient: str) -> list[str]:
    return [
        *("--home", str(home), "--patient", patient, "--clinic", CLINIC),
        *("--ingest", ingest, "--projections", clinic.projections),
    ]


async def begun(command: str, *words: str) -> Process:
    environment = {**os.environ, "PYTHONWARNINGS": "error"}
    return await asyncio.create_subprocess_exec(
        EDGE, command, *words, env=environment, stdout=PIPE, stderr=PIPE
    )


async def ended(process: Process, code: int = 0) -> str:
    said, wrong = await asyncio.wait_for(process.communicate(), 90)
    assert process.returncode == code, said.decode() + wrong.decode()
    return said.decode()


async def killed_when(process: Process, holds: Callable[[], bool]) -> bool:
    """SIGKILL, in the middle of it; whether it was not quicker."""
    while process.returncode is None and not holds():
        await asyncio.sleep(0.002)
    if process.returncode is None:
        process.send_signal(signal.SIGKILL)
    await process.communicate()
    return process.returncode == -signal.SIGKILL


def expected(home: Path, patient: str, recorded: list[Recorded]) -> list[Event]:
    """What the device has to tell, made here from the recordings and its journal alone."""
    link = Link(home, CLINIC, patient, f"consent-{patient}", "UTC", f"edge-{patient}", (), (), ())
    journal = Journal(link.home.remembered("sessions"))
    told: list[Event] = []
    for one in begin(journal, patient, recorded, NEVER):
        assert one.started_at.year > NEVER.year  # the device wrote it down
        perform(link, one, told.append, None, 0.0)
    return told


async def assert_all_there_once(
    clinic: Clinic, home: Path, patient: str, recordings: Path, *movements: str
) -> None:
    told = expected(home, patient, list(of_uiprmd(recordings, movements, SUBJECT)))
    stored = [
        one
        for one in await clinic.told(patient)
        if one.envelope.kind not in ("consent", "enrolment", "care_team")
    ]
    seen = [(one.envelope.event_id, one.envelope.kind) for one in stored]
    assert seen == [(one.envelope.event_id, one.envelope.kind) for one in told]
    reps = sum(len(event.body.rep_observation.reps) for event in told)
    async with clinic.phone(patient) as client:
        quality = await client.patients.quality(patient, max_wait_s=30)
    assert sum(one.reps for one in quality.exercises) == reps >= 8


def cutting(proxy: Proxy, every_bytes: int) -> asyncio.Task[None]:
    async def cut() -> None:
        while True:
            until = proxy.bytes_up + every_bytes
            while proxy.bytes_up < until:
                await asyncio.sleep(0.001)
            proxy.cut()

    return asyncio.create_task(cut())


@pytest.mark.timeout(180)
async def test_killed_again_and_again_over_a_link_that_is_cut_it_loses_and_doubles_nothing(
    suite: Clinic, recordings: Path, tmp_path: Path
) -> None:
    patient, chance = "killed", random.Random(5)
    async with proxy_to(suite.ingest) as proxy:
        replay = [
            *("--data", str(recordings), "--subject", str(SUBJECT), "--wait", "60"),
            *arguments(suite, proxy.address, tmp_path, patient),
        ]
        cut = cutting(proxy, every_bytes=6_000)
        spool = tmp_path / f"edge-{patient}" / "spool-wal"
        kills = 0
        for kill in range(6):
            process = await begun("replay", *replay)
            if kill % 2:
                upto = proxy.bytes_up + chance.randrange(1, 20_000)
                kills += await killed_when(process, lambda upto=upto: proxy.bytes_up >= upto)
            else:
                size = chance.randrange(4_000, 60_000)
                kills += await killed_when(
                    process, lambda size=size: spool.exists() and spool.stat().st_size >= size
                )
        said = await ended(await begun("replay", *replay))
        cut.cancel()
        assert proxy.cuts >= 3
        assert kills >= 3
    assert "wait for the next run" not in said
    await assert_all_there_once(suite, tmp_path, patient, recordings)


async def test_without_a_network_all_waits_on_the_disk_and_a_later_run_sends_it(
    suite: Clinic, recordings: Path, tmp_path: Path
) -> None:
    patient = "offline"
    async with proxy_to(suite.ingest) as proxy:
        proxy.close()
        where = arguments(suite, proxy.address, tmp_path, patient)
        replay = [*("--data", str(recordings), "--movement", "m01"), *where]
        replay += ["--network", "none", "--wait", "0.1"]
        said = await ended(await begun("replay", *replay), 1)
        assert "events wait for the next run" in said
        assert await suite.told(patient) == []
        proxy.reopen()
        await ended(await begun("outbox", *where, "--send", "60"))
    await assert_all_there_once(suite, tmp_path, patient, recordings, "m01")


async def test_a_recording_replayed_again_stores_nothing(
    suite: Clinic, recordings: Path, tmp_path: Path
) -> None:
    patient = "again"
    where = arguments(suite, suite.ingest, tmp_path, patient)
    replay = ["--data", str(recordings), "--movement", "m01", *where]
    await ended(await begun("replay", *replay))
    first = await suite.stored_ids(patient)
    await ended(await begun("replay", *replay))
    assert await suite.stored_ids(patient) == first
    await assert_all_there_once(suite, tmp_path, patient, recordings, "m01")
    assert "0 events wait" in await ended(
        await begun("outbox", *arguments(suite, suite.ingest, tmp_path, patient))
    )


async def test_drift_and_pain_are_taken_from_the_device_that_tells_them(
    suite: Clinic, tmp_path: Path
) -> None:
    patient, start = "drifting", datetime.now(UTC)
    at = (suite.ingest,), (suite.projections,), ()
    link = Link(tmp_path, CLINIC, patient, "consent-1", "UTC", "edge-1", *at)
    told = Told(patient, "session-1", "deep_squat", start)
    scribe = Scribe(link.context("camera"), told)
    drift = Finding("shake", "sensor", 0.4, 0.2, 0.001, (100,) * 6, (200, 0, 0, 0, 0, 0))
    pain = link.context("self_report").event(patient, events.pain(9, phase="during"))

    def tell() -> bool:
        connect = link.admitting(admitted_since(link.home, start))
        with Outbox.open(link.home, clinic_id=CLINIC, connect=connect) as outbox:
            for event in (scribe.started(), scribe.drifted(drift, "temporal", 1.0), pain):
                outbox.keep(event)
            return outbox.drained(60) and not outbox.refused()

    assert await asyncio.to_thread(tell)
    stored = await suite.told(patient)
    kinds = [one.envelope.kind for one in stored]
    assert kinds[-3:] == ["exercise_session", "model_drift", "pain_report"]
    assert stored[-2].envelope.actor.id == "edge-1"


async def test_nothing_goes_to_a_distant_clinic_in_the_clear(
    suite: Clinic, recordings: Path, tmp_path: Path
) -> None:
    replay = ["--data", str(recordings), *arguments(suite, "10.0.0.1:7101", tmp_path, "far")]
    process = await begun("replay", *replay)
    _, wrong = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 1
    assert "in the clear" in " ".join(wrong.decode().split())
