"""Asking identity, as the command line."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

import typer
from google.protobuf.timestamp_pb2 import Timestamp

from rehab_cli.addresses import Addresses
from rehab_cli.asking import METADATA, TIMEOUT_S, asking
from rehab_cli.errors import SuiteError

AccountId = Annotated[str, typer.Argument(metavar="ACCOUNT", help="Id of the account.")]
Reason = Annotated[str, typer.Option(help="A code: lower-case letters and underscores.")]


class Asked:
    """Identity, asked as the command line."""

    def __init__(self, stub: Any) -> None:
        self._stub = stub

    async def __call__(self, method: str, request: Any) -> Any:
        call = getattr(self._stub, method)
        return await call(request, metadata=METADATA, timeout=TIMEOUT_S)


@asynccontextmanager
async def identity(addresses: Addresses, stub: Any) -> AsyncIterator[Asked]:
    if not addresses.identity:
        raise SuiteError("this suite runs without identity; start it again with: rehab up")
    async with asking(addresses.identity) as connection:
        yield Asked(stub(connection))


def shown(at: Timestamp) -> str:
    return at.ToDatetime().strftime("%Y-%m-%d %H:%M")
