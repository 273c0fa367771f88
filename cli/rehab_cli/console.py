"""What the command prints: results to standard output, what others say to standard error."""

from __future__ import annotations

import sys

from rich.console import Console
from rich.text import Text

WIDE = 240
"""Columns of a table that a program reads, or a file: nothing is cut off."""

out = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else WIDE)
err = Console(highlight=False, soft_wrap=True, stderr=True)

COLOURS = {
    "eventstore": "cyan",
    "ingest": "green",
    "projections": "magenta",
    "identity": "yellow",
    "policy": "red",
    "emr": "bright_magenta",
    "PostgreSQL": "blue",
    "NATS": "blue",
    "Valkey": "blue",
}


def say(who: str, line: str) -> None:
    """A line of a service or server, with its name in its colour."""
    err.print(Text.assemble((f"{who:<12}", COLOURS.get(who, "yellow")), line))


def problem(line: str) -> None:
    err.print(Text(line, "bold red"))
