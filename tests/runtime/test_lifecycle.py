"""A service's life as the system sees it: exit codes, signals, and one clear line."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

SERVICE = """
import asyncio, sys
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pydantic import Field
from pydantic_settings import SettingsConfigDict
from rehab_runtime import lifecycle
from rehab_runtime.lifecycle import Background
from rehab_runtime.settings import ServiceSettings
from rehab_runtime.startup import StartupError

class Settings(ServiceSettings):
    model_config = SettingsConfigDict(env_prefix="SAMPLE_")
    how: str = Field(description="what to do")

@dataclass
class Running:
    address: str
    background: Background
    peers_address: str = ""

async def work(how):
    await asyncio.sleep(0.05 if how == "fall" else 60)
    raise ValueError("Ada Lovelace")

@asynccontextmanager
async def running(settings):
    if settings.how == "refuse":
        raise StartupError("the sky is down", "put it up again")
    async with Background() as background:
        background.start(work(settings.how), "work")
        try:
            yield Running("127.0.0.1:1", background)
        finally:
            print("drained", flush=True)

sys.exit(lifecycle.run("sample", Settings, running))
"""


def started(tmp_path: Path, **told: str) -> subprocess.Popen[str]:
    script = tmp_path / "service.py"
    script.write_text(SERVICE)
    environment = {"SAMPLE_METRICS_LISTEN": "", "PATH": "/usr/bin:/bin", **told}
    return subprocess.Popen(
        [sys.executable, str(script)],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_wrong_settings_end_it_with_2_and_one_message(tmp_path: Path) -> None:
    with started(tmp_path, SAMPLE_DRAIN_S="-1") as service:
        _, said = service.communicate(timeout=30)
    assert service.returncode == 2
    assert said.startswith("sample: these settings are missing or wrong:")
    assert "SAMPLE_HOW: is missing" in said
    assert "SAMPLE_DRAIN_S" in said


def test_what_forbids_a_start_is_one_line_with_what_to_do(tmp_path: Path) -> None:
    with started(tmp_path, SAMPLE_HOW="refuse") as service:
        _, said = service.communicate(timeout=30)
    assert service.returncode == 1
    (line,) = said.splitlines()
    assert "the sky is down" in line
    assert "put it up again" in line


def test_a_part_that_falls_takes_the_service_with_it_in_good_order(tmp_path: Path) -> None:
    with started(tmp_path, SAMPLE_HOW="fall") as service:
        out, said = service.communicate(timeout=30)
    assert service.returncode == 1
    assert "drained" in out
    (line,) = [json.loads(one) for one in said.splitlines() if one.startswith("{")]
    assert (line["event"], line["error_type"]) == ("a part of the service fell", "ValueError")
    assert "Ada" not in out + said


def test_a_signal_ends_it_with_0_after_it_has_drained(tmp_path: Path) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        with started(tmp_path, SAMPLE_HOW="wait") as service:
            assert service.stdout is not None
            ready = json.loads(service.stdout.readline())
            assert (ready["event"], ready["service"]) == ("ready", "sample")
            assert ready["pid"] == service.pid
            service.send_signal(number)
            out, said = service.communicate(timeout=30)
        assert service.returncode == 0
        assert out == "drained\n"
        assert "Traceback" not in said
