"""What receivers read here: the keys by which they know our assertions, and `facade` for those that
pull."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from rehab_emr.net.signing import SigningKeys
from rehab_runtime import startup
from rehab_runtime.errors import RehabError

CACHE = {"cache-control": "public, max-age=300"}
"""A new key is told a day before it signs: nobody misses it."""


def app(keys: SigningKeys, facade: Sequence[Route]) -> Starlette:
    async def jwks(_: Request) -> Response:
        try:
            return JSONResponse(await keys.told(), headers=CACHE)
        except RehabError:
            return Response(status_code=503, headers={"retry-after": "5"})

    return Starlette(routes=[Route("/.well-known/jwks.json", jwks), *facade])


@asynccontextmanager
async def served(keys: SigningKeys, facade: Sequence[Route], listen: str) -> AsyncIterator[str]:
    """Yields where it is reached; nothing is served for an empty `listen`. Raises StartupError."""
    if not listen:
        yield ""
        return
    host, port = startup.split(listen)
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.create_server((host, port), family=family)
    except OSError as error:
        raise startup.cannot_listen(listen, "HTTP_LISTEN", error) from None
    # asyncio does so only where the protocol is told: without, an answer may wait 40 ms
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    config = uvicorn.Config(
        app(keys, facade), log_config=None, access_log=False, lifespan="off", server_header=False
    )
    server = uvicorn.Server(config)
    # signals are the service's
    server.capture_signals = contextlib.nullcontext  # type: ignore[assignment, method-assign]
    task = asyncio.create_task(server.serve(sockets=[listener]), name="serves HTTP")
    try:
        yield startup.reachable(listen, listener.getsockname()[1])
    finally:
        server.should_exit = True
        await task
