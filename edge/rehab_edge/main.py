"""The `rehab-edge` command. Each command is thin and lives in `commands/`."""

from __future__ import annotations

import typer

from rehab_edge.commands import bench, enrol, models, outbox, replay, run

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="Count, measure and score exercises on the device.",
)


@app.callback()
def rehab_edge() -> None:
    """Count, measure and score exercises on the device."""


app.command()(run.run)
app.command()(replay.replay)
app.command()(outbox.outbox)
app.command()(enrol.enrol)
app.command()(models.models)
app.command()(bench.bench)
