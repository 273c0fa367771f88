"""`rehab demo` and `rehab seed`."""

from __future__ import annotations

import contextlib
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from rehab_cli import showing
from rehab_cli.addresses import PORT_BASE
from rehab_cli.commands import AskedPort, DataDir, PortBase, Shards, find, run

Patients = Annotated[int, typer.Option(min=1, max=1000, help="Patients of the clinic.")]
Therapists = Annotated[int, typer.Option(min=1, max=100, help="Their therapists.")]
Seed = Annotated[int, typer.Option(help="The same seed lives the same weeks.")]


def demo(
    patients: Patients = 40,
    therapists: Therapists = 3,
    seed: Seed = 1,
    speed: Annotated[
        float, typer.Option(min=1, help="Seconds of the clinic in one of ours.")
    ] = 20_000,
    once: Annotated[
        bool, typer.Option("--once", help="Four weeks at full speed, checked.")
    ] = False,
    shards: Shards = 0,
    data: DataDir = None,
    port_base: PortBase = PORT_BASE,
) -> None:
    """The suite with a simulated clinic in it. Without --data it leaves nothing behind."""
    with contextlib.ExitStack() as stack:
        passing = tempfile.TemporaryDirectory(prefix="rehab-", ignore_cleanup_errors=True)
        folder = data or Path(stack.enter_context(passing))
        run(
            lambda: showing.demo(
                folder,
                port_base,
                patients=patients,
                therapists=therapists,
                seed=seed,
                speed=None if once else speed,
                shards=shards,
            )
        )


def seed(
    patients: Patients = 40,
    therapists: Therapists = 3,
    seed: Seed = 1,
    days: Annotated[int, typer.Option(min=1, max=3650, help="Days that end now.")] = 28,
    data: DataDir = None,
    port_base: AskedPort = 0,
) -> None:
    """Weeks of a simulated clinic into a suite that runs, checked."""
    run(
        lambda: showing.seed(
            find(data, port_base), patients=patients, therapists=therapists, seed=seed, days=days
        )
    )
