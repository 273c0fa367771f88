"""Builds the service."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager

import grpc

from rehab.eventstore.v1 import archive_service_pb2_grpc as archive_grpc
from rehab.eventstore.v1 import erasure_service_pb2_grpc as erasure_grpc
from rehab.eventstore.v1 import eventstore_service_pb2_grpc as pb_grpc
from rehab.eventstore.v1 import key_admin_service_pb2_grpc as admin_grpc
from rehab.eventstore.v1 import key_service_pb2_grpc as key_grpc
from rehab.eventstore.v1 import proof_service_pb2_grpc as proof_grpc
from rehab.eventstore.v1 import snapshot_service_pb2_grpc as snapshot_grpc
from rehab_eventstore.archive.library import Library
from rehab_eventstore.archive_servicer import ArchiveServicer
from rehab_eventstore.archiving import archiver_of, open_archive
from rehab_eventstore.audit_streams import trailing
from rehab_eventstore.checkpointing import signer_of, start_signing
from rehab_eventstore.clocks import clock_of
from rehab_eventstore.crypto.cache import KeyCache
from rehab_eventstore.domain.confirmation import Confirmation
from rehab_eventstore.erasing import Eraser
from rehab_eventstore.erasure_servicer import ErasureServicer
from rehab_eventstore.forwarding import Forwarding
from rehab_eventstore.key_admin_servicer import KeyAdminServicer
from rehab_eventstore.key_servicer import KeyServicer
from rehab_eventstore.proof.checkpoints import Checkpoints
from rehab_eventstore.proof.verify import Verifier
from rehab_eventstore.proof_servicer import ProofServicer
from rehab_eventstore.rotation import Limits, Rotation
from rehab_eventstore.sealing import KeySealer
from rehab_eventstore.servicer import EventStoreServicer
from rehab_eventstore.settings import Settings
from rehab_eventstore.shard import Log, Shards, open_shard
from rehab_eventstore.snapshot_servicer import SnapshotServicer
from rehab_eventstore.storage.erasures import Erasures
from rehab_eventstore.storage.keys import KeyStore, census
from rehab_eventstore.storage.read import Reader, Safety
from rehab_eventstore.storage.shards import require_shards
from rehab_eventstore.storage.snapshots import Snapshots
from rehab_eventstore.subscriptions import Subscribers
from rehab_eventstore.watch import Listener
from rehab_runtime import jetstream, lifecycle, postgres
from rehab_runtime.auth import nobody_but_services
from rehab_runtime.clock import SystemClock
from rehab_runtime.keepers.opening import Keeper, Wrapping, key_keeper
from rehab_runtime.keepers.wrapper import KeyWrapper
from rehab_runtime.lifecycle import Background, Running
from rehab_runtime.postgres import Database, Queries
from rehab_runtime.server import GrpcServer, serve_grpc
from rehab_runtime.startup import StartupError, named

PACKAGE = "rehab_eventstore"
SERVICES = tuple(
    f"rehab.eventstore.v1.{name}"
    for name in (
        "EventStoreService",
        "KeyService",
        "ErasureService",
        "KeyAdminService",
        "ProofService",
        "SnapshotService",
        "ArchiveService",
    )
)
SWEEP_S = 60.0
DAY_S = 86_400.0


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[Running]:
    async with AsyncExitStack() as stack:
        database, queries = await _open_database(settings, stack)
        keeper = await stack.enter_async_context(await _keeper(settings, database, queries))
        archive = await open_archive(settings, database, keeper.wrapper)
        log = await _open_log(settings, stack, database, queries, archive.library)
        keys, cache, sealers = await _sealing(settings, log, keeper.wrapper)
        shards = Shards(
            [
                await open_shard(number, settings, log, sealer)
                for number, sealer in enumerate(sealers)
            ]
        )
        stack.push_async_callback(shards.close)
        erasures = Erasures(log.database, Queries.load(PACKAGE, "erasure.sql"))
        eraser = Eraser(
            shards,
            erasures,
            cache,
            Confirmation(await log.reader.fingerprint_key(0)),
            log.clock,
            token_s=settings.erasure_token_s,
        )
        background = await stack.enter_async_context(Background())
        listener = Listener(
            settings.postgres_dsn,
            [shard.watch for shard in shards],
            eraser.begun,
            shards.lease_given_up,
            shards.is_written_by,
        )
        background.start(listener.run(), "listener")
        background.start(eraser.run(), "finishes erasures")
        background.start(_sweep(cache), "forgets keys")
        for upkeep in keeper.upkeep:
            background.start(upkeep(), "renews the keeper's token")
        for shard in shards:
            for work, name in shard.tasks():
                background.start(work, name)
        stack.push_async_callback(shards.drain, settings.drain_s)
        proofs = Queries.load(PACKAGE, "proof.sql")
        checkpoints = Checkpoints(log.database, proofs)
        signer = signer_of(settings)
        if signer is not None:
            start_signing(settings, log, shards, checkpoints, signer, background)
        verifier = Verifier(
            *(settings.postgres_dsn, log.database, proofs, settings.verify_processes),
            archive=archive.keys,
        )
        archive_servicer = ArchiveServicer(
            archiver_of(archive, settings, log, shards, keeper.wrapper, checkpoints, signer),
            *(shards, _names(settings.archivers)),
        )
        readers, erasers = _names(settings.key_readers), _names(settings.erasers)
        forwarding = Forwarding(settings.tls)
        stack.push_async_callback(forwarding.close)
        trail = await stack.enter_async_context(
            trailing(settings, shards, forwarding, log.clock, background)
        )
        log_servicer = EventStoreServicer(
            shards, log.reader, forwarding, Subscribers(settings.max_subscribers)
        )
        key_servicer = KeyServicer(keys, trail, readers, settings.key_reader_ttl_s)
        erasure_servicer = ErasureServicer(eraser, erasures, shards, erasers)
        admin_servicer = KeyAdminServicer(keeper, keys, cache, erasers)
        proof_servicer = ProofServicer(shards, log.reader, verifier, checkpoints, signer, log.clock)
        snapshots = Snapshots(
            log.database,
            Queries.load(PACKAGE, "snapshot.sql"),
            sealers[0],
            kept=settings.snapshots_kept,
        )
        snapshot_servicer = SnapshotServicer(snapshots, trail, readers)

        def add(server: grpc.aio.Server) -> Sequence[str]:
            pb_grpc.add_EventStoreServiceServicer_to_server(log_servicer, server)
            key_grpc.add_KeyServiceServicer_to_server(key_servicer, server)
            erasure_grpc.add_ErasureServiceServicer_to_server(erasure_servicer, server)
            admin_grpc.add_KeyAdminServiceServicer_to_server(admin_servicer, server)
            proof_grpc.add_ProofServiceServicer_to_server(proof_servicer, server)
            snapshot_grpc.add_SnapshotServiceServicer_to_server(snapshot_servicer, server)
            archive_grpc.add_ArchiveServiceServicer_to_server(archive_servicer, server)
            return SERVICES

        server = await stack.enter_async_context(
            serve_grpc(settings, add, authenticator=nobody_but_services(settings.environment))
        )
        if settings.forward:
            shards.reached_at(settings.advertise or _reached_by_others(settings, server))
        stack.push_async_callback(log_servicer.send_away)
        yield Running(server.address, background, server.peers_address)


def _reached_by_others(settings: Settings, server: GrpcServer) -> str:
    """Replicas call each other as services do: by mutual TLS where there is any."""
    if server.peers_address:
        return named(settings.peers_listen, server.peers_address)
    return named(settings.listen, server.address)


async def _sealing(
    settings: Settings, log: Log, wrapper: KeyWrapper
) -> tuple[KeyStore, KeyCache, list[KeySealer]]:
    """Patients' keys, and who seals with them in each shard."""
    keys = KeyStore(log.database, log.queries, wrapper)
    cache = KeyCache(
        keys.load, log.clock, ttl_s=settings.key_cache_s, max_patients=settings.cached_keys
    )
    limits = Limits(settings.data_key_max_age_d * DAY_S, settings.data_key_max_events)
    rotation = Rotation(keys, cache, log.clock, limits)
    sealers = [
        KeySealer(keys, cache, rotation, await log.reader.fingerprint_key(number))
        for number in range(log.shards)
    ]
    return keys, cache, sealers


async def _sweep(cache: KeyCache) -> None:
    while True:
        await asyncio.sleep(SWEEP_S)
        cache.sweep()


async def _keeper(
    settings: Settings, database: Database, queries: Queries
) -> AbstractAsyncContextManager[Keeper]:
    known = [Wrapping(one.kek, one.living) for one in await census(database, queries)]
    return key_keeper(settings, SystemClock(), known, "patients' data keys")


async def _open_database(settings: Settings, stack: AsyncExitStack) -> tuple[Database, Queries]:
    await postgres.ensure_database(settings.postgres_dsn)
    await postgres.migrate(settings.postgres_dsn, PACKAGE)
    database = await stack.enter_async_context(
        postgres.connect(settings.postgres_dsn, name="eventstore")
    )
    return database, Queries.load(PACKAGE, "queries.sql")


async def _open_log(
    settings: Settings,
    stack: AsyncExitStack,
    database: Database,
    queries: Queries,
    library: Library,
) -> Log:
    reader = Reader(
        database,
        queries,
        page_events=settings.page_events,
        page_bytes=settings.page_bytes,
        library=library,
    )
    _require_safe(await reader.safety(), settings)
    shards = await require_shards(database, queries, settings.shards)
    broker = await stack.enter_async_context(
        jetstream.connect(settings.nats_url, name="eventstore")
    )
    return Log(database, queries, reader, broker, clock_of(settings), shards)


def _require_safe(safety: Safety, settings: Settings) -> None:
    if not safety.fsync:
        raise StartupError(
            "PostgreSQL runs with fsync=off: what is acknowledged would not survive a crash",
            "set fsync=on in its configuration",
        )
    if settings.environment == "production" and not safety.checksums:
        raise StartupError(
            "PostgreSQL runs without data checksums: a rotten page would go unnoticed",
            "stop it and run: pg_checksums --enable",
        )


def _names(listed: str) -> frozenset[str]:
    return frozenset(name.strip() for name in listed.split(","))


def main() -> int:
    return lifecycle.run("eventstore", Settings, running)


if __name__ == "__main__":
    sys.exit(main())
