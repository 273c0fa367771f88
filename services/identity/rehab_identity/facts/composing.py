"""Builds this half of the service: who may, on what grounds, and who did."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

import grpc

from rehab.identity.v1 import consent_service_pb2_grpc, identity_service_pb2_grpc
from rehab_identity.domain.evolve import KINDS
from rehab_identity.facts.consent_servicer import ConsentServicer
from rehab_identity.facts.consumer import ANEW, Consumer
from rehab_identity.facts.deciding import Deciding
from rehab_identity.facts.emergencies import Emergencies, count_overdue
from rehab_identity.facts.exporting import About, Exporting, nothing_else
from rehab_identity.facts.healing import heal_on
from rehab_identity.facts.hub import Hub
from rehab_identity.facts.identity_servicer import IdentityServicer, Parts
from rehab_identity.facts.notices import LogPort, Notices, Port
from rehab_identity.facts.patients import Patients
from rehab_identity.facts.searching import Searching
from rehab_identity.facts.storage import Storage
from rehab_identity.facts.telling import Teller
from rehab_identity.facts.webhook import WebhookPort
from rehab_identity.issuers import http_client
from rehab_identity.settings import Settings
from rehab_runtime import jetstream
from rehab_runtime.access import trail as trails
from rehab_runtime.access.gate import Gate
from rehab_runtime.access.table import TABLE
from rehab_runtime.access.telling import AuditLog
from rehab_runtime.access.trail import Trail
from rehab_runtime.auth import Principal, service_principal
from rehab_runtime.channels import Peer
from rehab_runtime.clock import Clock
from rehab_runtime.eventlog import EventLog
from rehab_runtime.following import LogFold
from rehab_runtime.lifecycle import Background
from rehab_runtime.postgres import Database, Queries

PACKAGE = "rehab_identity.facts"
NAME = "identity"
SERVICES = ["rehab.identity.v1.IdentityService", "rehab.identity.v1.ConsentService"]
GATHER_S = 0.02
"""Most of the log is nothing to decisions: a transaction for each message of it is too many."""


@dataclass(frozen=True)
class Others:
    """What the other half does with an account: takes away what is kept when the patient is erased
    (it may be asked twice), and gives it for an export; and who was revoked since a time."""

    erase: Callable[[str], Awaitable[None]]
    about: About
    revoked_since: Callable[[Principal, float], bool] = lambda _who, _since: False


async def _nothing(_account_id: str) -> None:
    pass


NOTHING = Others(_nothing, nothing_else)


@dataclass(frozen=True)
class Access:
    """`gate` stands before every RPC of the service; `add` adds this half's, and tells their names;
    `close` sends watchers to another replica."""

    gate: Gate
    add: Callable[[grpc.aio.Server], list[str]]
    close: Callable[[], None]


@asynccontextmanager
async def access(
    settings: Settings,
    database: Database,
    clock: Clock,
    background: Background,
    others: Others | None = None,
) -> AsyncIterator[Access]:
    """Folds the log, decides by it, and tells of it while the context is open."""
    others = others or NOTHING
    async with AsyncExitStack() as stack:
        broker = await stack.enter_async_context(jetstream.connect(settings.nats_url, name=NAME))
        store = await stack.enter_async_context(
            Peer(settings.eventstore_address, settings.tls).channel()
        )
        event_log = EventLog(store, service_principal(NAME), opens=KINDS)
        queries = Queries.load(PACKAGE, "queries.sql")
        storage = Storage(database, queries)
        consumer = Consumer(storage, others.erase)
        log_fold = LogFold(
            *(NAME, settings, event_log, broker, storage.positions, consumer.fold),
            begun=consumer.begun,
            anew=ANEW,
            gather_s=GATHER_S,
        )
        patients, teller = Patients(storage), Teller(event_log, log_fold.progress, clock)
        trail = Trail(
            AuditLog(event_log, NAME).tell,
            clock,
            covered_s=settings.audit_covered_s,
            pace_s=settings.audit_ms / 1000,
        )
        gate = Gate(TABLE, patients, trail, clock)
        hub = Hub(
            settings.postgres_dsn,
            queries,
            clock,
            kept=timedelta(seconds=settings.revocations_kept_s),
        )
        notices = Notices(database, queries, settings.postgres_dsn)
        port = await _port(settings, clock, stack)
        parts = Parts(
            patients,
            storage,
            Deciding(patients, clock),
            hub,
            Emergencies(patients, storage, teller),
            Exporting(
                patients, storage, EventLog(store, service_principal(NAME)), teller, others.about
            ),
            Searching(database, queries),
            notices,
            others.revoked_since,
            gate,
            clock,
        )

        background.start(log_fold.run(), "folds who may")
        background.start(hub.run(), "tells of changes")
        background.start(heal_on(storage, event_log), "tries unreadable events again")
        background.start(notices.listener.run(), "hears of emergencies")
        background.start(notices.deliver_on(port), "delivers notices of emergencies")
        within = timedelta(hours=settings.emergency_review_h)
        background.start(count_overdue(storage, clock, within), "counts overdue reviews")
        await stack.enter_async_context(trails.running(trail, background, "tells who did"))
        servicers = IdentityServicer(parts), ConsentServicer(patients, storage, teller)
        yield Access(gate, partial(_add, *servicers), partial(_close, hub, notices))


def _close(hub: Hub, notices: Notices) -> None:
    hub.close()
    notices.close()


async def _port(settings: Settings, clock: Clock, stack: AsyncExitStack) -> Port:
    if not settings.notice_url:
        return LogPort()
    client = await stack.enter_async_context(http_client())
    secret = settings.notice_secret.get_secret_value()
    return WebhookPort(client, settings.notice_url, secret, clock)


def _add(
    identity: IdentityServicer, consent: ConsentServicer, server: grpc.aio.Server
) -> list[str]:
    identity_service_pb2_grpc.add_IdentityServiceServicer_to_server(identity, server)
    consent_service_pb2_grpc.add_ConsentServiceServicer_to_server(consent, server)
    return SERVICES
