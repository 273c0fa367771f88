"""Every example runs against real servers."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from pathlib import Path

import pytest

from rehab_sdk import events
from tests.sdk.clinic import Clinic, admit
from tests.sdk.given import CONSENT
from tests.sdk.town import Town

pytestmark = pytest.mark.asyncio(loop_scope="module")
ROOT = Path(__file__).parents[2]
OWN = Path(__file__).read_text()


async def start(suite: Clinic, *arguments: str) -> asyncio.subprocess.Process:
    addresses = {"REHAB_INGEST": suite.ingest, "REHAB_PROJECTIONS": suite.projections}
    if isinstance(suite, Town):
        addresses |= {"REHAB_IDENTITY": suite.identity, "REHAB_CONSENT": CONSENT}
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-W",
        "error",
        *arguments,
        env={**os.environ, **addresses, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def run(suite: Clinic, *arguments: str) -> str:
    process = await start(suite, *arguments)
    out, err = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0, err.decode()
    return out.decode()


def example(name: str) -> str:
    return str(ROOT / "examples" / name)


async def test_reps_are_streamed_and_read(suite: Clinic, patient: str) -> None:
    said = await run(suite, example("stream_reps.py"), patient)
    assert re.fullmatch(r"durable up to position \d+\n", said)
    said = await run(suite, example("read_adherence.py"), patient)
    assert "squat: 20 reps" in said
    assert "completed, 20 reps" in said


async def test_rejects_are_handled(suite: Clinic, patient: str) -> None:
    said = await run(suite, example("handle_rejects.py"), patient)
    assert "refused: body.rep_observation.reps[0].score breaks" in said
    assert "1 event refused" in said
    kinds = [event.envelope.kind for event in await suite.stored(patient)]
    assert kinds.count("quarantine") == 1
    assert len(kinds) == 7


async def test_the_work_queue_is_watched(suite: Clinic, patient: str) -> None:
    await admit(suite, patient)
    watcher = await start(suite, example("watch_work_queue.py"), "1")
    assert watcher.stdout is not None
    async for line in watcher.stdout:
        if line.startswith(b"---"):
            break
    async with suite.phone(patient) as client:
        await client.log(client.event(patient, events.fall()))
    out, err = await asyncio.wait_for(watcher.communicate(), 60)
    assert watcher.returncode == 0, err.decode()
    assert out.decode() == f"{patient}: fall\n"


async def test_a_patient_is_watched(suite: Clinic, patient: str) -> None:
    position = await admit(suite, patient)
    async with suite.therapist() as client:
        await client.patients.adherence(patient, min_position=position)
    watcher = await start(suite, example("watch_patient.py"), patient, "2")
    assert watcher.stdout is not None
    assert await watcher.stdout.readline() == b"0 sessions, 0 of 0 started\n"
    async with suite.phone(patient) as client, client.session(patient=patient):
        pass
    out, err = await asyncio.wait_for(watcher.communicate(), 60)
    assert watcher.returncode == 0, err.decode()
    assert out.decode() == "1 sessions, 0 of 0 started\n"


async def test_a_device_enrols_and_streams_on_in_later_runs(
    town: Town, patient: str, tmp_path: Path
) -> None:
    await town.inhabitant(patient)
    command = (example("enrolled_device.py"), str(tmp_path / "phone"))
    said = (await run(town, *command, await town.code(patient), "--seconds", "0.3")).split()
    said += (await run(town, *command, "--seconds", "0.3")).split()
    ids = [word for word in said if word not in ("all", "acknowledged")]
    told = [one for one in await town.told(patient) if one.envelope.kind == "pain_report"]
    assert [one.envelope.event_id for one in told] == ids
    assert len(ids) > 1


async def test_every_example_is_run_here() -> None:
    names = {path.name for path in (ROOT / "examples").glob("*.py")}
    assert names
    assert all(f'"{name}"' in OWN for name in names)
