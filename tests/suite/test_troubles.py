"""What goes wrong around a service is told in one clear line that says what to do."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from rehab_runtime.embedded import Nats, free_port
from rehab_sdk import Rehab, dev_token, events
from rehab_sdk.errors import RehabError
from tests.support.ports import low_ports

REHAB = str(Path(sys.executable).with_name("rehab"))
STARTS_WITHIN_S = 120.0


class Program:
    """A program of ours with what it says, line by line, as it says it."""

    def __init__(self, *command: str, **environment: str) -> None:
        told = {name: value for name, value in os.environ.items() if "EVENTSTORE_" not in name}
        self.process = subprocess.Popen(
            command,
            env={**told, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.lines: list[str] = []
        self._said = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with self._said:
                self.lines.append(line.rstrip())
                self._said.notify_all()

    def until(self, *words: str) -> str:
        """The first line with all these words in it."""
        deadline = time.monotonic() + STARTS_WITHIN_S
        with self._said:
            while True:
                for line in self.lines:
                    if all(word in line for word in words):
                        return line
                assert time.monotonic() < deadline, "\n".join(self.lines)
                self._said.wait(0.1)

    def ended(self) -> int:
        """Its exit code, when all that it said has been read."""
        code = self.process.wait(STARTS_WITHIN_S)
        self._reader.join()
        return code

    def stop(self) -> None:
        with self.process:
            if self.process.poll() is None:
                self.process.send_signal(signal.SIGINT)
                try:
                    self.process.wait(30)
                except subprocess.TimeoutExpired:
                    self.process.kill()
                    raise
            self._reader.join()


@contextmanager
def program(*command: str, **environment: str) -> Iterator[Program]:
    made = Program(*command, **environment)
    try:
        yield made
    finally:
        made.stop()


def eventstore(**told: str) -> contextlib.AbstractContextManager[Program]:
    settings = {f"EVENTSTORE_{name.upper()}": value for name, value in told.items()}
    return program(sys.executable, "-m", "rehab_eventstore", **settings)


def test_all_wrong_settings_are_named_in_one_message() -> None:
    with eventstore(max_batch_events="many", keys="shoebox", poll_ms="-1") as service:
        assert service.ended() == 2
    said = "\n".join(service.lines)
    for variable in ("POSTGRES_DSN", "NATS_URL", "MAX_BATCH_EVENTS", "KEYS", "POLL_MS"):
        assert f"EVENTSTORE_{variable}" in said
    assert "Traceback" not in said


def test_a_secret_that_is_wrong_is_not_repeated() -> None:
    with eventstore(postgres_dsn="postgresql://rehab:hunter2@", nats_url="", shards="0") as service:
        assert service.ended() != 0
    assert "hunter2" not in "\n".join(service.lines)


def test_a_service_whose_port_is_taken_says_which_and_what_to_do(
    database_dsn: str, nats: Nats, tmp_path: Path
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with eventstore(
            postgres_dsn=database_dsn,
            nats_url=nats.url,
            key_file=str(tmp_path / "keys.json"),
            listen=f"127.0.0.1:{port}",
        ) as service:
            assert service.ended() == 1
    (line,) = [line for line in service.lines if line.startswith("eventstore:")]
    assert f"cannot listen on 127.0.0.1:{port}: the port is in use" in line
    assert "EVENTSTORE_LISTEN" in line


def test_a_suite_whose_port_is_taken_says_which_and_what_to_do(tmp_path: Path) -> None:
    base = low_ports()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", base + 1))
        taken.listen()
        command = (REHAB, "up", "--data", str(tmp_path), "--port-base", str(base))
        with program(*command) as suite:
            assert suite.ended() == 1
    (line,) = suite.lines
    assert line.startswith(f"port {base + 1} is already in use; stop the program that uses it")


def test_a_service_without_postgresql_says_where_it_looked(nats: Nats, tmp_path: Path) -> None:
    absent = f"postgresql://rehab:secret@127.0.0.1:{free_port()}/eventstore"
    with eventstore(
        postgres_dsn=absent, nats_url=nats.url, key_file=str(tmp_path / "keys.json")
    ) as service:
        assert service.ended() == 1
    (line,) = [line for line in service.lines if line.startswith("eventstore:")]
    assert "PostgreSQL" in line
    assert "secret" not in line
    assert "Traceback" not in "\n".join(service.lines)


async def test_a_service_without_nats_runs_says_so_once_and_publishes_when_it_comes(
    database_dsn: str, tmp_path: Path
) -> None:
    port = free_port()
    with eventstore(
        postgres_dsn=database_dsn,
        nats_url=f"nats://127.0.0.1:{port}",
        key_file=str(tmp_path / "keys.json"),
        listen="127.0.0.1:0",
        metrics_listen="",
        log_json="false",
    ) as service:
        service.until('"event": "ready"')
        warning = service.until("events are not published")
        assert "start NATS with JetStream, or check EVENTSTORE_NATS_URL" in warning
        async with Nats(tmp_path / "nats", port):
            service.until("the message broker takes events again")
    told = [line for line in service.lines if "events are not published" in line]
    assert len(told) == 1
    assert "Traceback" not in "\n".join(service.lines)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 450 MB, on which PostgreSQL and a suite just find room."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=450m", "tmpfs", str(folder)]
    if subprocess.run(mount, check=False, capture_output=True).returncode != 0:
        pytest.skip("only who may mount a file system can fill one")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(folder: Path) -> Path:
    """Leave not a byte."""
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            size = file.write(b"\\0" * 1_000_000)
            if size < 1_000_000:
                break
    return ballast


@pytest.mark.timeout(300)
def test_a_full_disk_is_told_loses_nothing_and_is_recovered_from(small_disk: Path) -> None:
    data = small_disk / "data"
    with ExitStack() as stack:
        command = (REHAB, "up", "--data", str(data), "--port-base", str(low_ports()))
        suite = stack.enter_context(program(*command))
        suite.until("ready after")
        addresses = json.loads((data / "suite.json").read_text())["addresses"]
        client = stack.enter_context(
            Rehab.connect(
                ingest=addresses["ingest"],
                token=dev_token("patient", "clinic-1", "patient-1"),
                device_id="phone-1",
                consent_id="consent-1",
                zone="Europe/Berlin",
            )
        )
        stored: list[int] = []

        def log() -> None:
            stored.append(
                client.log(client.event("patient-1", events.pain(4, phase="post"))).position
            )

        agreed = events.consent_granted("consent-1", valid_from=datetime.now(UTC))
        stored.append(client.log(client.event("patient-1", agreed)).position)
        for _ in range(20):
            log()
        ballast = fill(small_disk)
        refused = None
        deadline = time.monotonic() + 60
        while refused is None and time.monotonic() < deadline:
            try:
                log()
            except RehabError as error:
                refused = error
        assert refused is not None
        line = suite.until("appends are refused")
        assert "free its disk" in line
        ballast.unlink()
        deadline = time.monotonic() + 60
        before = len(stored)
        while len(stored) == before:
            assert time.monotonic() < deadline
            with contextlib.suppress(RehabError):
                log()
        read = subprocess.run(
            [REHAB, "log", "read", "patient-1", "--limit", "0", "--json", "--data", str(data)],
            capture_output=True,
            text=True,
            check=True,
        )
        told = {json.loads(one)["envelope"]["position"] for one in read.stdout.splitlines()}
        assert set(stored) <= told
