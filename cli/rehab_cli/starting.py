"""`rehab up`."""

from __future__ import annotations

from typing import Annotated

import typer

from rehab_cli import running
from rehab_cli.addresses import PORT_BASE
from rehab_cli.commands import (
    DataDir,
    External,
    NatsUrl,
    PortBase,
    PostgresDsn,
    Shards,
    ValkeyUrl,
    run,
)
from rehab_cli.place import default_folder
from rehab_cli.servers import external as external_servers


def up(
    data: DataDir = None,
    port_base: PortBase = PORT_BASE,
    empty: Annotated[bool, typer.Option("--empty", help="Throw earlier data away.")] = False,
    shards: Shards = 0,
    external: External = False,
    postgres: PostgresDsn = "",
    nats: NatsUrl = "",
    valkey: ValkeyUrl = "",
) -> None:
    """Run PostgreSQL, NATS, Valkey and every service until Ctrl-C."""
    folder = data or default_folder()
    run(
        lambda: running.up(
            folder,
            port_base,
            external_servers(postgres, nats, valkey) if external else None,
            empty=empty,
            shards=shards,
        )
    )
