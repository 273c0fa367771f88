"""A work queue as it changes, over as many calls as it takes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from types import TracebackType
from typing import Any, Self

import grpc

from rehab.projections.v1 import projections_service_pb2 as pb
from rehab.projections.v1.projections_service_pb2_grpc import ProjectionsServiceStub
from rehab_sdk.calls import Calls, new_correlation_id
from rehab_sdk.errors import RehabError, Unavailable, from_rpc_error, is_passing


class WorkQueueWatch(AsyncIterator[pb.WatchWorkQueueResponse]):
    """Yields the list, `listed`, and then every change; use as `async with`, for an abandoned call
    would go on for ever. After a lost connection the list comes again, and what vanished meanwhile
    is said to be removed, so that a reader that keeps items by id is always right. Raises
    RehabError when the server refuses, or does not answer for `give_up_s` seconds."""

    give_up_s = 60.0

    def __init__(
        self, stub: ProjectionsServiceStub, calls: Calls, request: pb.WatchWorkQueueRequest
    ) -> None:
        self._stub = stub
        self._calls = calls
        self._request = request
        self._call: Any = None  # grpc.aio.UnaryStreamCall
        self._changes = self._watch()

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
        await self._changes.aclose()

    async def __anext__(self) -> pb.WatchWorkQueueResponse:
        return await anext(self._changes)

    async def _watch(self) -> AsyncGenerator[pb.WatchWorkQueueResponse, None]:
        known: set[str] = set()
        attempt, failing_since = 0, 0.0
        while True:
            try:
                async with aclosing(self._one_call(known)) as changes:
                    async for change in changes:
                        attempt = 0
                        yield change
                failure: RehabError = Unavailable("the server ended the watch")
            except RehabError as error:
                failure = error
            now = asyncio.get_running_loop().time()
            failing_since = now if attempt == 0 else failing_since
            attempt += 1
            if not is_passing(failure) or now - failing_since > self.give_up_s:
                raise failure
            await asyncio.sleep(self._calls.pause_s(failure, attempt))

    async def _one_call(self, known: set[str]) -> AsyncGenerator[pb.WatchWorkQueueResponse, None]:
        """The changes of one call; `known` are the items a reader has, kept up to date."""
        correlation_id = new_correlation_id()
        call = self._stub.WatchWorkQueue(
            self._request, metadata=self._calls.metadata(correlation_id)
        )
        self._call = call
        vanished = set(known)
        try:
            while True:
                change = await call.read()
                if not isinstance(change, pb.WatchWorkQueueResponse):  # grpc.aio.EOF
                    return
                if change.HasField("upserted"):
                    known.add(change.upserted.item_id)
                    vanished.discard(change.upserted.item_id)
                elif change.HasField("removed_item_id"):
                    known.discard(change.removed_item_id)
                elif change.HasField("listed"):
                    for item_id in sorted(vanished):
                        known.discard(item_id)
                        yield pb.WatchWorkQueueResponse(removed_item_id=item_id)
                    vanished.clear()
                yield change
        except grpc.aio.AioRpcError as failed:
            raise from_rpc_error(failed, correlation_id) from failed
        finally:
            call.cancel()
