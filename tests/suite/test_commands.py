"""The commands a person types beside a suite that runs."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

REHAB = str(Path(sys.executable).with_name("rehab"))


def rehab(*words: str, data: Path) -> subprocess.CompletedProcess[str]:
    command = [REHAB, *words, "--data", str(data)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of a suite that `rehab up` runs, on ports of its own, with a clinic in it."""
    folder = tmp_path_factory.mktemp("suite")
    command = [REHAB, "up", "--data", str(folder), "--port-base", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as up:
        assert up.stdout is not None
        said = [next(up.stdout)]
        while not said[-1].startswith("ready after"):
            said.append(next(up.stdout))
        seeded = rehab("seed", "--patients", "3", "--days", "7", data=folder)
        assert seeded.returncode == 0, seeded.stdout + seeded.stderr
        yield folder
        up.send_signal(signal.SIGINT)
        assert up.wait(30) == 0


def test_the_doctor_finds_nothing_wrong(data: Path) -> None:
    seen = rehab("doctor", data=data)
    assert seen.returncode == 0, seen.stdout
    assert "✗" not in seen.stdout
    for about in ("PostgreSQL", "NATS", "Valkey", "eventstore", "ingest", "projections", "log"):
        assert f"✓ {about}" in seen.stdout


def test_the_doctor_says_how_to_start_what_is_absent(tmp_path: Path) -> None:
    seen = rehab("doctor", "--port-base", "1", data=tmp_path)
    assert seen.returncode == 1
    assert f"start it with: rehab up --data {tmp_path}" in seen.stdout
    assert "✗ eventstore" in seen.stdout


def test_a_clinic_seeded_twice_is_another_clinic(data: Path) -> None:
    again = rehab("seed", "--patients", "3", "--days", "1", data=data)
    assert again.returncode == 0, again.stdout + again.stderr
    assert "lives here already" in again.stdout


def test_the_log_is_read_in_order_with_bodies_closed(data: Path) -> None:
    read = rehab("log", "read", "--limit", "20", "--json", data=data)
    events = [json.loads(line) for line in read.stdout.splitlines()]
    assert [event["envelope"]["position"] for event in events] == list(range(1, 21))
    assert all("body" not in event for event in events)


def test_bodies_are_opened_when_asked_for(data: Path) -> None:
    read = rehab("log", "read", "--kind", "plan", "--limit", "1", "--json", "--bodies", data=data)
    (event,) = (json.loads(line) for line in read.stdout.splitlines())
    assert event["body"]["plan"]["plan_id"]


def test_a_kind_that_there_is_none_of_is_told_in_one_line(data: Path) -> None:
    read = rehab("log", "read", "--kind", "telepathy", data=data)
    assert read.returncode == 1
    assert "there is no kind telepathy" in read.stderr


def test_status_and_lag_tell_where_the_read_models_are(data: Path) -> None:
    assert "read_models" in rehab("projections", "status", data=data).stdout
    assert "0 events" in rehab("projections", "lag", data=data).stdout


def test_a_second_suite_on_the_same_folder_is_refused(data: Path) -> None:
    second = rehab("up", "--port-base", "0", data=data)
    assert second.returncode == 1
    assert "is in use by another run" in second.stderr


def test_external_servers_that_are_not_told_are_all_named(tmp_path: Path) -> None:
    alone = rehab("up", "--external", "--port-base", "0", data=tmp_path)
    assert alone.returncode == 1
    assert "REHAB_POSTGRES_DSN (--postgres) and REHAB_NATS_URL (--nats)" in alone.stderr


def test_servers_of_others_are_used_when_told(data: Path, tmp_path: Path) -> None:
    note = json.loads((data / "suite.json").read_text())
    told = ("--postgres", note["postgres_dsn"], "--nats", "nats://127.0.0.1:1")
    up = rehab("up", "--external", "--port-base", "0", *told, data=tmp_path)
    assert up.returncode == 1
    assert "NATS at 127.0.0.1:1 does not answer" in up.stderr
