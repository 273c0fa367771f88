"""`rehab-edge run` counts a session in front of it, and keeps what is somebody's."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from typer.testing import CliRunner

from rehab_edge.baselines import kept_baseline
from rehab_edge.exercises import exercise
from rehab_edge.main import app
from rehab_edge.outbox import Home
from tests.edge.bodies import whole_bodies
from tests.sdk.given import CONSENT
from tests.sdk.town import Town, town_of

EDGE = str(Path(sys.executable).with_name("rehab-edge"))


@pytest.fixture(scope="module")
def squats(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = whole_bodies(tmp_path_factory.mktemp("recordings"), subjects=(91, 92))
    return folder / "kinect" / "m01_correct.npz"


def called(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, words)
    return result.exit_code, result.output


def of(squats: Path, home: Path) -> list[str]:
    return [
        *("run", "--source", str(squats), "--subject", "91", "--exercise", "deep_squat"),
        *("--home", str(home)),
    ]


def test_a_session_without_a_patient_leaves_nothing_but_its_report(
    squats: Path, tmp_path: Path
) -> None:
    home, report = tmp_path / "home", tmp_path / "session.html"
    code, said = called(*of(squats, home), "--report", str(report))
    assert code == 0, said
    assert "4 repetitions" in said
    assert not home.exists()
    assert "deep squat" in report.read_text()


def test_what_is_wrong_is_told_in_one_line(squats: Path, tmp_path: Path) -> None:
    video = tmp_path / "walk.mp4"
    for words, expected in (
        (["--source", "none.npz", "--exercise", "m01"], "none.npz"),
        (["--source", str(squats), "--exercise", "m01"], "--subject (91, 92)"),
        (["--source", str(squats), "--exercise", "handstand"], "handstand"),
        (["--source", str(video), "--exercise", "m01"], "walk.mp4"),
        (["--source", "notes.docx", "--exercise", "m01"], "notes.docx"),
    ):
        code, said = called("run", *words, "--home", str(tmp_path / "home"))
        assert code == 1
        assert expected in " ".join(said.split())
        assert "Traceback" not in said


def test_a_run_that_is_killed_is_told_as_abandoned_by_the_next(
    squats: Path, tmp_path: Path
) -> None:
    words = [*of(squats, tmp_path), "--patient", "p1", "--ingest", "127.0.0.1:1"]
    words += ["--network", "none"]
    with subprocess.Popen([EDGE, *words, "--speed", "20"], stdout=subprocess.PIPE) as process:
        journal = tmp_path / "edge-p1" / "sessions"
        while not journal.exists() and process.poll() is None:
            pass
        process.send_signal(signal.SIGKILL)
        assert process.wait(30) == -signal.SIGKILL
    code, said = called(*words)
    assert code == 0, said
    code, said = called("outbox", "--home", str(tmp_path), "--patient", "p1")
    assert code == 0
    # of the killed: abandoned, and its start if it came to that; of the other: 4 repetitions,
    # start, set, end
    assert any(f"{count} events wait" in said for count in range(8, 13))


def test_three_watched_repetitions_are_what_later_ones_are_compared_with(
    squats: Path, tmp_path: Path
) -> None:
    nobodys = called(*of(squats, tmp_path), "--calibrate")
    assert (nobodys[0], "--patient" in nobodys[1]) == (1, True)
    words = [*of(squats, tmp_path), "--patient", "p1", "--network", "none"]
    code, said = called(*words, "--calibrate")
    assert code == 0, said
    home = Home(tmp_path, "edge-p1")
    kept = kept_baseline(home, exercise("m01"))
    assert kept is not None
    assert (kept.exercise, kept.repetitions) == ("m01", 3)
    assert kept_baseline(home, exercise("m05")) is None
    assert called(*words)[0] == 0  # and is used


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def town(
    postgres: Any, nats: Any, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Town]:
    key_file = tmp_path_factory.mktemp("identity") / "identity.key"
    async with town_of(postgres, nats.url, key_file) as made:
        yield made


async def process(*words: str) -> tuple[int | None, str]:
    pipe = asyncio.subprocess.PIPE
    started = await asyncio.create_subprocess_exec(EDGE, *words, stdout=pipe, stderr=pipe)
    said, wrong = await asyncio.wait_for(started.communicate(), 90)
    return started.returncode, said.decode() + wrong.decode()


@pytest.mark.asyncio(loop_scope="module")
async def test_an_enrolled_device_tells_its_patients_session_by_its_own_key(
    town: Town, squats: Path, tmp_path: Path
) -> None:
    patient = "patient-edge"
    await town.inhabitant(patient)
    at = ["--identity", town.identity, "--home", str(tmp_path)]
    code, said = await process("enrol", await town.code(patient), *at)
    assert code == 0, said
    assert (await process("enrol", "another", *at))[0] == 1
    where = ["--ingest", town.ingest, "--consent", CONSENT, "--identity", town.identity]
    code, said = await process(*of(squats, tmp_path), *where)
    assert code == 0, said
    kinds = [one.envelope.kind for one in await town.told(patient)]
    assert kinds[-7:] == ["exercise_session", *["rep_observation"] * 4, *["exercise_session"] * 2]
    code, said = await process(*of(squats, tmp_path), *where, "--patient", "somebody-else")
    assert (code, "another patient" in said) == (1, True)
    assert patient.encode() not in await asyncio.to_thread((tmp_path / "account").read_bytes)
