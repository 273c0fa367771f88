"""Event stores from the package index, in an environment of their own: what their users get."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from uv import find_uv_bin

from bench.measure import Measure, Rate
from rehab_runtime.embedded import answers, free_port

HERE = Path(__file__).parent
ENVIRONMENT = HERE.parents[1] / ".venv-bench"
START_S = 10.0


def environment() -> Path:
    """The Python that has the rivals; made when it is missing or the pins have changed."""
    python, stamp = ENVIRONMENT / "bin" / "python", ENVIRONMENT / "requirements.txt"
    pins = (HERE / "requirements.txt").read_text()
    if not stamp.exists() or stamp.read_text() != pins:
        uv, base = find_uv_bin(), getattr(sys, "_base_executable", sys.executable)
        for command in (
            [uv, "venv", "--quiet", "--clear", "--python", base, str(ENVIRONMENT)],
            [
                uv,
                "pip",
                "install",
                "--quiet",
                "--python",
                str(python),
                "-r",
                str(HERE / "requirements.txt"),
            ],
        ):
            subprocess.run(command, check=True)
        stamp.write_text(pins)
    return python


def driven(name: str, place: str, threads: int, seconds: float, size: int) -> Measure:
    async def run() -> Rate:
        program = (ENVIRONMENT / "bin" / "python", HERE / "drive.py")
        return await _told(seconds, *program, name, place, threads, seconds, size)

    return run


@asynccontextmanager
async def umadb_server(folder: Path) -> AsyncIterator[str]:
    """Its own server, from the wheel, with its defaults. Yields its address."""
    port = free_port()
    os.makedirs(folder)
    process = await asyncio.create_subprocess_exec(
        *(str(ENVIRONMENT / "bin" / "umadb"), "--listen", f"127.0.0.1:{port}"),
        *("--db-path", str(folder / "uma.db")),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(START_S):
            while not await answers(port):
                await asyncio.sleep(0.05)
        yield f"127.0.0.1:{port}"
    finally:
        process.terminate()
        await process.wait()


@asynccontextmanager
async def plain_server(dsn: str, callers: int, seconds: float) -> AsyncIterator[Measure]:
    """What a team writes first, on a PostgreSQL of ours. Yields how fast it is."""
    port, python = free_port(), str(ENVIRONMENT / "bin" / "python")
    program = str(HERE / "plain.py")
    process = await asyncio.create_subprocess_exec(python, program, "serve", str(port), dsn)

    async def run() -> Rate:
        return await _told(seconds, python, program, "drive", port, callers, seconds)

    try:
        async with asyncio.timeout(START_S):
            while not await answers(port):
                await asyncio.sleep(0.05)
        yield run
    finally:
        process.terminate()
        await process.wait()


async def _told(seconds: float, *command: object) -> Rate:
    """What a program prints that measures so long."""
    process = await asyncio.create_subprocess_exec(
        *map(str, command), stdout=asyncio.subprocess.PIPE
    )
    try:
        out, _ = await asyncio.wait_for(process.communicate(), seconds + 30)
    except TimeoutError:
        process.kill()
        raise
    return Rate(**json.loads(out))
