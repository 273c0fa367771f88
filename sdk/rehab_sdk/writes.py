"""Events one by one and many at once, for callers that need no stream."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from rehab.events.v1.event_pb2 import Event
from rehab.ingest.v1 import ingest_service_pb2 as pb
from rehab.ingest.v1.ingest_service_pb2_grpc import IngestServiceStub
from rehab_sdk.calls import Calls
from rehab_sdk.errors import RehabError, Rejected, from_failure, is_passing, too_large
from rehab_sdk.places import Placed

MAX_EVENTS = 1000
MAX_BYTES = 3 * 1024 * 1024
"""Of the events of one call: below the 4 MiB that a server of the suite takes."""


@dataclass(frozen=True)
class Stored:
    """Committed, at a position of a shard. `duplicate` says that it already was, and where."""

    position: int
    stream_version: int
    duplicate: bool
    shard: int = 0


EventVerdict = Stored | Rejected
Numbered = tuple[int, Event]


class Writes:
    def __init__(
        self, stub: IngestServiceStub, calls: Calls, on_place: Callable[[Placed], None]
    ) -> None:
        self._stub = stub
        self._calls = calls
        self._on_place = on_place

    async def log(self, event: Event) -> Stored:
        """Raises RehabError. After Unavailable the event may or may not be stored: log it again."""
        request = pb.LogEventRequest(event=event)
        return self._stored(await self._calls.unary(self._stub.LogEvent, request))

    async def log_many(self, events: Sequence[Event]) -> list[EventVerdict]:
        """A verdict for each event, in their order. What the server cannot store just now is sent
        again until the deadline is over. Raises RehabError when a whole call fails; logging all
        again is safe then."""
        verdicts: dict[int, EventVerdict] = {}
        for chunk in chunks(events, verdicts):
            await self._log_chunk(chunk, verdicts)
        return [verdicts[number] for number in range(len(events))]

    async def _log_chunk(
        self, chunk: Sequence[Numbered], verdicts: dict[int, EventVerdict]
    ) -> None:
        loop = asyncio.get_running_loop()
        until = loop.time() + self._calls.options.deadline_s
        attempt = 0
        while chunk:
            request = pb.LogEventsRequest(events=[event for _, event in chunk])
            answer = await self._calls.unary(self._stub.LogEvents, request)
            again: list[Numbered] = []
            passing: RehabError | None = None
            for (number, event), verdict in zip(chunk, answer.verdicts, strict=True):
                if verdict.HasField("stored"):
                    verdicts[number] = self._stored(verdict.stored)
                    continue
                error = from_failure(verdict.failure)
                verdicts[number] = Rejected(event, error)
                if is_passing(error):
                    passing = error
                    again.append((number, event))
            attempt += 1
            pause_s = self._calls.pause_within(until - loop.time(), passing, attempt)
            if not again or pause_s is None:
                return
            chunk = again
            await asyncio.sleep(pause_s)

    def _stored(self, answer: pb.LogEventResponse) -> Stored:
        stored = Stored(answer.position, answer.stream_version, answer.duplicate, answer.shard)
        self._on_place(stored)
        return stored


def chunks(
    events: Sequence[Event], verdicts: dict[int, EventVerdict]
) -> Iterator[Sequence[Numbered]]:
    """The events in groups that fit a call; what fits none has its verdict at once."""
    chunk: list[Numbered] = []
    room = MAX_BYTES
    for number, event in enumerate(events):
        size = event.ByteSize()
        if size > MAX_BYTES:
            verdicts[number] = Rejected(event, too_large(MAX_BYTES))
            continue
        if size > room or len(chunk) == MAX_EVENTS:
            yield chunk
            chunk, room = [], MAX_BYTES
        chunk.append((number, event))
        room -= size
    if chunk:
        yield chunk
