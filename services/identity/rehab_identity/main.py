"""Builds the service."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

import grpc

from rehab_identity.facts.composing import Access, Others, access
from rehab_identity.people import People, people
from rehab_identity.settings import Settings
from rehab_runtime import lifecycle, postgres
from rehab_runtime.clock import Clock, SystemClock
from rehab_runtime.lifecycle import Background, Running
from rehab_runtime.server import serve_grpc

PACKAGE = "rehab_identity"


@asynccontextmanager
async def running(settings: Settings, clock: Clock | None = None) -> AsyncIterator[Running]:
    async with AsyncExitStack() as stack:
        await postgres.ensure_database(settings.postgres_dsn)
        await postgres.migrate(settings.postgres_dsn, PACKAGE)
        clock = clock or SystemClock()
        database = await stack.enter_async_context(
            postgres.connect(settings.postgres_dsn, name="identity")
        )
        background = await stack.enter_async_context(Background())
        folk = await people(settings, stack, background, database, clock)
        others = Others(folk.holdings.erase, folk.holdings.about, folk.authenticator.revoked_since)
        who_may = await stack.enter_async_context(
            access(settings, database, clock, background, others)
        )
        server = await stack.enter_async_context(
            serve_grpc(
                settings,
                partial(_add, folk, who_may),
                authenticator=folk.authenticator,
                gate=who_may.gate,
            )
        )
        stack.callback(who_may.close)
        yield Running(server.address, background, server.peers_address)


def _add(folk: People, who_may: Access, server: grpc.aio.Server) -> list[str]:
    return [*folk.add(server), *who_may.add(server)]


def main() -> int:
    return lifecycle.run("identity", Settings, running)


if __name__ == "__main__":
    sys.exit(main())
