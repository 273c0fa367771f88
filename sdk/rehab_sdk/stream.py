"""A device's stream: events in, receipts out, whatever happens to the connection."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Sequence
from types import TracebackType
from typing import Protocol, Self

from rehab.events.v1.event_pb2 import Event
from rehab.ingest.v1.ingest_service_pb2 import LiveFeedback
from rehab_sdk.engine import Engine, Sender
from rehab_sdk.errors import (
    Dropped,
    NotAcknowledged,
    RehabError,
    Rejected,
    Unavailable,
    too_large,
)
from rehab_sdk.machine import Acked
from rehab_sdk.options import StreamOptions
from rehab_sdk.places import Newest, Positions
from rehab_sdk.receipt import FeedbackFeed, Receipt

log = logging.getLogger("rehab_sdk")


class Engines(Protocol):
    """Where the device's engine comes from: one is shared by all streams open at a time."""

    @property
    def durable(self) -> bool:
        """Whether events outlive the process: then leaving needs no server."""
        ...

    async def acquire(self, sender: Sender) -> Engine: ...

    async def release(self, sender: Sender) -> None: ...


class Stream:
    """Use as `async with`. Leaving waits until everything sent is settled, at most
    flush_timeout_s, and raises NotAcknowledged when that was too short."""

    def __init__(self, engines: Engines, options: StreamOptions, session_id: str = "") -> None:
        self.session_id = session_id
        self.feedback = FeedbackFeed()
        """Live coaching as it comes, until the stream ends."""
        self.rejected_count = 0
        self._newest = Newest()
        self._options = options
        self._rejected: deque[Rejected] = deque(maxlen=options.rejected_kept)
        self._dropped: deque[Dropped] = deque(maxlen=options.rejected_kept)
        self._open: dict[Receipt, bytes] = {}
        self._engines = engines
        self._engine: Engine | None = None

    async def send(self, event: Event) -> Receipt:
        """Take the event, waiting while the window is full (at most send_timeout_s). What the
        server refuses, and what is larger than it takes, shows in the receipt and in `rejected`.
        Raises TimedOut, or the error that ended the stream."""
        engine = self._running()
        receipt = Receipt(event.envelope.event_id)
        data = event.SerializeToString()
        self._open[receipt] = data
        if len(data) > engine.max_event_bytes:
            self.settled(receipt, Rejected(event, too_large(engine.max_event_bytes)))
            return receipt
        try:
            await engine.send(data, self, receipt)
        except BaseException:
            self._open.pop(receipt, None)
            raise
        return receipt

    async def flush(self, timeout_s: float | None = None) -> None:
        """Wait until every event sent here has its verdict. Raises NotAcknowledged."""
        engine = self._running()
        within_s = self._options.flush_timeout_s if timeout_s is None else timeout_s
        try:
            async with engine.bounded(within_s, "no verdict in time"):
                await engine.until(lambda: not self._open)
        except RehabError as error:
            raise NotAcknowledged(self.unacknowledged(), error.message) from error

    async def leave(self, timeout_s: float) -> None:
        """Wait as `flush` does before leaving. For a server that stays away only shortly, and
        without complaint, when the events are on disk: they are sent in the background and after a
        restart. Raises NotAcknowledged."""
        if not self._engines.durable:
            await self.flush(timeout_s)
            return
        try:
            await self.flush(min(timeout_s, self._options.spooled_flush_timeout_s))
        except NotAcknowledged as waiting:
            if not isinstance(waiting.__cause__, Unavailable):
                raise  # time will not mend it
            log.info("%d events wait in the spool", len(waiting.events))

    @property
    def positions(self) -> Positions:
        """The newest positions of the log acknowledged to this stream, by shard."""
        return dict(self._newest.positions)

    @property
    def rejected(self) -> Sequence[Rejected]:
        """The newest rejected events, oldest first."""
        return tuple(self._rejected)

    @property
    def dropped(self) -> Sequence[Dropped]:
        """The newest events sent here that a full spool let go, oldest first."""
        return tuple(self._dropped)

    def unacknowledged(self) -> list[Event]:
        """Events without a verdict, in order. Logged again with their ids, none is doubled."""
        return [Event.FromString(data) for data in self._open.values()]

    @property
    def clock_skew_ms(self) -> int:
        """How far this device's clock was ahead of the server's, 0 before it is known."""
        return self._engine.clock_skew_ms if self._engine is not None else 0

    async def close(self) -> None:
        """Leave now. Receipts still open raise NotAcknowledged; their events wait in the outbox."""
        if self._engine is not None:
            self._engine = None
            await self._engines.release(self)
            self.over(Unavailable("the stream was closed"))
            if self._engines.durable:
                self._open.clear()  # they are on disk

    async def __aenter__(self) -> Self:
        self._engine = await self._engines.acquire(self)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if error is None and self._engine is not None:
                await self.leave(self._options.flush_timeout_s)
        finally:
            await self.close()

    def _running(self) -> Engine:
        if self._engine is None:
            raise Unavailable("the stream is not open")
        return self._engine

    # what the engine tells

    def settled(self, key: object, verdict: Acked | Rejected | Dropped) -> None:
        assert isinstance(key, Receipt)
        self._open.pop(key, None)
        if isinstance(verdict, Acked):
            self._newest.saw(verdict)
        elif isinstance(verdict, Dropped):
            self._dropped.append(verdict)
        else:
            self.rejected_count += 1
            self._rejected.append(verdict)
        key.settle(verdict)

    def heard(self, feedback: LiveFeedback) -> None:
        self.feedback.offer(feedback)

    def over(self, error: RehabError) -> None:
        self.feedback.end()
        if self._open:
            lost = NotAcknowledged(self.unacknowledged(), error.message)
            for receipt in self._open:
                receipt.settle(lost)
