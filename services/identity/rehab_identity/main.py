"""Builds the service."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial

import grpc

from rehab.identity.v1 import identity_service_pb2_grpc as pb_grpc
from rehab_identity.people import People, people
from rehab_identity.settings import Settings
from rehab_runtime import lifecycle, postgres
from rehab_runtime.clock import SystemClock
from rehab_runtime.lifecycle import Background
from rehab_runtime.server import serve_grpc

PACKAGE = "rehab_identity"
SERVICE = "rehab.identity.v1.IdentityService"


@dataclass(frozen=True)
class Running:
    """A started service. `address` is its gRPC host:port, `peers_address` that for services."""

    address: str
    background: Background
    peers_address: str = ""


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[Running]:
    async with AsyncExitStack() as stack:
        await postgres.ensure_database(settings.postgres_dsn)
        await postgres.migrate(settings.postgres_dsn, PACKAGE)
        database = await stack.enter_async_context(
            postgres.connect(settings.postgres_dsn, name="identity")
        )
        background = await stack.enter_async_context(Background())
        folk = await people(settings, stack, background, database, SystemClock())
        server = await stack.enter_async_context(
            serve_grpc(settings, partial(_add, folk), authenticator=folk.authenticator)
        )
        yield Running(server.address, background, server.peers_address)


def _add(folk: People, server: grpc.aio.Server) -> list[str]:
    pb_grpc.add_IdentityServiceServicer_to_server(pb_grpc.IdentityServiceServicer(), server)
    return [SERVICE, *folk.add(server)]


def main() -> int:
    return lifecycle.run("identity", Settings, running)


if __name__ == "__main__":
    sys.exit(main())
