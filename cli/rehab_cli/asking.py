"""Asking a running service, as the command line: an error becomes one line with what to do."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import grpc

from rehab_cli.errors import SuiteError
from rehab_runtime.auth import bearer, service_principal
from rehab_runtime.errors import from_rpc_error
from rehab_runtime.server import channel

TIMEOUT_S = 10.0
PRINCIPAL = service_principal("cli")
METADATA = (bearer(PRINCIPAL),)


@asynccontextmanager
async def asking(address: str) -> AsyncIterator[grpc.aio.Channel]:
    """A channel whose errors are told as a SuiteError."""
    async with channel(address) as connection:
        try:
            yield connection
        except grpc.aio.AioRpcError as error:
            if error.code() is grpc.StatusCode.UNAVAILABLE:
                raise SuiteError(f"nothing answers at {address}; start it with: rehab up") from None
            raise SuiteError(f"{address}: {from_rpc_error(error).message}") from None
