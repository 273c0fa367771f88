"""The `rehab-edge` command. Each command is thin and lives in `commands/`."""

from __future__ import annotations

import typer

from rehab_edge.commands import bench, models

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="Count, measure and score exercises on the device.",
)


@app.callback()
def rehab_edge() -> None:
    """Count, measure and score exercises on the device."""


app.command()(bench.bench)
app.command()(models.models)
