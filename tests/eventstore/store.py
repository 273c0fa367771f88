"""An event store as it is run, and a caller of it."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import grpc

from rehab.events.v1.event_pb2 import RecordedEvent
from rehab.eventstore.v1 import eventstore_service_pb2 as pb
from rehab.eventstore.v1.eventstore_service_pb2_grpc import EventStoreServiceStub
from rehab_eventstore.main import running
from rehab_eventstore.settings import Settings
from rehab_runtime.auth import Principal, bearer, service_principal
from rehab_runtime.bodies import Bodies
from rehab_runtime.channels import channel
from rehab_runtime.errors import RehabError, from_rpc_error

TIMEOUT_S = 20


class Store:
    """Calls one event store; raises the RehabError that it answers."""

    def __init__(
        self,
        connection: grpc.aio.Channel,
        settings: Settings,
        principal: Principal,
        address: str = "",
    ) -> None:
        self.settings = settings
        self.address = address
        self.connection = connection
        self._stub = EventStoreServiceStub(connection)
        self._metadata = (bearer(principal),)
        self.open = Bodies(connection, principal).open

    def as_(self, principal: Principal) -> Store:
        return Store(self.connection, self.settings, principal, self.address)

    async def append(self, request: pb.AppendRequest) -> pb.Appended:
        answer: pb.AppendResponse = await self._ask("Append", request)
        return answer.appended

    async def batch(self, *appends: pb.AppendRequest) -> Sequence[pb.AppendVerdict]:
        answer: pb.BatchAppendResponse = await self._ask(
            "BatchAppend", pb.BatchAppendRequest(appends=appends)
        )
        return answer.verdicts

    async def atomic(
        self, *appends: pb.AppendRequest, guards: Sequence[pb.Guard] = ()
    ) -> Sequence[pb.Appended]:
        answer: pb.AppendAtomicResponse = await self._ask(
            "AppendAtomic", pb.AppendAtomicRequest(appends=appends, guards=guards)
        )
        return answer.appended

    async def head(self, shard: int = 0) -> pb.GetHeadResponse:
        answer: pb.GetHeadResponse = await self._ask("GetHead", pb.GetHeadRequest(shard=shard))
        return answer

    async def stream_pages(self, stream: str, **asked: Any) -> list[list[RecordedEvent]]:
        request = pb.ReadStreamRequest(stream=stream, **asked)
        return [list(page.events) async for page in self._stream("ReadStream", request)]

    async def stream(self, stream: str, **asked: Any) -> list[RecordedEvent]:
        return [one for page in await self.stream_pages(stream, **asked) for one in page]

    async def pages(self, **asked: Any) -> list[pb.ReadAllResponse]:
        return [page async for page in self._stream("ReadAll", pb.ReadAllRequest(**asked))]

    async def all(self, **asked: Any) -> list[RecordedEvent]:
        return [one for page in await self.pages(**asked) for one in page.events]

    def subscribe(self, **asked: Any) -> AsyncIterator[pb.SubscribeResponse]:
        return self._stream("Subscribe", pb.SubscribeRequest(**asked))

    async def _ask(self, rpc: str, request: Any) -> Any:
        try:
            return await getattr(self._stub, rpc)(
                request, metadata=self._metadata, timeout=TIMEOUT_S
            )
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error) from None

    async def _stream(self, rpc: str, request: Any) -> AsyncIterator[Any]:
        call = getattr(self._stub, rpc)(request, metadata=self._metadata, timeout=TIMEOUT_S)
        try:
            async for message in call:
                yield message
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error) from None
        finally:
            call.cancel()


def settings_for(dsn: str, nats_url: str, **more: Any) -> Settings:
    """Settings of a store with a broker stream of its own."""
    name = uuid.uuid4().hex[:12]
    told = {
        "postgres_dsn": dsn,
        "nats_url": nats_url,
        "log_stream": f"LOG_{name}",
        "subject_prefix": f"log_{name}",
        "metrics_listen": "",
        "drain_s": 2,
    }
    return Settings(**{**told, **more})


@asynccontextmanager
async def store(settings: Settings) -> AsyncIterator[Store]:
    async with running(settings) as service, channel(service.address) as connection:
        yield Store(connection, settings, service_principal("test"), service.address)


async def refused(asked: Any) -> RehabError:
    """The error that a call answers."""
    try:
        await asked
    except RehabError as error:
        return error
    raise AssertionError("the call was answered")


def rules(error: RehabError) -> list[tuple[str, str]]:
    return [(broken.field, broken.rule) for broken in error.violations]
