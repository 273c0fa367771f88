"""Builds the service."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial

import grpc
from nats.js import JetStreamContext

from rehab.eventstore.v1 import eventstore_service_pb2_grpc as pb_grpc
from rehab.eventstore.v1 import key_service_pb2_grpc as key_grpc
from rehab_eventstore.committer import Committer
from rehab_eventstore.crypto.cache import KeyCache
from rehab_eventstore.domain.cache import LogCache
from rehab_eventstore.key_servicer import KeyServicer
from rehab_eventstore.keywrapping import key_wrapper
from rehab_eventstore.memory import Memory
from rehab_eventstore.publisher import Publisher
from rehab_eventstore.queue import Bounds, CommandQueue
from rehab_eventstore.relay import Relay
from rehab_eventstore.sealing import KeySealer, Sealer
from rehab_eventstore.servicer import EventStoreServicer
from rehab_eventstore.settings import Settings
from rehab_eventstore.storage.keys import KeyStore
from rehab_eventstore.storage.lease import Lease
from rehab_eventstore.storage.link import Link
from rehab_eventstore.storage.read import Reader
from rehab_eventstore.subscriptions import Subscriptions
from rehab_eventstore.tail import Tail
from rehab_eventstore.watch import HeadWatch
from rehab_eventstore.writer import Writer
from rehab_runtime import jetstream, lifecycle, postgres
from rehab_runtime.auth import DevelopmentAuthenticator
from rehab_runtime.clock import Clock, SystemClock
from rehab_runtime.lifecycle import Background
from rehab_runtime.postgres import Database, Queries
from rehab_runtime.server import serve_grpc
from rehab_runtime.startup import StartupError

PACKAGE = "rehab_eventstore"
SERVICE = "rehab.eventstore.v1.EventStoreService"
KEY_SERVICE = "rehab.eventstore.v1.KeyService"
SHARD = 0


@dataclass(frozen=True)
class Running:
    """A started service. `address` is its gRPC host:port."""

    address: str
    background: Background


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[Running]:
    async with AsyncExitStack() as stack:
        await postgres.ensure_database(settings.postgres_dsn)
        await postgres.migrate(settings.postgres_dsn, PACKAGE)
        database = await stack.enter_async_context(
            postgres.connect(settings.postgres_dsn, name="eventstore")
        )
        log = await _open_log(settings, database)
        broker = await stack.enter_async_context(
            jetstream.connect(settings.nats_url, name="eventstore")
        )
        wrapper = await stack.enter_async_context(key_wrapper(settings, log.clock))
        keys = KeyStore(database, log.queries, wrapper)
        cache = KeyCache(
            keys.load, log.clock, ttl_s=settings.key_cache_s, max_patients=settings.cached_keys
        )
        sealer = KeySealer(keys, cache, await log.reader.fingerprint_key(SHARD))
        link = Link(settings.postgres_dsn, log.queries, SHARD, settings.commit_timeout_s)
        stack.push_async_callback(link.close)
        memory = _memory(settings, log, link)
        writer = _writer(settings, log, link, memory, sealer)
        relay = _relay(settings, log, database, broker)
        subscriptions = Subscriptions(
            log.tail, log.watch, log.clock, checkpoint_s=settings.checkpoint_ms / 1000
        )
        background = await stack.enter_async_context(Background())
        background.start(log.watch.poll(), "looks at the head")
        background.start(log.watch.listen(settings.postgres_dsn), "listener")
        background.start(relay.run(), "relay")
        stack.push_async_callback(_within, settings.drain_s, relay.drain)
        background.start(writer.run(), "writer")
        stack.push_async_callback(_within, settings.drain_s, writer.drain)
        servicer = EventStoreServicer(
            shard=SHARD,
            writer=writer,
            reader=log.reader,
            watch=log.watch,
            subscriptions=subscriptions,
            published=relay.published,
        )
        readers = frozenset(settings.key_readers.split(","))
        servicers = Servicers(servicer, KeyServicer(keys, readers, settings.key_reader_ttl_s))
        server = await stack.enter_async_context(
            serve_grpc(settings, partial(_add, servicers), authenticator=DevelopmentAuthenticator())
        )
        stack.callback(subscriptions.close)
        yield Running(server.address, background)


@dataclass(frozen=True)
class Log:
    """What everything that reads the log needs."""

    reader: Reader
    watch: HeadWatch
    tail: Tail
    queries: Queries
    clock: Clock


async def _open_log(settings: Settings, database: Database) -> Log:
    queries = Queries.load(PACKAGE, "queries.sql")
    reader = Reader(
        database, queries, page_events=settings.page_events, page_bytes=settings.page_bytes
    )
    if not await reader.fsync():
        raise StartupError(
            "PostgreSQL runs with fsync=off: what is acknowledged would not survive a crash",
            "set fsync=on in its configuration",
        )
    watch = HeadWatch(SHARD, partial(reader.head, SHARD), settings.poll_ms / 1000)
    watch.see(await reader.head(SHARD))
    tail = Tail(reader, SHARD, max_events=settings.tail_events, max_bytes=settings.tail_bytes)
    return Log(reader, watch, tail, queries, SystemClock())


def _memory(settings: Settings, log: Log, link: Link) -> Memory:
    return Memory(link, LogCache(settings.cached_streams, settings.cached_events), log.watch.see)


def _writer(settings: Settings, log: Log, link: Link, memory: Memory, sealer: Sealer) -> Writer:
    bounds = Bounds(
        queued_events=settings.max_queued_events,
        queued_bytes=settings.max_queued_bytes,
        batch_events=settings.max_batch_events,
        batch_bytes=settings.max_batch_bytes,
        import_share=settings.import_share_pct / 100,
    )
    return Writer(
        CommandQueue(bounds),
        Committer(link, memory, log.clock),
        memory,
        sealer,
        log.clock,
        patience_s=settings.patience_s,
    )


def _relay(settings: Settings, log: Log, database: Database, broker: JetStreamContext) -> Relay:
    publisher = Publisher(
        broker,
        settings.log_stream,
        settings.subject_prefix,
        SHARD,
        max_events=settings.relay_max_events,
        max_bytes=settings.relay_max_bytes,
    )
    return Relay(
        SHARD,
        Lease(database, log.queries, SHARD, settings.relay_lease_s),
        publisher,
        log.reader,
        log.tail,
        log.watch,
        log.clock,
        backfill_events=settings.relay_backfill_events,
    )


async def _within(seconds: float, drain: Callable[[], Awaitable[None]]) -> None:
    """Drain, but not for ever: what is not done then is done by another replica."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await drain()


@dataclass(frozen=True)
class Servicers:
    """What this service answers to."""

    log: EventStoreServicer
    keys: KeyServicer


def _add(servicers: Servicers, server: grpc.aio.Server) -> list[str]:
    pb_grpc.add_EventStoreServiceServicer_to_server(servicers.log, server)
    key_grpc.add_KeyServiceServicer_to_server(servicers.keys, server)
    return [SERVICE, KEY_SERVICE]


def main() -> int:
    return lifecycle.run("eventstore", Settings, running)


if __name__ == "__main__":
    sys.exit(main())
