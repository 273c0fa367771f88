"""`rehab log read` and `tail`, `rehab projections lag` and `status`."""

from __future__ import annotations

from typing import Annotated

import typer

from rehab_cli import look
from rehab_cli.commands import AskedPort, DataDir, find, run

Kinds = Annotated[list[str] | None, typer.Option("--kind", help="Kinds wanted; all without.")]
Shard = Annotated[int, typer.Option(min=0, help="Shard of a log that has several.")]
AsJson = Annotated[bool, typer.Option("--json", help="A JSON object a line.")]
Bodies = Annotated[bool, typer.Option("--bodies", help="Open bodies, too: patient data.")]


def read(
    stream: Annotated[str, typer.Argument(help="One patient's stream; all without.")] = "",
    after: Annotated[int, typer.Option(min=0, help="Position; with STREAM its version.")] = 0,
    limit: Annotated[int, typer.Option(min=0, help="At most so many; 0 for all.")] = 50,
    kind: Kinds = None,
    until_version: Annotated[int, typer.Option(min=0, help="STREAM as of this version.")] = 0,
    as_of: Annotated[
        str, typer.Option(help="STREAM as it was recorded then: 2026-03-02T10:00:00+01:00.")
    ] = "",
    as_json: AsJson = False,
    bodies: Bodies = False,
    shard: Shard = 0,
    data: DataDir = None,
    port_base: AskedPort = 0,
) -> None:
    """Print events. Bodies stay closed unless asked for: they hold patient data."""
    kinds, then = tuple(kind or ()), look.AsOf(until_version, as_of)
    run(
        lambda: look.read(
            find(data, port_base),
            look.Wanted(stream, after, limit, kinds, as_json, bodies, shard, then),
        )
    )


def tail(
    stream: Annotated[str, typer.Argument(help="One patient's stream; all without.")] = "",
    after: Annotated[int, typer.Option(min=0, help="Position; only new events without.")] = 0,
    kind: Kinds = None,
    as_json: AsJson = False,
    bodies: Bodies = False,
    shard: Shard = 0,
    data: DataDir = None,
    port_base: AskedPort = 0,
) -> None:
    """Print events as they are committed, until Ctrl-C."""
    run(
        lambda: look.tail(
            find(data, port_base),
            look.Wanted(stream, after, 0, tuple(kind or ()), as_json, bodies, shard),
        )
    )


def lag(data: DataDir = None, port_base: AskedPort = 0) -> None:
    """How far the read models are behind the log."""
    run(lambda: look.lag(find(data, port_base)))


def status(data: DataDir = None, port_base: AskedPort = 0) -> None:
    """Where each projection stands."""
    run(lambda: look.status(find(data, port_base)))
