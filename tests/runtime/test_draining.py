"""A server that leaves: it says so, lets open calls end, and waits no longer than it is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from rehab_runtime.auth import DevelopmentAuthenticator, bearer, service_principal
from rehab_runtime.channels import channel
from rehab_runtime.server import GrpcServer, serve_grpc
from rehab_runtime.settings import ServiceSettings

NAME = "test.Held"
METADATA = (bearer(service_principal("test")),)
SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


@dataclass
class Held:
    """One call that is open until it is let go."""

    begun: asyncio.Event = field(default_factory=asyncio.Event)
    let_go: asyncio.Event = field(default_factory=asyncio.Event)

    async def hold(self, _: bytes, __: Any) -> bytes:
        self.begun.set()
        await self.let_go.wait()
        return b"to the end"


@dataclass
class Leaving:
    held: Held
    server: GrpcServer
    connection: grpc.aio.Channel
    _stack: AsyncExitStack

    def call(self) -> Any:
        return self.connection.unary_unary(f"/{NAME}/hold")(b"", metadata=METADATA, timeout=20)

    def leave(self) -> asyncio.Task[None]:
        """As a service does that was told to stop."""
        return asyncio.create_task(self._stack.aclose())


@asynccontextmanager
async def sample(drain_s: float) -> AsyncIterator[Leaving]:
    held = Held()

    def add(server: grpc.aio.Server) -> list[str]:
        handler = grpc.unary_unary_rpc_method_handler(held.hold)
        server.add_registered_method_handlers(NAME, {"hold": handler})
        return [NAME]

    settings = ServiceSettings(listen="127.0.0.1:0", metrics_listen="", drain_s=drain_s)
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(
            serve_grpc(settings, add, authenticator=DevelopmentAuthenticator())
        )
        async with channel(server.address) as connection:
            yield Leaving(held, server, connection, stack)


async def refused(address: str) -> None:
    """Wait until nobody new is served."""
    code = None
    async with asyncio.timeout(20), channel(address) as other:
        hold = other.unary_unary(f"/{NAME}/hold")
        while code is not grpc.StatusCode.UNAVAILABLE:
            with pytest.raises(grpc.aio.AioRpcError) as told:
                await hold(b"", metadata=METADATA, timeout=0.5)
            code = told.value.code()


async def test_an_open_call_is_answered_and_a_new_one_is_not_taken() -> None:
    async with sample(drain_s=20) as leaving:
        call = leaving.call()
        await leaving.held.begun.wait()
        gone = leaving.leave()
        await leaving.server.draining.wait()
        await refused(leaving.server.address)
        assert not gone.done()
        leaving.held.let_go.set()
        assert await call == b"to the end"
        await gone


async def test_a_call_that_does_not_end_is_cut_when_the_time_is_up() -> None:
    async with sample(drain_s=0.05) as leaving:
        call = leaving.call()
        await leaving.held.begun.wait()
        await leaving.leave()
        with pytest.raises(grpc.aio.AioRpcError) as cut:
            await call
        assert cut.value.code() in {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED}


async def test_who_watches_is_told_that_it_is_not_ready_but_alive() -> None:
    async with sample(drain_s=20) as leaving:
        health = health_pb2_grpc.HealthStub(leaving.connection)
        ready, live = (
            aiter(health.Watch(health_pb2.HealthCheckRequest(service=name), timeout=20))
            for name in ("ready", "live")
        )
        assert [(await anext(one)).status for one in (ready, live)] == [SERVING, SERVING]
        leaving.held.let_go.set()
        gone = leaving.leave()
        assert (await anext(ready)).status == NOT_SERVING
        # the other watch says nothing until it is cut
        with pytest.raises((grpc.aio.AioRpcError, StopAsyncIteration)):
            await anext(live)
        await gone


async def test_a_server_that_is_idle_leaves_however_long_it_might_wait() -> None:
    async with sample(drain_s=600) as leaving:
        leaving.held.let_go.set()
        assert await leaving.call() == b"to the end"
        await leaving.leave()
