"""Watches any read: what a read asks and what it makes of an answer stands in the read alone."""

from __future__ import annotations

import contextlib
import copy
import inspect
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any, ParamSpec, TypeVar, overload

import grpc
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from rehab_sdk.calls import Calls
from rehab_sdk.errors import invalid
from rehab_sdk.watch import Watch

P = ParamSpec("P")
Answer = TypeVar("Answer")
Item = TypeVar("Item")


class WatchesReads:
    """The part of the client that watches what the others read."""

    def __init__(self, channel: grpc.aio.Channel, calls: Calls) -> None:
        self._watched = channel
        self._calls = calls

    @overload
    def watch(
        self, read: Callable[P, Coroutine[Any, Any, Answer]], /, *args: P.args, **kwargs: P.kwargs
    ) -> Watch[Answer]: ...

    @overload
    def watch(
        self, read: Callable[P, AsyncIterator[Item]], /, *args: P.args, **kwargs: P.kwargs
    ) -> Watch[list[Item]]: ...

    def watch(self, read: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Watch[Any]:
        """What a read of this client returns, and again whenever that changed:
        `async with client.watch(client.patients.adherence, "patient-1", days=7) as answers`. Of a
        read that iterates over pages the first page comes, as a list. Raises Invalid."""
        return _AnyWatch(self._watched, self._calls, read, args, kwargs)


class _AskedError(Exception):
    """Ends a read once it has said what it asks."""


class _Rehearsal:
    """Takes the place of a reader's calls: hears what is asked, and answers what it is given."""

    def __init__(self, answer: Any = None) -> None:
        self.request: Any = None
        self._answer = answer

    async def unary(self, _method: object, request: Any, **_: object) -> Any:
        self.request = request
        if self._answer is None:
            raise _AskedError
        return self._answer


class _AnyWatch(Watch[Any]):
    """A watch of a reader's method. Nothing is sent before it is entered."""

    def __init__(
        self,
        channel: grpc.aio.Channel,
        calls: Calls,
        read: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> None:
        reader = getattr(read, "__self__", None)
        if reader is None or not hasattr(reader, "_calls"):
            raise invalid("read", "watch.read", "must be a method of a client that reads")
        self._reader, self._read = reader, read
        self._arguments = args, kwargs
        asked = self._request()
        rpc, request = _watch_of(channel, asked)
        super().__init__(rpc, calls, request, self._returned)

    def _run(self, rehearsal: _Rehearsal) -> Any:
        reader = copy.copy(self._reader)
        reader._calls = rehearsal
        args, kwargs = self._arguments
        return getattr(reader, self._read.__name__)(*args, **kwargs)

    def _request(self) -> Message:
        """What the read asks. It awaits nothing but the call that is rehearsed."""
        rehearsal = _Rehearsal()
        running = self._run(rehearsal)
        step = anext(running) if inspect.isasyncgen(running) else running
        if hasattr(step, "send"):
            with contextlib.suppress(_AskedError):
                step.send(None)
        if not isinstance(rehearsal.request, Message):
            raise invalid("read", "watch.read", "must be a method that reads")
        return rehearsal.request

    async def _returned(self, answer: Any) -> Any:
        """What the read returns for the answer; of an iterator over pages the first page."""
        if getattr(answer, "next_page_token", ""):
            answer.ClearField("next_page_token")
        running = self._run(_Rehearsal(answer))
        if isinstance(running, AsyncIterator):
            return [item async for item in running]
        return await running


def _watch_of(channel: grpc.aio.Channel, asked: Message) -> tuple[Any, Any]:
    """The call that watches the read which is asked so, and its request. Raises Invalid."""
    for service in asked.DESCRIPTOR.file.services_by_name.values():
        for method in service.methods:
            field = method.input_type.fields_by_name.get("asked")
            if field is not None and field.message_type is asked.DESCRIPTOR:
                request = GetMessageClass(method.input_type)(asked=asked)
                told_as = GetMessageClass(method.output_type)
                rpc: Any = channel.unary_stream(
                    f"/{service.full_name}/{method.name}",
                    request_serializer=lambda message: message.SerializeToString(),
                    response_deserializer=told_as.FromString,
                )
                return rpc, request
    raise invalid("read", "watch.read", "must be a read of a patient or a clinic")
