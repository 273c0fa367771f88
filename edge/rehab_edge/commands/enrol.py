"""`rehab-edge enrol`: this device becomes a patient's, by a code of the clinic."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer
from rich.console import Console

from rehab_edge.commands import options
from rehab_edge.errors import EdgeError
from rehab_edge.linking import channel_credentials, enrolled, remember
from rehab_sdk import enrol_device
from rehab_sdk.connection import IDENTITY


def enrol(
    code: Annotated[str, typer.Argument(help="From the command rehab device code; it works once.")],
    home: options.HomeDir = options.HOME,
    identity: options.Identity = None,
    ca: options.Authority = "",
    model: Annotated[str, typer.Option(help="What kind of device it is.")] = "",
) -> None:
    """Become a patient's device. Its key is made here and never leaves."""
    addresses = tuple(identity or (IDENTITY,))
    with options.told_in_one_line():
        known = enrolled(home)
        if known is not None:
            raise EdgeError(f"{home} holds the device {known.device_id} already")
        credentials = channel_credentials(ca, addresses)
        key = asyncio.run(
            enrol_device(code, identity=addresses, model=model, credentials=credentials)
        )
        remember(home, key)
    Console(highlight=False).print(f"enrolled as {key.device_id}")
