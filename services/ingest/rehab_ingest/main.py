"""Builds the service."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

import grpc

from rehab.ingest.v1 import ingest_service_pb2_grpc as pb_grpc
from rehab_ingest.admission import Admission
from rehab_ingest.coaching import Coaching
from rehab_ingest.domain.tokens import Tokens
from rehab_ingest.publisher import Appender
from rehab_ingest.quarantine import Quarantine
from rehab_ingest.registry import Registry
from rehab_ingest.rights import Rights
from rehab_ingest.servicer import IngestServicer
from rehab_ingest.settings import Settings
from rehab_ingest.storage import Storage
from rehab_runtime import lifecycle, postgres
from rehab_runtime.access.front import fronted
from rehab_runtime.auth import service_principal
from rehab_runtime.channels import Peer
from rehab_runtime.clock import SystemClock
from rehab_runtime.eventlog import EventLog
from rehab_runtime.lifecycle import Background, Running
from rehab_runtime.limits import Limiter
from rehab_runtime.server import serve_grpc
from rehab_runtime.valkey import connect

PACKAGE = "rehab_ingest"
SERVICE = "rehab.ingest.v1.IngestService"


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[Running]:
    async with AsyncExitStack() as stack:
        await postgres.ensure_database(settings.postgres_dsn)
        await postgres.migrate(settings.postgres_dsn, PACKAGE)
        database = await stack.enter_async_context(
            postgres.connect(settings.postgres_dsn, name="ingest")
        )
        storage = Storage(database, postgres.Queries.load(PACKAGE, "queries.sql"))
        store = await stack.enter_async_context(
            Peer(settings.eventstore_address, settings.tls).channel()
        )
        clock = SystemClock()
        event_log = EventLog(store, service_principal("ingest"))
        appender = Appender(event_log, settings.queue_appends)
        registry = Registry(storage, settings.flush_ms / 1000)
        background = await stack.enter_async_context(Background())
        background.start(appender.run(), "appender")
        background.start(registry.run(), "registry")
        background.start(Coaching(event_log, registry, clock).run(), "coaching")
        valkey = (
            await stack.enter_async_context(connect(settings.valkey_url, clock))
            if settings.valkey_url
            else None
        )
        limiter = Limiter(settings.limits(), clock, valkey, replicas=settings.replicas)
        front = await stack.enter_async_context(
            fronted(settings, "ingest", event_log, background, clock, registry.revoke)
        )
        servicer = IngestServicer(
            settings,
            Admission(appender, Quarantine(clock), settings.max_event_bytes),
            storage,
            registry,
            Tokens(settings.token_key()),
            limiter,
            Rights(event_log, front.known, front.gate, clock),
            clock,
        )
        server = await stack.enter_async_context(
            serve_grpc(
                settings,
                partial(_add, servicer),
                authenticator=front.authenticator,
                gate=front.gate,
            )
        )
        stack.push_async_callback(registry.drain, settings.drain_s)
        yield Running(server.address, background, server.peers_address)


def _add(servicer: IngestServicer, server: grpc.aio.Server) -> list[str]:
    pb_grpc.add_IngestServiceServicer_to_server(servicer, server)
    return [SERVICE]


def main() -> int:
    return lifecycle.run("ingest", Settings, running)


if __name__ == "__main__":
    sys.exit(main())
