"""Requests that are no messages. grpc.aio answers those by itself, with code UNKNOWN and the words
of the parser, and reports each as an error of the server: here they are one more broken rule."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Callable
from typing import Any

import grpc
from google.protobuf.message import DecodeError

from rehab_runtime.errors import InvalidArgument, ProtocolViolation, Violation

REQUEST_S = 10.0
"""How long the one request of a unary call may be on its way."""
Deserialize = Callable[[bytes], Any]


class _Undecodable:
    """Stands for a request that is no message of its type."""


UNDECODABLE = _Undecodable()


def lenient(deserialize: Deserialize | None) -> Deserialize | None:
    """The same, but for what cannot be read it gives UNDECODABLE."""
    if deserialize is None:
        return None

    def read(raw: bytes) -> Any:
        try:
            return deserialize(raw)
        except DecodeError:
            return UNDECODABLE

    return read


def require_decoded(request: Any) -> None:
    """Raises InvalidArgument for UNDECODABLE."""
    if request is UNDECODABLE:
        rule = Violation("request", "message.decodable", "must be a message of the contract")
        raise InvalidArgument(violations=[rule])


async def the_one(context: grpc.aio.ServicerContext) -> Any:
    """The request of a unary call. Raises ProtocolViolation when it does not come in time, and
    InvalidArgument when it is no message."""
    try:
        async with asyncio.timeout(REQUEST_S):
            request = await context.read()
    except TimeoutError:
        rule = Violation("request", "protocol.request_in_time", "the request must come at once")
        raise ProtocolViolation(violations=[rule]) from None
    require_decoded(UNDECODABLE if request is grpc.aio.EOF else request)
    return request


class Decoded:
    """Requests of a call as they come. Raises InvalidArgument at the first that is no message."""

    def __init__(self, requests: AsyncIterable[Any]) -> None:
        self._requests = requests
        self._coming: AsyncIterator[Any] | None = None

    def __aiter__(self) -> Decoded:
        return self

    async def __anext__(self) -> Any:
        if self._coming is None:  # not before: a call that is refused reads nothing
            self._coming = aiter(self._requests)
        request = await anext(self._coming)
        require_decoded(request)
        return request
