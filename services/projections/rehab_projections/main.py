"""Builds the service."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

import grpc

from rehab.projections.v1 import projections_admin_service_pb2_grpc as admin_grpc
from rehab.projections.v1 import projections_service_pb2_grpc as pb_grpc
from rehab_projections.admin_servicer import AdminServicer
from rehab_projections.answering import Answering, IsLive
from rehab_projections.asked import Asked
from rehab_projections.board import Board
from rehab_projections.consent import Consents
from rehab_projections.consumer import FoldContext
from rehab_projections.consumers import Consumers
from rehab_projections.kept import TTL_S, KeptAnswers
from rehab_projections.news import News
from rehab_projections.pace import Pace, Times
from rehab_projections.parked import ParkedStreams
from rehab_projections.progress import Progress
from rehab_projections.reads import serving
from rehab_projections.registry.building import Builder
from rehab_projections.registry.renewing import renewed
from rehab_projections.registry.versions import SWITCHED, Versions, schema_of
from rehab_projections.servicer import ProjectionsServicer
from rehab_projections.settings import Settings
from rehab_projections.storage.leases import FOLDED, FOLDS, LEASES, Leases, Replica
from rehab_projections.storage.read import Reader
from rehab_projections.storage.vanishing import Vanishing
from rehab_projections.storage.write import Writer
from rehab_projections.watch import Watches
from rehab_projections.work_watch import WorkWatch
from rehab_runtime import jetstream, lifecycle, postgres
from rehab_runtime.access.front import fronted
from rehab_runtime.auth import service_principal
from rehab_runtime.channels import Peer
from rehab_runtime.clock import Clock, SystemClock
from rehab_runtime.eventlog import EventLog
from rehab_runtime.following import follow_from
from rehab_runtime.lifecycle import Background, Running
from rehab_runtime.listener import Listener
from rehab_runtime.server import serve_grpc
from rehab_runtime.startup import split
from rehab_runtime.valkey import connect

PACKAGE = "rehab_projections"
SERVICE = "rehab.projections.v1.ProjectionsService"
ADMIN = "rehab.projections.v1.ProjectionsAdminService"


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[Running]:
    async with AsyncExitStack() as stack:
        clock = SystemClock()
        versions = await _versions(settings, stack)
        live = await versions.live()
        await versions.migrate(live)
        database = await stack.enter_async_context(
            postgres.connect(settings.postgres_dsn, name=FOLDS, schema=schema_of(live))
        )
        queries = postgres.Queries.load(PACKAGE, "queries.sql")
        writer, reader = Writer(database, queries), Reader(database, queries)
        broker = await stack.enter_async_context(
            jetstream.connect(settings.nats_url, name="projections")
        )
        eventstore = Peer(settings.eventstore_address, settings.tls)
        store = await stack.enter_async_context(eventstore.channel())
        event_log = EventLog(store, service_principal("projections"))
        progress, board = Progress(reader), Board()
        follow = partial(follow_from, settings, event_log, broker)
        context = FoldContext(writer, event_log, follow, progress, clock)
        replica = replica_of(settings)
        leases = await _leases(settings, replica, stack)
        answering = Answering(
            live, replica, versions, database, partial(_consumers, context, leases), progress, board
        )
        background = await stack.enter_async_context(Background())
        front = await stack.enter_async_context(
            fronted(settings, "projections", event_log, background, clock)
        )
        asked = Asked(reader, progress, clock, await _kept(settings, clock, stack), front.gate)
        times = Times(
            interval_s=settings.watch_interval_ms / 1000,
            tick_s=settings.watch_tick_ms / 1000,
            heartbeat_s=settings.watch_heartbeat_ms / 1000,
        )
        news = News(reader, progress, interval_s=times.interval_s, tick_s=times.tick_s)
        pace = Pace(times, most=settings.max_watches)
        consents = None if front.gate is not None else Consents(reader, clock)
        watches = Watches(reader, news, pace, consents)
        servicer = ProjectionsServicer(
            asked=asked,
            reader=reader,
            board=board,
            work=WorkWatch(asked, board, news, pace),
            watches=watches,
            behind=answering.behind,
        )
        background.start(answering.run(), "folds into the version that answers")
        background.start(news.run(), "tells watchers what changed")
        background.start(_listener(settings, answering).run(), "listens to other replicas")
        builder = Builder(settings.postgres_dsn, eventstore, event_log)
        background.start(renewed(versions, builder), "builds what earlier folds made anew")
        admin = AdminServicer(
            versions,
            builder,
            ParkedStreams(database, queries, answering.begin_again),
            frozenset(name.strip() for name in settings.admins.split(",")),
        )
        server = await stack.enter_async_context(
            serve_grpc(
                settings,
                partial(_add, servicer, admin, partial(serving.add, asked, watches, board)),
                authenticator=front.authenticator,
                gate=front.gate,
            )
        )
        stack.callback(pace.close)
        stack.push_async_callback(answering.resign)
        yield Running(server.address, background, server.peers_address)


async def _versions(settings: Settings, stack: AsyncExitStack) -> Versions:
    """Of a database that may be new."""
    await postgres.ensure_database(settings.postgres_dsn)
    await postgres.migrate(settings.postgres_dsn, f"{PACKAGE}.registry")
    database = await stack.enter_async_context(
        postgres.connect(settings.postgres_dsn, name="projections-versions", max_size=2)
    )
    return Versions(settings.postgres_dsn, database)


async def _kept(settings: Settings, clock: Clock, stack: AsyncExitStack) -> KeptAnswers | None:
    if not settings.valkey_url:
        return None
    valkey = await stack.enter_async_context(connect(settings.valkey_url, clock))
    key = settings.kept_answers_key.get_secret_value().encode() or os.urandom(32)
    live_s = settings.kept_answers_live_ms / 1000
    return KeptAnswers(Vanishing(valkey, ttl_s=TTL_S), clock, key=key, live_s=live_s)


async def _leases(
    settings: Settings, replica: Replica, stack: AsyncExitStack
) -> Callable[[int], Leases]:
    """Those of a version. They have connections of their own: reads that take all the others must
    not cost a lease. A crash of PostgreSQL takes back the newest of everything in it, so whoever
    then holds a lease holds its epoch too."""
    database = await stack.enter_async_context(
        postgres.connect(
            settings.postgres_dsn, name="projections-leases", max_size=3, durable=False
        )
    )
    queries = postgres.Queries.load(PACKAGE, "leases.sql")
    return partial(Leases, database, queries, replica, settings.lease_s)


def _consumers(
    context: FoldContext,
    leases: Callable[[int], Leases],
    version: int,
    is_live: IsLive,
    leaving: asyncio.Event,
) -> Consumers:
    return Consumers(context, leases(version), is_live, leaving)


def replica_of(settings: Settings) -> Replica:
    """One that starts again where it was takes its own place."""
    host, (_, port) = socket.gethostname(), split(settings.listen)
    where = settings.listen if port else uuid.uuid4().hex[:8]
    return Replica(settings.replica or f"{host}/{where}")


def _listener(settings: Settings, answering: Answering) -> Listener:
    heard = {
        FOLDED: lambda _, payload: answering.moved(payload),
        LEASES: lambda *_: answering.look_at_leases(),
        SWITCHED: lambda *_: answering.look(),
    }
    return Listener(settings.postgres_dsn, "projections-listener", heard, answering.doubt)


def _add(
    servicer: ProjectionsServicer,
    admin: AdminServicer,
    add_others: Callable[[grpc.aio.Server], list[str]],
    server: grpc.aio.Server,
) -> list[str]:
    pb_grpc.add_ProjectionsServiceServicer_to_server(servicer, server)
    admin_grpc.add_ProjectionsAdminServiceServicer_to_server(admin, server)
    return [SERVICE, ADMIN, *add_others(server)]


def main() -> int:
    return lifecycle.run("projections", Settings, running)


if __name__ == "__main__":
    sys.exit(main())
