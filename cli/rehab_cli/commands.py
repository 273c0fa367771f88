"""What every command shares: how it runs and ends, and how it finds a running suite."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Annotated, Any

import typer

from rehab_cli.addresses import PORT_BASE, Addresses
from rehab_cli.console import problem
from rehab_cli.credential import current
from rehab_cli.errors import SuiteError
from rehab_cli.place import Place, default_folder
from rehab_edge.errors import EdgeError
from rehab_sdk import RehabError

DataDir = Annotated[
    Path | None, typer.Option("--data", help="Folder of the suite's data; .rehab by default.")
]
PortBase = Annotated[
    int, typer.Option(min=0, max=65_000, help="First of the services' ports; 0 takes free ones.")
]
AskedPort = Annotated[
    int, typer.Option("--port-base", help="First port of the suite, instead of looking for it.")
]
External = Annotated[
    bool, typer.Option("--external", help="Use servers that run already, instead of our own.")
]
PostgresDsn = Annotated[
    str, typer.Option("--postgres", envvar="REHAB_POSTGRES_DSN", help="With --external.")
]
NatsUrl = Annotated[str, typer.Option("--nats", envvar="REHAB_NATS_URL", help="With --external.")]
ValkeyUrl = Annotated[
    str, typer.Option("--valkey", envvar="REHAB_VALKEY_URL", help="With --external.")
]
Shards = Annotated[
    int, typer.Option("--shards", min=0, max=64, help="Of a new log, for good; 0 for 1.")
]


def run(work: Callable[[], Coroutine[Any, Any, int]]) -> None:
    """Make the work, run it to its end, and exit with what it returns. Ctrl-C and SIGTERM end it
    in good order, once more at once. Their errors are told in one line."""
    try:
        code = asyncio.run(_stoppable(work()))
    except (SuiteError, EdgeError, RehabError) as error:
        problem(str(error))
        code = 1
    raise typer.Exit(code)


async def _stoppable(work: Coroutine[Any, Any, int]) -> int:
    task = asyncio.ensure_future(work)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, task.cancel)
    try:
        return await task
    except asyncio.CancelledError:
        return 0


def find(data: Path | None, port_base: int = 0) -> Addresses:
    """Where the suite answers: as told, as the one that runs on the folder left it, or as usual; a
    service whose own address was told, there."""
    if port_base:
        return Addresses.at(port_base)
    note = Place(data or default_folder()).running()
    return current().among(note.addresses if note is not None else Addresses.at(PORT_BASE))
