"""`rehab settings`: what each service can be told."""

from __future__ import annotations

import importlib
from typing import Annotated

import typer
from rich.table import Table

from rehab_cli.addresses import SERVICES
from rehab_cli.commands import run
from rehab_cli.console import out
from rehab_cli.errors import SuiteError
from rehab_runtime.settings import describe


def settings(
    service: Annotated[str, typer.Argument(help="One service; all without.")] = "",
) -> None:
    """What each service can be told by its environment."""
    run(lambda: show(service))


async def show(service: str) -> int:
    if service and service not in SERVICES:
        raise SuiteError(f"there is no service {service}; there are {', '.join(SERVICES)}")
    table = Table("variable", "type", "default", "meaning", box=None)
    for name in [service] if service else SERVICES:
        for row in describe(importlib.import_module(f"rehab_{name}.settings").Settings):
            table.add_row(row.variable, row.type, row.default, row.description)
    out.print(table)
    return 0
