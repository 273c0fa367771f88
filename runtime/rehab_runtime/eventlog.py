"""The log as other services use it: append to it, read it, follow it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Sequence
from dataclasses import dataclass

import grpc
from nats.js import JetStreamContext

from rehab.events.v1.event_pb2 import RecordedEvent
from rehab.eventstore.v1 import eventstore_service_pb2 as store
from rehab.eventstore.v1.eventstore_service_pb2_grpc import EventStoreServiceStub
from rehab_runtime.auth import Principal, bearer
from rehab_runtime.bodies import Bodies
from rehab_runtime.errors import (
    ArchiveUnreadable,
    IncarnationChanged,
    Overloaded,
    Unavailable,
    from_rpc_error,
)
from rehab_runtime.livetail import LiveTail
from rehab_runtime.logging import get_logger
from rehab_runtime.unprocessed import Unprocessed

CALL_TIMEOUT_S = 5.0
READ_TIMEOUT_S = 60.0
POLL_S = 0.25
RETRY_S = 0.25

log = get_logger("eventlog")


@dataclass(frozen=True)
class Head:
    """The last committed position of a shard, the incarnation it belongs to, and how many shards
    the log has."""

    position: int
    incarnation: str
    shards: int = 1


class EventLog:
    """A client of the event store that speaks for one principal.

    Every method raises a RehabError: what the event store answered, or Unavailable. Whoever needs
    few kinds only tells them as `opens`: the bodies of others stay closed, and their keys are not
    asked for.
    """

    def __init__(
        self,
        channel: grpc.aio.Channel,
        principal: Principal,
        *,
        opens: Collection[str] | None = None,
    ) -> None:
        self.principal = principal
        self._opens = opens
        self._stub = EventStoreServiceStub(channel)
        self._bodies = Bodies(channel, principal)
        self._metadata = (bearer(principal),)

    async def append(self, request: store.AppendRequest) -> store.Appended:
        """Add events to one stream, all or none."""
        try:
            answer: store.AppendResponse = await self._stub.Append(
                request, metadata=self._metadata, timeout=CALL_TIMEOUT_S
            )
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error) from None
        return answer.appended

    async def batch_append(
        self, appends: Sequence[store.AppendRequest]
    ) -> list[store.AppendVerdict]:
        """Independent appends, each with its own verdict, in the order given."""
        try:
            answer = await self._stub.BatchAppend(
                store.BatchAppendRequest(appends=appends),
                metadata=self._metadata,
                timeout=CALL_TIMEOUT_S,
            )
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error) from None
        return list(answer.verdicts)

    async def head(self, shard: int = 0) -> Head:
        try:
            answer = await self._stub.GetHead(
                store.GetHeadRequest(shard=shard), metadata=self._metadata, timeout=CALL_TIMEOUT_S
            )
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error) from None
        return Head(answer.position, answer.incarnation, answer.shards)

    async def heads(self) -> list[Head]:
        """Those of all shards, in their order."""
        first = await self.head()
        return [first, *[await self.head(shard) for shard in range(1, first.shards)]]

    async def read_all(
        self,
        after: int,
        limit: int,
        *,
        until: int = 0,
        incarnation: str = "",
        shard: int = 0,
        slices: Sequence[int] = (),
    ) -> tuple[list[RecordedEvent], Head]:
        """At most `limit` events of a shard after a position, in order, and its head when they were
        read.

        `until` 0 reads up to the head; `slices` are those wanted, none for all. Raises
        IncarnationChanged when an incarnation is given and the log's is another.
        """
        request = store.ReadAllRequest(
            after_position=after,
            until_position=until,
            limit=limit,
            incarnation=incarnation,
            shard=shard,
            filter=store.Filter(slices=slices),
        )
        events: list[RecordedEvent] = []
        head = Head(after, incarnation)
        try:
            async for page in self._stub.ReadAll(
                request, metadata=self._metadata, timeout=READ_TIMEOUT_S
            ):
                events += page.events
                head = Head(page.head, page.incarnation)
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error) from None
        await self.open(events)
        return events, head

    async def read_stream(self, stream: str, *, after_version: int = 0) -> list[RecordedEvent]:
        """All of one subject's events after a version, oldest first."""
        pages = self.pages_of(stream, after_version=after_version)
        return [event async for events in pages for event in events]

    async def pages_of(
        self, stream: str, *, after_version: int = 0, kinds: Sequence[str] = ()
    ) -> AsyncGenerator[Sequence[RecordedEvent], None]:
        """The same, a page at a time, of all kinds or those told: for streams too long to hold."""
        request = store.ReadStreamRequest(stream=stream, after_version=after_version, kinds=kinds)
        call = self._stub.ReadStream(request, metadata=self._metadata, timeout=READ_TIMEOUT_S)
        try:
            async for page in call:
                await self.open(page.events)
                yield page.events
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error) from None
        finally:
            call.cancel()

    async def live(
        self, kinds: Sequence[str], shard: int = 0
    ) -> AsyncIterator[Sequence[RecordedEvent]]:
        """Events of these kinds from now on, their bodies closed. What is committed while nobody
        listens is missed: for what is worth nothing later."""
        request = store.SubscribeRequest(
            shard=shard, from_head=True, filter=store.Filter(kinds=kinds)
        )
        call = self._stub.Subscribe(request, metadata=self._metadata)
        try:
            async for change in call:
                if change.HasField("page"):
                    yield change.page.events
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error) from None
        finally:
            call.cancel()

    async def open(self, events: Sequence[RecordedEvent]) -> None:
        """Open sealed bodies in place. One that cannot be opened keeps its `key_id`."""
        if self._opens is not None:
            # an erasure is always heard: it ends the use of keys
            opens = {*self._opens, "erasure"}
            events = [one for one in events if one.envelope.kind in opens]
        await self._bodies.open(events)


class Follower:
    """Batches of one shard from a position on, for ever: iterate over it once. Made by `follow`.

    `position` is the last event handed out, `head` the last one known to be committed; `waiting`
    says that the event store does not answer.
    """

    def __init__(
        self,
        event_log: EventLog,
        tail: LiveTail,
        after: int,
        max_batch: int,
        incarnation: str,
        shard: int,
        unprocessed: Unprocessed,
    ) -> None:
        self.shard = shard
        self.position = after
        self.head = after
        self.incarnation = incarnation
        self.waiting = False
        self._log = event_log
        self._tail = tail
        self._max_batch = max_batch
        self._unprocessed = unprocessed
        unprocessed.begun(after)

    def __aiter__(self) -> AsyncGenerator[list[RecordedEvent], None]:
        return self._batches()

    async def _batches(self) -> AsyncGenerator[list[RecordedEvent], None]:
        async with self._tail:
            await self._learn_head()
            while True:
                events = await self._from_tail() or await self._from_log()
                if events:
                    self.position = events[-1].envelope.position
                    self.head = max(self.head, self.position)
                    self._unprocessed.taken(events)
                    yield events
                    self._unprocessed.finished(events)
                elif self.position >= self.head:
                    await self._idle()

    async def _from_tail(self) -> list[RecordedEvent]:
        await self._skip_strangers()
        events = await self._opened(
            self._tail.take(self.position, self._max_batch, self.incarnation)
        )
        waiting = self._tail.peek()
        if waiting is not None:
            self.head = max(self.head, waiting.events[-1].envelope.position)
        return events

    async def _opened(self, events: list[RecordedEvent]) -> list[RecordedEvent]:
        while True:
            try:
                await self._log.open(events)
            except (Unavailable, Overloaded) as error:
                await self._wait_for_store(error)
            else:
                return events

    async def _skip_strangers(self) -> None:
        """Refuse messages of another incarnation: stale ones are dropped, a changed log is told."""
        while (message := self._tail.peek()) and message.incarnation != self.incarnation:
            await self._learn_head()
            self._tail.drop()

    async def _from_log(self) -> list[RecordedEvent]:
        if self.position >= self.head:
            return []
        try:
            events, head = await self._log.read_all(
                self.position,
                self._max_batch,
                incarnation=self.incarnation,
                shard=self.shard,
            )
        except (Unavailable, Overloaded, ArchiveUnreadable) as error:
            await self._wait_for_store(error)
            return []
        self._answered(head)
        if events and events[0].envelope.position != self.position + 1:
            raise IncarnationChanged("the log has a hole after the cursor")
        return events

    async def _idle(self) -> None:
        """Wait for a message; after POLL_S of silence ask the log itself."""
        if await self._tail.wait(POLL_S):
            return
        try:
            self._answered(await self._log.head(self.shard))
        except (Unavailable, Overloaded) as error:
            await self._wait_for_store(error)
            return
        if self.head > self.position and self._tail.peek() is None:
            self._tail.missed()

    async def _learn_head(self) -> None:
        while True:
            try:
                self._answered(await self._log.head(self.shard))
            except (Unavailable, Overloaded) as error:
                await self._wait_for_store(error)
            else:
                return

    def _answered(self, head: Head) -> None:
        self.waiting = False
        self.incarnation = self.incarnation or head.incarnation
        known = {"cursor": self.incarnation, "log": head.incarnation}
        if head.incarnation != self.incarnation:
            raise IncarnationChanged("the log has another incarnation", metadata=known)
        if head.position < self.position:
            raise IncarnationChanged("the log ends before the cursor", metadata=known)
        self.head = max(self.head, head.position)
        self._unprocessed.told(head.position)

    async def _wait_for_store(self, error: Unavailable | Overloaded | ArchiveUnreadable) -> None:
        if isinstance(error, ArchiveUnreadable) and not self.waiting:
            log.error(
                "the archive does not give the next events: waiting for it",
                segment=error.metadata.get("segment", ""),
                position=self.position,
                remedy="the event store's log says what is wrong with the object",
            )
        elif not self.waiting:
            log.warning(
                "the event store does not answer: waiting for it",
                reason=error.detail,
                position=self.position,
                remedy="start the event store, or check the EVENTSTORE_ADDRESS of this service",
            )
        self.waiting = True
        await asyncio.sleep(RETRY_S)


def follow(
    event_log: EventLog,
    js: JetStreamContext | None,
    after: int,
    max_batch: int = 500,
    *,
    incarnation: str = "",
    stream: str = "LOG",
    prefix: str = "log",
    shard: int = 0,
    unprocessed: Unprocessed | None = None,
) -> Follower:
    """Follow a shard of the log after a position; `async for events in follow(...)`.

    Batches are contiguous, in order, without duplicates, at most `max_batch` long. They come from
    JetStream while it delivers; what it lacks is read from the event store, which is also asked
    every POLL_S of silence. Without a broker everything comes that way, only slower.

    Raises IncarnationChanged when the log is not the one that `incarnation` names (empty takes the
    log's), or ends before the position: positions may have been used again, and the reader must
    be rebuilt.

    `unprocessed` is the consumer's, which asks for the next batch when the last one is processed;
    one is made for the log's principal if none is given.
    """
    unprocessed = unprocessed or Unprocessed(event_log.principal.id, shard)
    tail = LiveTail(js, stream, f"{prefix}.{shard}.>")
    return Follower(event_log, tail, after, max_batch, incarnation, shard, unprocessed)
