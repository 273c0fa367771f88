"""Builds the service."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from random import Random

import grpc

from rehab.emr.v1 import emr_service_pb2_grpc as pb_grpc
from rehab_emr import access, http
from rehab_emr.consumer import OPENS, Consumer
from rehab_emr.copying import Copying
from rehab_emr.dispatching import Dispatching
from rehab_emr.examining import Examining
from rehab_emr.linking import Linking
from rehab_emr.looking import Looking
from rehab_emr.net.guard import Guard
from rehab_emr.net.signing import SigningKeys
from rehab_emr.pace import Pace
from rehab_emr.patients import Patients
from rehab_emr.preparing import Preparing, secret_of
from rehab_emr.pull.composing import pulled_by
from rehab_emr.receivers import Receivers
from rehab_emr.registering import Registering
from rehab_emr.sending import Way
from rehab_emr.servicer import EmrServicer
from rehab_emr.settings import Settings
from rehab_emr.settling import Settling
from rehab_emr.storage import deliveries as deliveries_of
from rehab_emr.storage.deliveries import Deliveries
from rehab_emr.storage.endpoints import Endpoints
from rehab_emr.storage.lanes import Lanes
from rehab_emr.storage.subscriptions import Subscriptions
from rehab_emr.telling import Teller
from rehab_emr.watching import Watching
from rehab_runtime import jetstream, lifecycle, postgres
from rehab_runtime.access.front import fronted
from rehab_runtime.auth import service_principal
from rehab_runtime.box import Box, open_box
from rehab_runtime.channels import Peer
from rehab_runtime.clock import Clock, SystemClock
from rehab_runtime.errors import RehabError
from rehab_runtime.eventlog import EventLog
from rehab_runtime.following import LogFold
from rehab_runtime.lifecycle import Background, Running
from rehab_runtime.listener import Listener
from rehab_runtime.postgres import Database, Queries
from rehab_runtime.server import serve_grpc

PACKAGE = "rehab_emr"
NAME = "emr"
SERVICES = ["rehab.emr.v1.EmrService"]
ANEW = (
    "empty the tables log_position, patient, lane and delivery of this service's database and "
    "start it: it sends everything again, and receivers find that they have it"
)
GATHER_S = 0.05
"""Whose record changed need not be known sooner: what is sent waits for more of it anyway."""
KEYS_S = 3600.0
"""How often it is looked whether another key is to sign."""


@asynccontextmanager
async def running(settings: Settings, clock: Clock | None = None) -> AsyncIterator[Running]:
    async with AsyncExitStack() as stack:
        clock = clock or SystemClock()
        await postgres.ensure_database(settings.postgres_dsn)
        await postgres.migrate(settings.postgres_dsn, PACKAGE)
        database = await stack.enter_async_context(
            postgres.connect(settings.postgres_dsn, name=NAME, max_size=16)
        )
        queries = partial(postgres.Queries.load, PACKAGE)
        endpoints = Endpoints(database, queries("endpoints.sql"))
        lanes = Lanes(database, queries("lanes.sql"))
        deliveries = Deliveries(database, queries("deliveries.sql"))
        upkeep = await stack.enter_async_context(Background())
        box = await _box(settings, stack, upkeep, database, queries("endpoints.sql"), clock)
        keys = SigningKeys(database, queries("endpoints.sql"), box, settings)
        await keys.ensure()
        secret = await _secret(database, queries("endpoints.sql"), box)
        broker = await stack.enter_async_context(jetstream.connect(settings.nats_url, name=NAME))
        store = await stack.enter_async_context(
            Peer(settings.eventstore_address, settings.tls).channel()
        )
        principal = service_principal(NAME)
        event_log = EventLog(store, principal)
        background = await stack.enter_async_context(Background())
        front = await stack.enter_async_context(
            fronted(settings, NAME, event_log, background, clock)
        )
        patients = Patients(event_log, settings.patients_in_memory)
        guard = Guard(settings.allowed_networks)
        pace = Pace(endpoints, settings, Random())
        receivers = Receivers(endpoints, guard, box, keys, clock, pace.timeout_s)
        stack.push_async_callback(receivers.close)
        teller, linking, preparing = Teller(event_log), Linking(lanes, box), Preparing(secret)
        settling = Settling(endpoints, lanes, deliveries, teller, pace, box, settings)
        examining = Examining(endpoints, receivers, settings)
        way = Way(
            lanes=lanes,
            deliveries=deliveries,
            patients=patients,
            preparing=preparing,
            settling=settling,
            examining=examining,
            linking=linking,
            teller=teller,
            pace=pace,
            clock=clock,
            base=settings.fhir_base,
        )
        pulled = pulled_by(
            settings,
            Subscriptions(database, queries("subscriptions.sql")),
            *(endpoints, receivers, patients, preparing, teller, pace, clock, secret),
        )
        dispatching = Dispatching(
            way, receivers, pulled.subscriptions, pulled.notifying.rounds.look, settings
        )
        consumer = Consumer(lanes, patients, settings.gather_ms / 1000, dispatching.rounds.look)
        # of the events it only needs to know whose they are
        followed = EventLog(store, principal, opens=OPENS)
        log_fold = LogFold(
            *(NAME, settings, followed, broker, lanes.positions, consumer.fold),
            begun=consumer.begun,
            anew=ANEW,
            gather_s=GATHER_S,
        )
        may = access.Guard(front.gate)
        watching = Watching(deliveries, may, settings.max_watches)
        background.start(log_fold.run(), "folds the log")
        background.start(dispatching.rounds.run(), "sends what is due")
        background.start(pulled.notifying.rounds.run(), "notifies who pulls")
        background.start(examining.run(), "reads what receivers promise")
        background.start(_keys_anew(keys), "makes signing keys")
        background.start(_listener(settings, watching).run(), "listens to other replicas")
        looking = Looking(
            *(endpoints, lanes, deliveries, patients, preparing, linking, receivers, may, box),
            *(clock, settings.fhir_base),
        )
        copying = Copying(patients, lanes, teller, may, clock, settings.fhir_base, secret)
        registering = Registering(endpoints, lanes, receivers, guard, pulled.subscribing)
        servicer = EmrServicer(
            registering,
            endpoints,
            deliveries,
            receivers,
            looking,
            copying,
            watching,
            pulled.subscribing,
            pulled.tokens,
            may,
            settings.breaker_failures,
            dispatching.rounds.look,
        )
        await stack.enter_async_context(
            http.served(keys, pulled.facade.routes(), settings.http_listen)
        )
        server = await stack.enter_async_context(
            serve_grpc(
                settings,
                partial(_add, servicer),
                authenticator=front.authenticator,
                gate=front.gate,
            )
        )
        stack.callback(watching.close)
        yield Running(server.address, background, server.peers_address)


async def _box(
    settings: Settings,
    stack: AsyncExitStack,
    background: Background,
    database: Database,
    queries: Queries,
    clock: Clock,
) -> Box:
    async def sealed() -> bool:
        return await database.fetchrow(queries["secret"], "digests") is not None

    return await open_box(
        *(settings, stack, background, database, clock), purpose="rehab emr", sealed=sealed
    )


async def _secret(database: Database, queries: Queries, box: Box) -> bytes:
    """What only this service knows: made once, by whichever replica is first."""
    sealed = box.seal(os.urandom(32), "secret", "digests")
    await database.execute(queries["keep_secret"], "digests", sealed)
    row = await database.fetchrow(queries["secret"], "digests")
    assert row is not None
    return secret_of(box.open(row["sealed"], "secret", "digests"))


async def _keys_anew(keys: SigningKeys) -> None:
    while True:
        await asyncio.sleep(KEYS_S)
        try:
            await keys.ensure()
        except RehabError:
            continue  # PostgreSQL is away, as others tell


def _listener(settings: Settings, watching: Watching) -> Listener:
    heard = {deliveries_of.CHANNEL: lambda *_: watching.look()}
    return Listener(settings.postgres_dsn, "emr-listener", heard, watching.look)


def _add(servicer: EmrServicer, server: grpc.aio.Server) -> list[str]:
    pb_grpc.add_EmrServiceServicer_to_server(servicer, server)
    return SERVICES


def main() -> int:
    return lifecycle.run(NAME, Settings, running)


if __name__ == "__main__":
    sys.exit(main())
