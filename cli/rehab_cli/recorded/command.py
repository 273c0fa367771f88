"""`rehab replay`: recorded human movement into a suite that runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rehab_cli.commands import AskedPort, DataDir, find, run
from rehab_cli.recorded import replay as replaying


def replay(
    recordings: Annotated[Path, typer.Argument(help="The folder that holds kinect/m01_….npz.")],
    movement: Annotated[
        list[str] | None, typer.Option("--movement", help="Such as m01; all without.")
    ] = None,
    subject: Annotated[int | None, typer.Option(min=1, help="One subject; all without.")] = None,
    data: DataDir = None,
    port_base: AskedPort = 0,
) -> None:
    """Recorded repetitions of real people (UI-PRMD) into a suite that runs, and what it says."""
    run(
        lambda: replaying.replay(
            find(data, port_base), recordings, movements=movement or (), subject=subject
        )
    )
