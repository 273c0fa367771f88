"""The `rehab` command. Each command is thin; what it does lives in a module of its own."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import signal
import sys
import tempfile
import time
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.live import Live
from rich.table import Table

from rehab_cli import look, screens
from rehab_cli.demo import Demo
from rehab_cli.suite import PORT_BASE, SERVICES, Addresses, Suite, SuiteError, write_state
from rehab_runtime.settings import describe
from rehab_sdk import RehabError

app = typer.Typer(
    no_args_is_help=True, add_completion=False, help="Run RehabTrack and look inside."
)
log_app = typer.Typer(no_args_is_help=True, help="Read the log.")
projections_app = typer.Typer(no_args_is_help=True, help="The read models.")
app.add_typer(log_app, name="log")
app.add_typer(projections_app, name="projections")
console = Console(highlight=False)
REFRESH_S = 0.5
PLAIN_S = 5.0
DAYS = 28

DataDir = Annotated[Path | None, typer.Option("--data", help="Folder of the servers' data.")]
PortBase = Annotated[int, typer.Option(help="First of the services' ports.")]


def say(service: str, line: str) -> None:
    print(f"{service:<12} {line}", file=sys.stderr, flush=True)


def _run(work: Coroutine[Any, Any, int]) -> None:
    """Run to the end; Ctrl-C and SIGTERM stop everything cleanly."""

    async def stoppable() -> int:
        task = asyncio.ensure_future(work)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, task.cancel)
        try:
            return await task
        except asyncio.CancelledError:
            return 0

    try:
        code = asyncio.run(stoppable())
    except (SuiteError, RehabError) as error:
        console.print(f"[red]{error}", soft_wrap=True)
        code = 1
    raise typer.Exit(code)


@app.command()
def up(data: DataDir = None, port_base: PortBase = PORT_BASE) -> None:
    """Run PostgreSQL, NATS, Valkey and every service until Ctrl-C."""
    _run(_up(data or Path(".rehab"), port_base))


async def _up(data: Path, port_base: int) -> int:
    began = time.monotonic()
    async with Suite(data, port_base, say) as suite:
        write_state(data, suite.addresses)
        console.print(
            f"ready after {time.monotonic() - began:.1f} s, data in {data}; Ctrl-C stops all"
        )
        for name in SERVICES:
            console.print(f"  {name:<12} {getattr(suite.addresses, name)}")
        await asyncio.Event().wait()
    return 0


@app.command()
def demo(
    patients: int = 40,
    therapists: int = 3,
    seed: int = 1,
    speed: Annotated[float, typer.Option(help="Seconds of the clinic in one of ours.")] = 20_000,
    once: Annotated[
        bool, typer.Option("--once", help="Four weeks at full speed, checked.")
    ] = False,
    data: DataDir = None,
    port_base: PortBase = PORT_BASE,
) -> None:
    """The suite with a simulated clinic in it."""
    with contextlib.ExitStack() as stack:
        folder = data or Path(
            stack.enter_context(
                tempfile.TemporaryDirectory(prefix="rehab-", ignore_cleanup_errors=True)
            )
        )
        _run(_demo(folder, port_base, patients, therapists, seed, None if once else speed))


async def _demo(
    data: Path, port_base: int, count: int, therapists: int, seed: int, speed: float | None
) -> int:
    async with Suite(data, port_base, say) as suite:
        clinic = Demo(
            suite.addresses, count=count, therapists=therapists, seed=seed, days=DAYS, speed=speed
        )
        watching = asyncio.create_task(_watch(clinic, for_ever=speed is not None))
        try:
            await clinic.run()
            if speed is not None:
                console.print("the clinic has reached the present; Ctrl-C ends the demo")
                await watching
            return await _check(clinic)
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)


async def _watch(clinic: Demo, *, for_ever: bool) -> None:
    """Show the figures: a live table in a terminal, a line now and then elsewhere."""
    async with clinic.desk() as desk:
        with (
            Live(console=console, transient=not for_ever)
            if console.is_terminal
            else contextlib.nullcontext() as live
        ):
            while True:
                with contextlib.suppress(RehabError):
                    lag = (await desk.lag()).projections[0]
                    if live is None:
                        line = "; ".join(
                            f"{name} {value}" for name, value in screens.figures(clinic, lag)
                        )
                        console.print(line, soft_wrap=True)
                    else:
                        queue = list(await desk.work_queue.list())
                        live.update(screens.overview(clinic, lag, queue))
                await asyncio.sleep(PLAIN_S if live is None else REFRESH_S)


async def _check(clinic: Demo) -> int:
    """Compare the read models with what happened, and print the summary."""
    seconds = time.monotonic() - clinic.progress.began
    lag = await clinic.projected()
    stored = await clinic.stored()
    happened = sum(expected.events for expected in clinic.expected.values())
    differences = await clinic.differences()
    progress = clinic.progress
    table = Table(show_header=False, box=None)
    for name, value in (
        ("patients", len(clinic.expected)),
        ("events that happened", happened),
        ("sent", progress.sent),
        ("acknowledged", progress.acked),
        ("stored", stored),
        ("projected", lag.position),
        ("differences in read models", len(differences)),
        ("time", f"{seconds:.1f} s, {progress.acked / seconds:,.0f} events/s"),
        ("ack p50 / p99", f"{progress.quantile(0.5):.1f} / {progress.quantile(0.99):.1f} ms"),
    ):
        table.add_row(name, f"{value:,}" if isinstance(value, int) else value)
    console.print(table)
    for one in differences[:20]:
        console.print(f"[red]{one.patient}: {one.figure} is {one.read}, not {one.expected}")
    same = {happened, progress.sent, progress.acked, stored, lag.position}
    good = len(same) == 1 and not differences
    console.print("[green]sent = stored = projected" if good else "[red]the figures differ")
    return 0 if good else 1


@app.command()
def settings(
    service: Annotated[str, typer.Argument(help="One service; all when left out.")] = "",
) -> None:
    """What each service can be told by its environment."""
    if service and service not in SERVICES:
        console.print(f"[red]no service {service}; there are {', '.join(SERVICES)}")
        raise typer.Exit(2)
    table = Table("variable", "type", "default", "meaning", box=None)
    for name in [service] if service else SERVICES:
        for row in describe(importlib.import_module(f"rehab_{name}.settings").Settings):
            table.add_row(row.variable, row.type, row.default, row.description)
    console.print(table)


@log_app.command("read")
def log_read(
    stream: Annotated[
        str, typer.Argument(help="One patient's stream; the whole log when left out.")
    ] = "",
    after: Annotated[
        int, typer.Option(help="Position, or version of the stream, to begin after.")
    ] = 0,
    limit: int = 50,
    kind: Annotated[list[str] | None, typer.Option(help="Kinds wanted.")] = None,
    port_base: PortBase = PORT_BASE,
) -> None:
    """Print envelopes. Bodies stay closed: they hold patient data."""
    _run(look.read(Addresses.at(port_base), stream, after, limit, kind or []))


@log_app.command("tail")
def log_tail(port_base: PortBase = PORT_BASE) -> None:
    """Print envelopes as they are committed, until Ctrl-C."""
    _run(look.tail(Addresses.at(port_base)))


@projections_app.command("lag")
def projections_lag(port_base: PortBase = PORT_BASE) -> None:
    """How far the read models are behind the log."""
    _run(look.lag(Addresses.at(port_base)))


@projections_app.command("status")
def projections_status(port_base: PortBase = PORT_BASE) -> None:
    """Where each projection stands."""
    _run(look.lag(Addresses.at(port_base)))
