"""Builds the service."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import grpc

from rehab.identity.v1 import identity_service_pb2_grpc as pb_grpc
from rehab_identity.settings import Settings
from rehab_runtime import lifecycle, postgres
from rehab_runtime.auth import DevelopmentAuthenticator
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
        background = await stack.enter_async_context(Background())
        server = await stack.enter_async_context(
            serve_grpc(settings, _add, authenticator=DevelopmentAuthenticator())
        )
        yield Running(server.address, background, server.peers_address)


def _add(server: grpc.aio.Server) -> list[str]:
    pb_grpc.add_IdentityServiceServicer_to_server(pb_grpc.IdentityServiceServicer(), server)
    return [SERVICE]


def main() -> int:
    return lifecycle.run("identity", Settings, running)


if __name__ == "__main__":
    sys.exit(main())
