"""Every program in the README runs, in the order of the page."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from rehab_sdk.testing import FakeRehab
from tests.sdk.clinic import Clinic
from tests.sdk.test_examples import ROOT, run

pytestmark = pytest.mark.asyncio(loop_scope="module")
README = (ROOT / "sdk" / "README.md").read_text()
PROGRAMS = {
    found[1]: program
    for program in re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
    for found in [re.search(r"^(?:async )?def (\w+)", program, flags=re.MULTILINE)]
    if found is not None
}


@pytest.fixture
def fake() -> Iterator[FakeRehab]:
    with FakeRehab() as made:
        yield made


async def said_by(suite: Clinic, name: str, then: str = "") -> str:
    here = PROGRAMS[name].replace("127.0.0.1:7101", suite.ingest)
    here = here.replace("127.0.0.1:7102", suite.projections)
    return await run(suite, "-c", f"{here}\nimport asyncio\n{then}")


async def test_what_is_prescribed_and_streamed_is_read(suite: Clinic) -> None:
    assert await said_by(suite, "prescribe", "print(asyncio.run(prescribe()))") == "[True, True]\n"
    assert "sessions: 1" in await said_by(suite, "main")
    assert await said_by(suite, "watch", "asyncio.run(watch(1))") == "1 sessions\n"


async def test_a_device_enrols(
    suite: Clinic, fake: FakeRehab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code = fake.enrolment_code("clinic-1", "patient-1")
    then = f"print(asyncio.run(enrol({code!r}, **{fake.addresses})))"
    device_id = (await said_by(suite, "enrol", then)).strip()
    assert [event.envelope.device_id for event in fake.events] == [device_id]
    assert os.listdir(tmp_path) == ["session.json"]


async def test_a_session_is_held_offline_and_sent_by_the_next(
    suite: Clinic, fake: FakeRehab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    call = f"print(exercise(bytes(32), **{fake.addresses}))"
    with fake.offline():
        assert await said_by(suite, "exercise", call) == "4\n"
    assert await said_by(suite, "exercise", call) == "0\n"
    assert len(fake.events) == 8


async def test_a_test_of_a_users_program_runs(suite: Clinic) -> None:
    name = "test_a_session_survives_a_bad_day"
    assert await said_by(suite, name, f"{name}()\nprint('passed')") == "passed\n"


async def test_no_program_in_the_readme_is_left_out() -> None:
    ran = {"main", "prescribe", "watch", "enrol", "exercise", "test_a_session_survives_a_bad_day"}
    assert set(PROGRAMS) == ran
    assert len(PROGRAMS) == README.count("```python\n")
