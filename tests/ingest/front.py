"""Ingest over a real channel, an event store and PostgreSQL behind it."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import grpc

from rehab.events.v1.admin_pb2 import Quarantine
from rehab.events.v1.event_pb2 import Body, Event
from rehab.ingest.v1 import ingest_service_pb2 as pb
from rehab.ingest.v1.ingest_service_pb2_grpc import IngestServiceStub
from rehab_eventstore import main as eventstore
from rehab_eventstore.settings import Settings as EventstoreSettings
from rehab_ingest import main as ingest
from rehab_ingest.settings import Settings
from rehab_runtime.auth import Principal, bearer, service_principal
from rehab_runtime.channels import channel
from rehab_runtime.embedded import Postgres
from rehab_runtime.errors import RehabError, from_rpc_error
from rehab_runtime.eventlog import EventLog
from tests.ingest.given import CLINIC, PATIENT

QUIET: dict[str, Any] = {"metrics_listen": "", "drain_s": 2}
METADATA = (bearer(Principal(PATIENT, "patient", CLINIC)),)


class Device:
    """One conversation, message by message."""

    def __init__(self, stub: IngestServiceStub, metadata: Any = METADATA) -> None:
        self.call = stub.StreamObservations(metadata=metadata, timeout=30)
        self.rejects: list[pb.Reject] = []
        self.acked = 0
        self.acks: list[pb.Ack] = []

    async def hello(self, epoch: int = 1, device: str = "phone-1", **more: Any) -> pb.Welcome:
        hello = pb.Hello(clinic_id=CLINIC, device_id=device, epoch=epoch, **more)
        await self.call.write(pb.StreamObservationsRequest(hello=hello))
        return await self.until(lambda message: message.HasField("welcome"), "welcome")

    async def send(self, first_seq: int, *events: Event) -> None:
        batch = pb.Batch(first_seq=first_seq, events=events)
        await self.call.write(pb.StreamObservationsRequest(batch=batch))

    async def settled(self, seq: int) -> None:
        await self.until(lambda message: message.ack.seq >= seq, "ack")

    async def until(self, done: Callable[[pb.StreamObservationsResponse], bool], name: str) -> Any:
        while True:
            message = await self.call.read()
            if message is grpc.aio.EOF:
                raise AssertionError(f"the stream ended: {await self.call.code()}")
            if message.HasField("reject"):
                self.rejects.append(message.reject)
            if message.HasField("ack"):
                self.acked = message.ack.seq
                self.acks.append(message.ack)
            if done(message):
                return getattr(message, name)

    async def error(self) -> RehabError:
        try:
            while await self.call.read() is not grpc.aio.EOF:
                pass
        except grpc.aio.AioRpcError as error:
            return from_rpc_error(error)
        raise AssertionError("the stream ended well")


class Front:
    def __init__(
        self,
        connection: grpc.aio.Channel,
        log: EventLog,
        restart: Callable[[], Awaitable[None]],
        address: str = "",
    ) -> None:
        self.connection = connection
        self.address = address
        self.stub = IngestServiceStub(connection)
        self.log = log
        self.restart_eventstore = restart

    def device(self) -> Device:
        return Device(self.stub)

    async def stored(self) -> list[str]:
        """Ids of what the patient's stream holds, beside what tells of refusals."""
        return [
            event.envelope.event_id
            for event in await self.log.read_stream(PATIENT)
            if event.envelope.kind != "quarantine"
        ]

    async def quarantined(self) -> list[Quarantine]:
        """What tells of refusals, opened."""
        return [
            Body.FromString(event.body).quarantine
            for event in await self.log.read_stream(PATIENT)
            if event.envelope.kind == "quarantine"
        ]


@asynccontextmanager
async def fronted(
    postgres: Postgres, nats_url: str, shards: int = 1, **told: Any
) -> AsyncIterator[Front]:
    """`told` is what ingest is told beside its addresses."""
    name = uuid.uuid4().hex[:12]
    settings = EventstoreSettings(
        postgres_dsn=postgres.dsn(f"eventstore_{name}"),
        nats_url=nats_url,
        log_stream=f"LOG_{name}",
        subject_prefix=f"log_{name}",
        shards=shards,
        **QUIET,
    )
    store = eventstore.running(settings)
    address = (await store.__aenter__()).address

    async def restart() -> None:
        nonlocal store
        await store.__aexit__(None, None, None)
        store = eventstore.running(settings.model_copy(update={"listen": address}))
        await store.__aenter__()

    own = Settings(
        postgres_dsn=postgres.dsn(f"ingest_{name}"), eventstore_address=address, **QUIET | told
    )
    try:
        async with (
            ingest.running(own) as service,
            channel(service.address) as connection,
            channel(address) as to_log,
        ):
            log = EventLog(to_log, service_principal("test"))
            yield Front(connection, log, restart, service.address)
    finally:
        await store.__aexit__(None, None, None)
