"""`rehab certs`: the certificates by which services of an installation know each other."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

from rehab_cli.addresses import SERVICES
from rehab_cli.authority import Authority
from rehab_cli.commands import run
from rehab_cli.console import out
from rehab_cli.errors import SuiteError

COMMAND = "cli"
"""The service that the command line is."""
_SERVICE = re.compile(r"[a-z][a-z0-9_-]{0,31}")


def make(
    folder: Annotated[Path, typer.Argument(help="Where they are kept; keep ca.key offline.")],
    services: Annotated[
        list[str] | None, typer.Argument(help="Services; all of the suite without.")
    ] = None,
    host: Annotated[
        list[str] | None, typer.Option(help="Name or address at which others reach them.")
    ] = None,
) -> None:
    """Issue what is missing or ends within a month; what is good stays as it is."""
    run(lambda: _make(folder, services or [*SERVICES, COMMAND], host or []))


async def _make(folder: Path, services: list[str], hosts: list[str]) -> int:
    wrong = [name for name in services if _SERVICE.fullmatch(name) is None]
    if wrong:
        raise SuiteError(f"{', '.join(wrong)}: a service is named by a-z, 0-9, _ and -")
    try:
        authority = Authority(folder)
        for name in services:
            out.print(str(authority.issued(name, hosts).cert), markup=False)
    except (OSError, ValueError) as error:
        raise SuiteError(f"no certificates in {folder}: {error}") from None
    return 0
