"""What happens around every call, outermost first: errors, trace, metrics, who is calling and
whether they may."""

from __future__ import annotations

import asyncio
import functools
import re
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Protocol

import grpc
import structlog
from grpc_status import rpc_status
from prometheus_client import Counter

from rehab_runtime.auth import Authenticator, set_principal
from rehab_runtime.decoding import Decoded, lenient, require_decoded, the_one
from rehab_runtime.errors import Internal, RehabError, Unavailable, to_status
from rehab_runtime.logging import get_logger, place
from rehab_runtime.metrics import declare_counter, declare_gauge, declare_histogram
from rehab_runtime.tls import PEER, peer_of

log = get_logger("rpc")
OPEN_METHODS = ("/grpc.health.v1.Health/", "/grpc.reflection.")
_CORRELATION = re.compile(r"[A-Za-z0-9_-]{1,64}")

handled = declare_counter(
    "rpc_handled_total",
    "Calls answered, by method and status code.",
    "look at the codes; INTERNAL is a fault of ours, see the log by correlation id",
    ["method", "code"],
)
seconds = declare_histogram(
    "rpc_seconds",
    "Time from a call's start to its end.",
    "see which method is slow and what it waits for: PostgreSQL, another service, a full queue",
    ["method"],
)
in_flight = declare_gauge(
    "rpc_in_flight",
    "Calls being served.",
    "add replicas when it stays near MAX_CONCURRENT_RPCS",
    ["method"],
)

Handler = grpc.RpcMethodHandler


class Gate(Protocol):
    """Who may call what; `rehab_runtime.access.gate` has the one of the suite."""

    def is_open(self, method: str) -> bool: ...

    async def admit(self, method: str, request: Any) -> object: ...


class _Meter:
    """The metrics of one method, looked up once."""

    def __init__(self, method: str) -> None:
        self.in_flight = in_flight.labels(method)
        self.seconds = seconds.labels(method)
        self._handled: dict[grpc.StatusCode, Counter] = {}
        self._method = method

    def handled(self, code: grpc.StatusCode) -> None:
        if code not in self._handled:
            self._handled[code] = handled.labels(self._method, code.name)
        self._handled[code].inc()


class Interceptor:
    """Wraps handlers of all four kinds. That is done once for each, when it is added to a server:
    grpc.aio's own interceptors would do it anew at every call."""

    def __init__(self, authenticator: Authenticator, gate: Gate | None = None) -> None:
        self._authenticator = authenticator
        self._gate = gate
        self._serving = 0
        self._idle = asyncio.Event()
        self._idle.set()

    async def idle(self) -> None:
        """Wait until no handler runs."""
        await self._idle.wait()

    def wrap(self, method: str, handler: Handler) -> Handler:
        """The handler of "/package.Service/Method" with all around it; open methods almost as they
        are."""
        if method.startswith(OPEN_METHODS):
            return _open(handler)
        return _wrap(handler, functools.partial(self._answer, method, _Meter(method)))

    async def _answer(
        self,
        method: str,
        meter: _Meter,
        call: Callable[[Any], Awaitable[Any]],
        context: grpc.aio.ServicerContext,
        *,
        several: bool,
    ) -> Any:
        started = time.perf_counter()
        correlation = ""
        code = grpc.StatusCode.OK
        meter.in_flight.inc()
        self._serving += 1
        self._idle.clear()
        try:
            metadata = {str(key): str(value) for key, value in context.invocation_metadata() or ()}
            metadata[PEER] = peer_of(context)
            correlation = _correlation(metadata)
            # for this call alone: each has a task, and so a context, of its own
            structlog.contextvars.bind_contextvars(correlation_id=correlation)
            return await call(await self._admitted(method, metadata, context, several=several))
        except asyncio.CancelledError:
            code = grpc.StatusCode.CANCELLED
            raise
        except grpc.aio.AbortError:
            code = context.code() or grpc.StatusCode.UNKNOWN
            raise
        except _ClientLeft:
            code = grpc.StatusCode.CANCELLED
            return None
        except Exception as error:
            failure = _translated(error, method)
            code = failure.status
            await _abort(context, failure, correlation)
        finally:
            meter.in_flight.dec()
            self._serving -= 1
            if not self._serving:
                self._idle.set()
            meter.handled(code)
            meter.seconds.observe(time.perf_counter() - started)

    async def _admitted(
        self,
        method: str,
        metadata: dict[str, str],
        context: grpc.aio.ServicerContext,
        *,
        several: bool,
    ) -> Any:
        """The request of a caller who may go on; None where several come. It is waited for only
        when it is known who calls."""
        is_open = self._gate is not None and self._gate.is_open(method)
        if not is_open:
            set_principal(await self._authenticator.authenticate(metadata))
        request = None if several else await the_one(context)
        if self._gate is not None and not is_open:
            await self._gate.admit(method, request)
        return request


class _ClientLeft(Exception):
    """While an answer was written: there is nobody to tell of it."""


async def _write(context: grpc.aio.ServicerContext, response: Any) -> None:
    try:
        await context.write(response)
    except grpc.aio.InternalError:
        raise _ClientLeft from None


async def _abort(context: grpc.aio.ServicerContext, failure: RehabError, correlation: str) -> None:
    status = rpc_status.to_status(to_status(failure))
    trailing = (*status.trailing_metadata, ("x-correlation-id", correlation))
    await context.abort(status.code, status.details, trailing)


def _correlation(metadata: dict[str, str]) -> str:
    given = metadata.get("x-correlation-id", "")
    return given if _CORRELATION.fullmatch(given) else secrets.token_hex(16)


def _translated(error: Exception, method: str) -> RehabError:
    if isinstance(error, Internal):
        log.error("internal error", rpc=method, reason=error.detail)
        return error
    if isinstance(error, RehabError):
        if isinstance(error, Unavailable):
            log.warning("dependency unavailable", rpc=method, reason=error.detail)
        return error
    # the text of a foreign exception may quote patient data: only its type and place are logged
    log.error(
        "unexpected error", rpc=method, error_type=type(error).__qualname__, where=place(error)
    )
    return Internal()


def _open(handler: Handler) -> Handler:
    """Health, which asks nobody who they are: what is no message is refused there, too."""
    if handler.request_streaming or handler.response_streaming:
        return handler
    check: Any = handler.unary_unary

    async def single(request: Any, context: grpc.aio.ServicerContext) -> Any:
        try:
            require_decoded(request)
        except RehabError as error:
            await _abort(context, error, "")
        return await check(request, context)

    return grpc.unary_unary_rpc_method_handler(
        single, lenient(handler.request_deserializer), handler.response_serializer
    )


def _wrap(handler: Handler, answer: Callable[..., Awaitable[Any]]) -> Handler:
    """To gRPC every call is one of several requests, and the one of a unary call is read here:
    gRPC would wait for it, for as long as it takes, before it is asked who calls."""
    codec = {
        "request_deserializer": lenient(handler.request_deserializer),
        "response_serializer": handler.response_serializer,
    }
    several = handler.request_streaming
    if handler.response_streaming:
        behaviour: Any = handler.stream_stream if several else handler.unary_stream

        async def streaming(requests: Any, context: grpc.aio.ServicerContext) -> None:
            async def call(request: Any) -> None:
                told = Decoded(requests) if several else request
                responses: AsyncIterator[Any] = behaviour(told, context)
                try:
                    async for response in responses:
                        await _write(context, response)
                finally:
                    await responses.aclose()  # type: ignore[attr-defined]

            await answer(call, context, several=several)

        return grpc.stream_stream_rpc_method_handler(streaming, **codec)
    plain: Any = handler.stream_unary if several else handler.unary_unary

    async def single(requests: Any, context: grpc.aio.ServicerContext) -> Any:
        async def call(request: Any) -> Any:
            return await plain(Decoded(requests) if several else request, context)

        return await answer(call, context, several=several)

    return grpc.stream_unary_rpc_method_handler(single, **codec)
