"""What the suite tells as it changes, over as many calls as it takes."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

import grpc
from google.protobuf.message import Message

from rehab.projections.v1 import projections_service_pb2 as pb
from rehab_sdk.calls import READMISSIONS, Calls, Metadata, new_correlation_id
from rehab_sdk.errors import RehabError, Stale, TimedOut, Unavailable, from_rpc_error, is_passing
from rehab_sdk.events._fill import fill

Told = TypeVar("Told")
SILENT_S = 60.0
"""The server says something every 15 seconds: after so many a call is given up for another."""


class Reconnecting(AsyncIterator[Told], ABC, Generic[Told]):
    """Use it as `async with`, for an abandoned call would go on for ever. Raises RehabError when
    the server refuses, or does not answer for `give_up_s` seconds."""

    give_up_s = 60.0

    def __init__(self, rpc: Callable[..., Any], calls: Calls, request: Any) -> None:
        self._rpc = rpc
        self._calls = calls
        self._request = request
        self._consistency: pb.Consistency = getattr(request, "asked", request).consistency
        self.freshness: pb.Freshness | None = None
        """What was told last reflects at least this; None before the first."""
        self._call: Any = None  # grpc.aio.UnaryStreamCall
        self._shown: Metadata = ()
        self._readmitted = 0
        self._all = self._watch()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._call is not None:
            self._call.cancel()
        await self._all.aclose()

    async def __anext__(self) -> Told:
        return await anext(self._all)

    @abstractmethod
    def _told(self, messages: AsyncIterator[Any]) -> AsyncGenerator[Told, None]:
        """What is told of one call's messages."""

    async def _watch(self) -> AsyncGenerator[Told, None]:
        attempt, failing_since = 0, 0.0
        while True:
            try:
                async with (
                    aclosing(self._one_call()) as messages,
                    aclosing(self._told(messages)) as changes,
                ):
                    async for change in changes:
                        attempt = 0
                        yield change
                failure: RehabError = Unavailable("the server ended the watch")
            except RehabError as error:
                failure = error
            failure = await self._with_another_token(failure)
            now = asyncio.get_running_loop().time()
            failing_since = now if attempt == 0 else failing_since
            attempt += 1
            if not self._is_passing(failure) or now - failing_since > self.give_up_s:
                raise failure
            await asyncio.sleep(self._calls.pause_s(failure, attempt))

    def _is_passing(self, failure: RehabError) -> bool:
        """Another replica may not be as far yet as the one that answered before."""
        return is_passing(failure) or (self.freshness is not None and isinstance(failure, Stale))

    async def _with_another_token(self, failure: RehabError) -> RehabError:
        """What is left of a failure that another token mends; tried a few times between two
        messages."""
        if self._readmitted >= READMISSIONS or not self._shown:
            return failure
        try:
            if not await self._calls.readmitted(failure, self._shown):
                return failure
        except RehabError as refused:
            return refused
        self._readmitted += 1
        return Unavailable("let in anew")

    async def _one_call(self) -> AsyncGenerator[Any, None]:
        correlation_id = new_correlation_id()
        self._shown = ()
        self._shown = await self._calls.admitted(correlation_id)
        call = self._rpc(self._request, metadata=self._shown)
        self._call = call
        try:
            while True:
                async with asyncio.timeout(SILENT_S):
                    message = await call.read()
                if not isinstance(message, Message):  # grpc.aio.EOF
                    return
                self._readmitted = 0
                yield message
        except TimeoutError as silence:
            raise TimedOut("the server of a watch fell silent") from silence
        except grpc.aio.AioRpcError as failed:
            raise from_rpc_error(failed, correlation_id) from failed
        finally:
            call.cancel()

    def _reflects(self, freshness: pb.Freshness) -> None:
        """A call after this one goes on from there."""
        self.freshness = freshness
        self._consistency.ClearField("min_position")
        del self._consistency.min_positions[:]
        places = freshness.positions or [freshness]
        for place in places:
            fill(self._consistency.min_positions.add(), shard=place.shard, position=place.position)


class Watch(Reconnecting[Told]):
    """Yields what a read returns, and again whenever that changed; of pages the first one, as a
    list. Answers that came between two looks, or while the reader was busy, are left out."""

    def __init__(
        self,
        rpc: Callable[..., Any],
        calls: Calls,
        request: Any,
        as_read: Callable[[Any], Awaitable[Told]],
    ) -> None:
        super().__init__(rpc, calls, request)
        self._as_read = as_read
        self._last: bytes | None = None

    async def _told(self, messages: AsyncIterator[Any]) -> AsyncGenerator[Told, None]:
        async for message in messages:
            if message.HasField("unchanged"):
                self._reflects(message.unchanged)
            elif message.HasField("answer"):
                self._reflects(message.answer.freshness)
                content = _content(message.answer)
                if content != self._last:  # a new call begins with what may be known
                    self._last = content
                    yield await self._as_read(message.answer)


def _content(answer: Any) -> bytes:
    plain = type(answer)()
    plain.CopyFrom(answer)
    plain.ClearField("freshness")
    if getattr(plain, "next_page_token", ""):
        plain.ClearField("next_page_token")
    content: bytes = plain.SerializeToString(deterministic=True)
    return content


class WorkQueueWatch(Reconnecting[pb.WatchWorkQueueResponse]):
    """Yields the list, `listed`, and then every change. After a lost connection the list comes
    again, and what vanished meanwhile is said to be removed, so that a reader that keeps items by
    id is always right."""

    def __init__(self, rpc: Callable[..., Any], calls: Calls, request: Any) -> None:
        super().__init__(rpc, calls, request)
        self._known: set[str] = set()

    async def _told(
        self, messages: AsyncIterator[Any]
    ) -> AsyncGenerator[pb.WatchWorkQueueResponse, None]:
        vanished = set(self._known)
        async for change in messages:
            match change.WhichOneof("change"):
                case "upserted":
                    self._known.add(change.upserted.item_id)
                    vanished.discard(change.upserted.item_id)
                case "removed_item_id":
                    self._known.discard(change.removed_item_id)
                case "listed":
                    self._reflects(change.listed)
                    for item_id in sorted(vanished):
                        self._known.discard(item_id)
                        yield pb.WatchWorkQueueResponse(removed_item_id=item_id)
                    vanished.clear()
                case "unchanged":
                    self._reflects(change.unchanged)
                    continue
            yield change
