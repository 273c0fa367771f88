"""A clinic's services on real servers: the event store and the projections, as they are run."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

import asyncpg
import grpc

from rehab.events.v1 import event_pb2
from rehab.eventstore.v1 import eventstore_service_pb2 as store_pb
from rehab.projections.v1 import projections_service_pb2 as pb
from rehab.projections.v1.projections_service_pb2_grpc import ProjectionsServiceStub
from rehab_eventstore import main as eventstore_main
from rehab_eventstore.settings import Settings as EventstoreSettings
from rehab_projections import main as projections_main
from rehab_projections.registry.versions import schema_of
from rehab_projections.settings import Settings as ProjectionsSettings
from rehab_runtime.auth import Principal, bearer, service_principal
from rehab_runtime.channels import channel
from rehab_runtime.errors import RehabError, from_rpc_error
from rehab_runtime.eventlog import EventLog
from tests.projections.given import CLINIC

THERAPIST = Principal("ann", "therapist", CLINIC)
WAIT_MS = 10_000


@dataclass(frozen=True)
class Place:
    """Where one test's services keep their things: nothing is shared with another test."""

    postgres: Any
    nats_url: str
    shards: int = 1
    name: str = field(default_factory=lambda: uuid.uuid4().hex[:12])

    @property
    def stream(self) -> str:
        return f"LOG_{self.name}"

    @property
    def subject_prefix(self) -> str:
        return f"log_{self.name}"

    def eventstore(self) -> EventstoreSettings:
        return EventstoreSettings(
            postgres_dsn=self.postgres.dsn(f"eventstore_{self.name}"),
            nats_url=self.nats_url,
            log_stream=self.stream,
            subject_prefix=self.subject_prefix,
            metrics_listen="",
            drain_s=1,
            shards=self.shards,
        )

    def projections(self, address: str, **more: Any) -> ProjectionsSettings:
        told = {
            "postgres_dsn": self.postgres.dsn(f"projections_{self.name}"),
            "nats_url": self.nats_url,
            "eventstore_address": address,
            "log_stream": self.stream,
            "subject_prefix": self.subject_prefix,
            "metrics_listen": "",
            "drain_s": 1,
            "watch_interval_ms": 10,
            "watch_tick_ms": 50,
        }
        return ProjectionsSettings(**{**told, **more})


@asynccontextmanager
async def looked_into(dsn: str, version: int = 1) -> AsyncIterator[asyncpg.Connection]:
    """A connection that sees the tables of a version of the read models."""
    connection = await asyncpg.connect(
        dsn, server_settings={"search_path": f"{schema_of(version)}, public"}
    )
    try:
        yield connection
    finally:
        await connection.close()


class Log:
    """Appends to the event store as a device's service would."""

    def __init__(self, connection: grpc.aio.Channel) -> None:
        self.client = EventLog(connection, service_principal("test"))

    async def append(self, *events: event_pb2.Event) -> int:
        """Append in the order given; answers the last position of a log with one shard."""
        return max((await self.written(*events)).values(), default=0)

    async def written(self, *events: event_pb2.Event) -> dict[int, int]:
        """Append in the order given; answers the last position by shard."""
        appends = []
        for stream, told in groupby(events, key=lambda made: made.envelope.subject_id):
            request = store_pb.AppendRequest(stream=stream)
            request.expected.any.SetInParent()
            request.events.extend(_new(made) for made in told)
            appends.append(request)
        last: dict[int, int] = {}
        for start in range(0, len(appends), 500):
            for verdict in await self.client.batch_append(appends[start : start + 500]):
                assert verdict.HasField("appended"), verdict
                place = verdict.appended
                last[place.shard] = max(last.get(place.shard, 0), place.last_position)
        return last


def _new(made: event_pb2.Event) -> store_pb.NewEvent:
    return store_pb.NewEvent(envelope=made.envelope, body=made.body.SerializeToString())


class Reads:
    """Asks the projections as one principal; raises the RehabError that was answered."""

    def __init__(self, connection: grpc.aio.Channel, principal: Principal) -> None:
        self._stub = ProjectionsServiceStub(connection)
        self._metadata = (bearer(principal),)

    async def _ask(self, rpc: str, request: Any) -> Any:
        try:
            return await getattr(self._stub, rpc)(request, metadata=self._metadata, timeout=15)
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error) from None

    async def adherence(self, **asked: Any) -> pb.GetAdherenceResponse:
        return await self._ask("GetAdherence", pb.GetAdherenceRequest(**asked))

    async def quality(self, **asked: Any) -> pb.GetQualityResponse:
        return await self._ask("GetQuality", pb.GetQualityRequest(**asked))

    async def sessions(self, **asked: Any) -> pb.ListSessionsResponse:
        return await self._ask("ListSessions", pb.ListSessionsRequest(**asked))

    async def work(self, **asked: Any) -> pb.ListWorkQueueResponse:
        told = {"clinic_id": CLINIC, **asked}
        return await self._ask("ListWorkQueue", pb.ListWorkQueueRequest(**told))

    async def lag(self) -> pb.ProjectionLag:
        return (await self.lags())[0]

    async def lags(self) -> Sequence[pb.ProjectionLag]:
        return (await self._ask("GetLag", pb.GetLagRequest())).projections

    async def lag_at(self, position: int) -> pb.ProjectionLag:
        """The lag once a position is folded; fails when it is not after WAIT_MS."""
        async with asyncio.timeout(WAIT_MS / 1000):
            while (lag := await self.lag()).position < position:
                await asyncio.sleep(0.01)
        return lag

    async def watch(self, **asked: Any) -> AsyncIterator[pb.WatchWorkQueueResponse]:
        told = {"clinic_id": CLINIC, **asked}
        call = self._stub.WatchWorkQueue(
            pb.WatchWorkQueueRequest(**told), metadata=self._metadata, timeout=30
        )
        try:
            async for change in call:
                yield change
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error) from None
        finally:
            call.cancel()


def since(position: int) -> pb.Consistency:
    return pb.Consistency(min_position=position, max_wait_ms=WAIT_MS)


def since_all(positions: Mapping[int, int]) -> pb.Consistency:
    told = [
        event_pb2.LogPosition(shard=shard, position=position)
        for shard, position in positions.items()
    ]
    return pb.Consistency(min_positions=told, max_wait_ms=WAIT_MS)


@dataclass(frozen=True)
class Clinic:
    """Running services, asked by a therapist unless told otherwise."""

    place: Place
    log: Log
    reads: Reads
    address: str
    eventstore_address: str
    background: Any

    @asynccontextmanager
    async def as_(self, principal: Principal) -> AsyncIterator[Reads]:
        async with channel(self.address) as connection:
            yield Reads(connection, principal)


@asynccontextmanager
async def eventstore(place: Place) -> AsyncIterator[tuple[Log, str]]:
    async with (
        eventstore_main.running(place.eventstore()) as store,
        channel(store.address) as connection,
    ):
        yield Log(connection), store.address


@asynccontextmanager
async def projections(place: Place, address: str, log: Log, **more: Any) -> AsyncIterator[Clinic]:
    async with (
        projections_main.running(place.projections(address, **more)) as service,
        channel(service.address) as connection,
    ):
        reads = Reads(connection, THERAPIST)
        yield Clinic(place, log, reads, service.address, address, service.background)


@asynccontextmanager
async def clinic(place: Place) -> AsyncIterator[Clinic]:
    async with eventstore(place) as (log, address), projections(place, address, log) as made:
        yield made


async def refused(asked: Any) -> RehabError:
    """The error that a call answers."""
    try:
        await asked
    except RehabError as error:
        return error
    raise AssertionError("the call was answered")


def rules_of(error: RehabError) -> list[tuple[str, str]]:
    return [(violation.field, violation.rule) for violation in error.violations]


def patients(items: Iterable[pb.WorkItem]) -> list[str]:
    return [item.patient_id for item in items]


def codes(item: pb.WorkItem) -> Sequence[str]:
    return [reason.code for reason in item.reasons]
