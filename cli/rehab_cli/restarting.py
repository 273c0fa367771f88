"""`rehab restart`: services of a running suite stop in good order and start anew, one by one."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from pathlib import Path
from typing import Annotated

import typer

from rehab_cli.addresses import SERVICES
from rehab_cli.commands import DataDir, run
from rehab_cli.console import out
from rehab_cli.errors import SuiteError
from rehab_cli.health import health
from rehab_cli.place import Note, Place, default_folder
from rehab_cli.supervisor import START_TIMEOUT_S, STOP_TIMEOUT_S

LOOK_S = 0.05

Names = Annotated[
    list[str] | None, typer.Argument(metavar="SERVICE...", help="Which; all without.")
]


def restart(services: Names = None, data: DataDir = None) -> None:
    """Restart services of the suite that runs, one after the other. Who streams, calls or watches
    by the SDK waits for a moment and loses nothing."""
    names = tuple(services or SERVICES)
    run(lambda: _restart(data or default_folder(), names))


async def _restart(folder: Path, names: tuple[str, ...]) -> int:
    unknown = ", ".join(name for name in names if name not in SERVICES)
    if unknown:
        raise SuiteError(f"there is no {unknown}; services are {', '.join(SERVICES)}")
    for name in names:
        began = time.monotonic()
        await _one(Place(folder), name)
        out.print(f"{name} is back after {time.monotonic() - began:.1f} s")
    return 0


async def _one(place: Place, name: str) -> None:
    before = _note(place).processes.get(name, 0)
    with contextlib.suppress(ProcessLookupError):  # it fell just now: it is started again
        os.kill(before, signal.SIGTERM)
    try:
        async with asyncio.timeout(STOP_TIMEOUT_S + START_TIMEOUT_S):
            while (note := _note(place)).processes.get(name, before) == before:
                await asyncio.sleep(LOOK_S)
            while await health(note.addresses.of(name)) != "serving":
                await asyncio.sleep(LOOK_S)
    except TimeoutError:
        raise SuiteError(f"{name} did not come back; see the lines of `rehab up`") from None


def _note(place: Place) -> Note:
    note = place.running()
    if note is None:
        raise SuiteError(f"no suite runs on {place.folder}; start one with: rehab up")
    return note
