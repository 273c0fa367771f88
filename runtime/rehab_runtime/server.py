"""The gRPC server: one place for limits, keepalive, health and interceptors."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import cast

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1.health import aio as health_aio
from grpc_reflection.v1alpha import reflection

from rehab_runtime.auth import Authenticator, PeerAuthenticator
from rehab_runtime.channels import KEEPALIVE, MAX_MESSAGE_BYTES, SMALL_WINDOW
from rehab_runtime.interceptors import Gate, Interceptor
from rehab_runtime.settings import ServiceSettings, prefix_of, variable_of
from rehab_runtime.startup import StartupError, reachable, require_free

SERVER_OPTIONS = (
    *KEEPALIVE,
    SMALL_WINDOW,
    ("grpc.http2.min_recv_ping_interval_without_data_ms", 5_000),
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_metadata_size", 8192),
    ("grpc.absolute_max_metadata_size", 16384),
    ("grpc.so_reuseport", 0),
    # Calls that wait to be begun: with more of them gRPC cancels some, of anybody. By default that
    # are 1000, which one client fills that opens streams and resets them at once (CVE-2023-44487).
    ("grpc.server.max_pending_requests", 5_000),
    ("grpc.server.max_pending_requests_hard_limit", 10_000),
    ("grpc.max_concurrent_streams", 1_000),
    # a connection that says nothing, or too slowly, what HTTP/2 begins with
    ("grpc.server_handshake_timeout_ms", 10_000),
    # one without a call; whoever calls again connects anew
    ("grpc.max_connection_idle_ms", 900_000),
)
FLUSH_S = 1.0
"""How long a client may take to read the last answers."""
SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


class _Handlers:
    """Takes services' handlers for a server, with what happens around every call.

    They are looked up by name. For registered ones grpc.aio keeps a task each and waits for all of
    them anew at every call, a fifth of its cost in a service with 28 methods.
    """

    def __init__(self, server: grpc.aio.Server, interceptor: Interceptor) -> None:
        self._server = server
        self._interceptor = interceptor

    def add_generic_rpc_handlers(self, handlers: object) -> None:
        """Generated code tells each handler twice: the other way it is by its name."""

    def add_registered_method_handlers(
        self, service: str, handlers: Mapping[str, grpc.RpcMethodHandler]
    ) -> None:
        wrapped = {
            name: self._interceptor.wrap(f"/{service}/{name}", handler)
            for name, handler in handlers.items()
        }
        self._server.add_generic_rpc_handlers(
            (grpc.method_handlers_generic_handler(service, wrapped),)
        )


class GrpcServer:
    """A started server. `draining` is set before open calls are given time to end."""

    def __init__(
        self,
        server: grpc.aio.Server,
        address: str,
        health: health_aio.HealthServicer,
        interceptor: Interceptor,
        peers_address: str = "",
    ) -> None:
        self.peers_address = peers_address
        self._server = server
        self._interceptor = interceptor
        self.address = address
        self.draining = asyncio.Event()
        self.health = health

    async def set_ready(self, ready: bool) -> None:
        status = SERVING if ready else NOT_SERVING
        for name in ("", "ready"):
            await self.health.set(name, status)

    async def drain(self, grace_s: float) -> None:
        """Tell load balancers and open streams, then stop; what is open after `grace_s` is cut.

        So is a call whose handler has ended and whose client does not read the answer.
        """
        self.draining.set()
        await self.set_ready(False)
        stopping = asyncio.ensure_future(self._server.stop(grace_s))
        answered = asyncio.ensure_future(self._interceptor.idle())
        await asyncio.wait([stopping, answered], return_when=asyncio.FIRST_COMPLETED)
        await asyncio.wait([stopping], timeout=FLUSH_S)
        answered.cancel()
        await self._server.stop(None)
        await stopping


@asynccontextmanager
async def serve_grpc(
    settings: ServiceSettings,
    add_servicers: Callable[[grpc.aio.Server], Sequence[str]],
    *,
    authenticator: Authenticator | None,
    gate: Gate | None = None,
) -> AsyncIterator[GrpcServer]:
    """Serve while the context is open. `add_servicers` registers servicers and returns their full
    names. `authenticator` knows people; None lets in services of the suite alone. With a gate
    nobody reaches a handler whom it does not admit. StartupError, naming the variable, when the
    port is not to be had."""
    require_free(settings.listen, variable_of(settings, "listen"))
    known = PeerAuthenticator(authenticator, prefix_of(type(settings)).strip("_").lower())
    if settings.environment == "production" and known.development_only:
        raise StartupError(
            "development credentials are not accepted in production",
            "configure an identity provider",
        )
    interceptor = Interceptor(known, gate)
    server = grpc.aio.server(
        options=SERVER_OPTIONS, maximum_concurrent_rpcs=settings.max_concurrent_rpcs
    )
    handlers = cast("grpc.aio.Server", _Handlers(server, interceptor))
    names = list(add_servicers(handlers))
    health = health_aio.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(health, handlers)
    for name in ("", "startup", "ready", "live", *names):
        await health.set(name, SERVING)
    if settings.reflects:
        reflection.enable_server_reflection([*names, reflection.SERVICE_NAME], handlers)
    port = server.add_insecure_port(settings.listen)
    peers = _listen_to_peers(server, settings)
    await server.start()
    running = GrpcServer(server, reachable(settings.listen, port), health, interceptor, peers)
    try:
        yield running
    finally:
        await running.drain(settings.drain_s)


def _listen_to_peers(server: grpc.aio.Server, settings: ServiceSettings) -> str:
    """Where services of the suite call; empty when they do as everybody does."""
    if not settings.peers_listen or settings.tls is None:
        return ""
    require_free(settings.peers_listen, variable_of(settings, "peers_listen"))
    settings.tls.require_readable(prefix_of(type(settings)))
    port = server.add_secure_port(settings.peers_listen, settings.tls.for_server())
    return reachable(settings.peers_listen, port)
