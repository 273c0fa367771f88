"""Policy and an event store on real servers, as they are run."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import grpc

from rehab.events.v1.event_pb2 import Body, Event, RecordedEvent
from rehab.eventstore.v1 import eventstore_service_pb2 as store_pb
from rehab.policy.v1 import policy_service_pb2 as pb
from rehab.policy.v1.policy_service_pb2_grpc import PolicyServiceStub
from rehab.policy.v1.rule_service_pb2_grpc import RuleServiceStub
from rehab_eventstore import main as eventstore_main
from rehab_eventstore.settings import Settings as EventstoreSettings
from rehab_policy import main as policy_main
from rehab_policy.settings import Settings
from rehab_runtime.auth import Principal, bearer, service_principal
from rehab_runtime.channels import channel
from rehab_runtime.embedded import Postgres
from rehab_runtime.errors import RehabError, from_rpc_error
from rehab_runtime.eventlog import EventLog
from rehab_runtime.slices import shard_of
from tests.policy.given import BOOK, CLINIC, THERAPIST

ANN = Principal(THERAPIST, "therapist", CLINIC)
SUITE = service_principal("cli")
WAIT_S = 60.0


@dataclass(frozen=True)
class Place:
    """Where one test's services keep their things: nothing is shared with another test."""

    postgres: Postgres
    nats_url: str
    shards: int = 1
    name: str = field(default_factory=lambda: uuid.uuid4().hex[:12])

    def eventstore(self) -> EventstoreSettings:
        return EventstoreSettings(
            postgres_dsn=self.postgres.dsn(f"eventstore_{self.name}"),
            nats_url=self.nats_url,
            log_stream=f"LOG_{self.name}",
            subject_prefix=f"log_{self.name}",
            metrics_listen="",
            drain_s=1,
            shards=self.shards,
        )

    @property
    def policy_dsn(self) -> str:
        return self.postgres.dsn(f"policy_{self.name}")

    def policy(self, address: str, **told: Any) -> Settings:
        usual: dict[str, Any] = {
            "postgres_dsn": self.policy_dsn,
            "nats_url": self.nats_url,
            "eventstore_address": address,
            "log_stream": f"LOG_{self.name}",
            "subject_prefix": f"log_{self.name}",
            "metrics_listen": "",
            "drain_s": 1,
            "tick_ms": 50,
        }
        return Settings(**usual | told)


class Log:
    """The log as other services write and read it."""

    def __init__(self, connection: grpc.aio.Channel, shards: int) -> None:
        self.client = EventLog(connection, service_principal("cli"))
        self._shards = shards

    async def append(self, *events: Event) -> int:
        """The position of the last one, in its shard."""
        appends = []
        for event in events:
            request = store_pb.AppendRequest(stream=event.envelope.subject_id)
            request.expected.any.SetInParent()
            request.events.add(envelope=event.envelope, body=event.body.SerializeToString())
            appends.append(request)
        verdicts = await self.client.batch_append(appends)
        assert all(one.HasField("appended") for one in verdicts), verdicts
        return int(verdicts[-1].appended.last_position)

    async def said(self, *kinds: str) -> list[tuple[RecordedEvent, Body]]:
        """What policy said, in every shard."""
        found = []
        for shard in range(self._shards):
            events, _ = await self.client.read_all(0, 10_000, shard=shard)
            found += [
                (event, Body.FromString(event.body))
                for event in events
                if event.envelope.actor.id == "policy" and event.envelope.kind in kinds
            ]
        return found

    def shard_of(self, patient: str) -> int:
        return shard_of(patient, self._shards)


class Asks:
    """Asks policy as one principal; raises the RehabError that was answered."""

    def __init__(self, connection: grpc.aio.Channel, principal: Principal) -> None:
        self._stubs = PolicyServiceStub(connection), RuleServiceStub(connection)
        self._metadata = (bearer(principal),)

    def _call(self, rpc: str) -> Any:
        return next(getattr(one, rpc) for one in self._stubs if hasattr(one, rpc))

    async def __call__(self, rpc: str, request: Any) -> Any:
        try:
            return await self._call(rpc)(request, metadata=self._metadata, timeout=WAIT_S)
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error) from None

    async def stream(self, rpc: str, request: Any) -> AsyncIterator[Any]:
        call = self._call(rpc)(request, metadata=self._metadata, timeout=60)
        try:
            async for told in call:
                yield told
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error) from None
        finally:
            call.cancel()

    async def alerts(self, **asked: Any) -> list[pb.RaisedAlert]:
        request = pb.ListAlertsRequest(**{"clinic_id": CLINIC, **asked})
        return list((await self("ListAlerts", request)).alerts)

    async def alerts_of(self, count: int, **asked: Any) -> list[pb.RaisedAlert]:
        """Once there are so many; fails when there are not in time."""
        async with asyncio.timeout(WAIT_S):
            while len(found := await self.alerts(**asked)) < count:
                await asyncio.sleep(0.02)
        return found


@dataclass(frozen=True)
class House:
    """Running services, asked by the therapist unless told otherwise."""

    place: Place
    log: Log
    asks: Asks
    address: str
    eventstore_address: str
    background: Any

    @asynccontextmanager
    async def as_(self, principal: Principal) -> AsyncIterator[Asks]:
        async with channel(self.address) as connection:
            yield Asks(connection, principal)

    async def folded(self, position: int, shard: int = 0) -> None:
        """Policy has seen the log up to a position."""
        async with asyncio.timeout(WAIT_S):
            while (await positions(self.place)).get(shard, 0) < position:
                await asyncio.sleep(0.01)


async def positions(place: Place) -> dict[int, int]:
    rows = await stored(place, "SELECT shard, position FROM log_position")
    return {row["shard"]: row["position"] for row in rows}


async def stored(place: Place, query: str, *values: Any) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(place.policy_dsn)
    try:
        return list(await connection.fetch(query, *values))
    finally:
        await connection.close()


@asynccontextmanager
async def eventstore(place: Place) -> AsyncIterator[tuple[Log, str]]:
    async with (
        eventstore_main.running(place.eventstore()) as store,
        channel(store.address) as connection,
    ):
        yield Log(connection, place.shards), store.address


@asynccontextmanager
async def policy(
    place: Place, address: str, log: Log, book: Mapping[str, str] = BOOK, **told: Any
) -> AsyncIterator[House]:
    async with (
        policy_main.running(place.policy(address, **told), book=book) as service,
        channel(service.address) as connection,
    ):
        asks = Asks(connection, ANN)
        try:
            yield House(place, log, asks, service.address, address, service.background)
        finally:
            if service.background.fallen.done():
                raise service.background.fallen.result()


@asynccontextmanager
async def housed(place: Place, book: Mapping[str, str] = BOOK, **told: Any) -> AsyncIterator[House]:
    async with (
        eventstore(place) as (log, address),
        policy(place, address, log, book, **told) as made,
    ):
        yield made


async def refused(asked: Any) -> RehabError:
    """The error that a call answers."""
    try:
        await asked
    except RehabError as error:
        return error
    raise AssertionError("the call was answered")


def ids(found: Iterable[tuple[RecordedEvent, Body]]) -> list[str]:
    return [event.envelope.event_id for event, _ in found]
