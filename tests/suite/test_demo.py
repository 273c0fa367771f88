"""The simulated clinic, lived through the whole suite as processes."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

from tests.support.ports import low_ports

REHAB = str(Path(sys.executable).with_name("rehab"))


def demo(*options: str) -> subprocess.CompletedProcess[str]:
    command = [REHAB, "demo", "--once", "--patients", "6", *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)


def test_what_happened_in_the_clinic_is_stored_and_projected(tmp_path: Path) -> None:
    result = demo("--port-base", str(low_ports()), "--data", str(tmp_path))
    assert result.returncode == 0, result.stdout + result.stderr
    assert "sent = stored = projected" in result.stdout


def test_a_port_in_use_is_told_in_one_line(tmp_path: Path) -> None:
    with socket.socket() as taken:
        port = low_ports()
        taken.bind(("127.0.0.1", port))
        taken.listen()
        result = demo("--port-base", str(port), "--data", str(tmp_path))
    assert result.returncode == 1
    assert result.stderr.count("\n") == 1
    assert f"port {port} is already in use" in result.stderr
    assert "--port-base" in result.stderr


def test_a_log_of_several_shards_is_folded_whole_and_keeps_its_shards(tmp_path: Path) -> None:
    place = ("--port-base", str(low_ports()), "--data", str(tmp_path))
    for told in (("--shards", "3"), ()):
        result = demo(*place, *told)
        assert result.returncode == 0, result.stdout + result.stderr
        assert "sent = stored = projected" in result.stdout
    result = demo(*place, "--shards", "2")
    assert result.returncode == 1
    assert "the log has 3 shards and is told to have 2" in result.stderr
