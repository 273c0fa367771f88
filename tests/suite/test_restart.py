"""A suite that runs brings back what falls, and restarts what it is asked to."""

from __future__ import annotations

import json
import os
import re
import signal
from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from rehab_cli.addresses import SERVICES
from rehab_sdk import Rehab, dev_token, events
from tests.suite.test_commands import REHAB, rehab
from tests.suite.test_troubles import Program, program
from tests.support.ports import low_ports


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def suite(folder: Path) -> Iterator[Program]:
    command = (REHAB, "up", "--data", str(folder), "--port-base", str(low_ports()))
    with program(*command) as up:
        up.until("ready after")
        yield up


def processes(folder: Path) -> dict[str, int]:
    told: dict[str, int] = json.loads((folder / "suite.json").read_text())["processes"]
    return {name: told[name] for name in SERVICES}


def therapist(folder: Path) -> AbstractContextManager[Rehab]:
    addresses = json.loads((folder / "suite.json").read_text())["addresses"]
    return Rehab.connect(
        ingest=addresses["ingest"],
        projections=addresses["projections"],
        token=dev_token("therapist", "clinic-1", "therapist-1"),
        consent_id="consent-1",
        zone="Europe/Berlin",
    )


def test_a_service_that_is_killed_comes_back_by_itself(folder: Path, suite: Program) -> None:
    for name, pid in processes(folder).items():
        os.kill(pid, signal.SIGKILL)
        suite.until(name, "fell (killed by SIGKILL)")
        suite.until(name, "is back after")
        assert processes(folder)[name] != pid
    with therapist(folder) as client:
        agreed = events.consent_granted("consent-1", valid_from=datetime.now(UTC))
        assert client.log(client.event("patient-1", agreed)).position


def test_services_are_restarted_in_good_order_when_asked(folder: Path, suite: Program) -> None:
    before = processes(folder)
    said = rehab("restart", data=folder)
    assert said.returncode == 0, said.stdout + said.stderr
    assert re.findall(r"^(\w+) is back after", said.stdout, re.MULTILINE) == list(SERVICES)
    after = processes(folder)
    assert all(after[name] != before[name] for name in SERVICES)
    assert not any(re.search(r"\bfell\b", line) for line in suite.lines)
    said = rehab("restart", "ingest", data=folder)
    assert said.returncode == 0, said.stdout + said.stderr
    now = processes(folder)
    assert [name for name in SERVICES if now[name] != after[name]] == ["ingest"]


def test_what_cannot_be_restarted_is_told_in_one_line(tmp_path: Path) -> None:
    unknown = rehab("restart", "gateway", data=tmp_path)
    assert unknown.returncode == 1
    assert "there is no gateway; services are eventstore," in unknown.stderr + unknown.stdout
    absent = rehab("restart", data=tmp_path)
    assert absent.returncode == 1
    assert "start one with: rehab up" in absent.stderr + absent.stdout
