"""Appends of all devices, carried to the event store together.

It takes whatever has queued while its last call was under way; there is no timer, so an idle
service adds no delay.
"""

from __future__ import annotations

import asyncio
from collections import deque

from rehab.eventstore.v1 import eventstore_service_pb2 as pb
from rehab_runtime.errors import Internal, Overloaded, RehabError, Unavailable, from_failure
from rehab_runtime.eventlog import EventLog

CALL_APPENDS = 500
CALL_BYTES = 2_000_000

Waiting = tuple[pb.AppendRequest, asyncio.Future[pb.Appended]]


class Appender:
    """`run` is its task. Every append gets a verdict of its own."""

    def __init__(self, log: EventLog, limit: int) -> None:
        self._log = log
        self._limit = limit
        self._queue: deque[Waiting] = deque()
        self._wake = asyncio.Event()

    async def append(self, request: pb.AppendRequest) -> pb.Appended:
        """Where the events stand, once committed. Raises the RehabError of the verdict; after
        Unavailable or Overloaded the same request may be sent again."""
        if len(self._queue) >= self._limit:
            raise Overloaded("appends wait for the event store", retry_after_s=0.2)
        future: asyncio.Future[pb.Appended] = asyncio.get_running_loop().create_future()
        self._queue.append((request, future))
        self._wake.set()
        return await future

    async def run(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while taken := self._take():
                await self._call(taken)

    def _take(self) -> list[Waiting]:
        taken: list[Waiting] = []
        size = 0
        while self._queue and len(taken) < CALL_APPENDS:
            size += self._queue[0][0].ByteSize()
            if taken and size > CALL_BYTES:
                break
            waiting = self._queue.popleft()
            if not waiting[1].done():
                taken.append(waiting)
        return taken

    async def _call(self, taken: list[Waiting]) -> None:
        try:
            verdicts = await self._log.batch_append([request for request, _ in taken])
        except RehabError as error:
            for _, future in taken:
                _fail(future, error)
            return
        for (_, future), verdict in zip(taken, verdicts, strict=True):
            if verdict.HasField("failure"):
                _fail(future, from_failure(verdict.failure))
            elif not future.done():
                future.set_result(verdict.appended)


def _fail(future: asyncio.Future[pb.Appended], error: RehabError) -> None:
    if not future.done():
        # Internal and unknown reasons may be this call's bad luck: the ids make a retry safe
        future.set_exception(Unavailable(error.detail) if isinstance(error, Internal) else error)
