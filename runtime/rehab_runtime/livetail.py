"""The live end of the log as JetStream carries it. It may lose, repeat or stop: the reader knows
by the positions, and takes what is missing from the event store."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Sequence
from types import TracebackType
from typing import Self

import nats.errors
import nats.js.errors
from google.protobuf.message import DecodeError
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy

from rehab.events.v1.event_pb2 import LogMessage, RecordedEvent
from rehab_runtime.logging import get_logger

RETRY_S = 1.0
IDLE_HEARTBEAT_S = 5.0
INACTIVE_THRESHOLD_S = 30.0
QUEUED_MESSAGES = 256

log = get_logger("livetail")


class LiveTail:
    """Receives what is published from now on. Use it as an async context manager.

    It keeps at most QUEUED_MESSAGES; beyond that the newest are dropped, as the broker would. The
    consumer is ephemeral and acknowledges nothing: the reader's own position is the only cursor.
    Without a broker it stays silent and tries again every RETRY_S; that is told once in the log.
    """

    def __init__(self, js: JetStreamContext | None, stream: str, subject: str) -> None:
        self._js = js
        self._stream = stream
        self._subject = subject
        self._queue: deque[LogMessage] = deque()
        self._arrived = asyncio.Event()
        self._renew = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._silent = False
        self._misses = 0

    async def __aenter__(self) -> Self:
        if self._js is not None:
            self._task = asyncio.create_task(self._keep_subscribed(self._js), name="live-tail")
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # the client may take a cancellation for a timeout of its own: ask until it is heard
        while self._task is not None and not self._task.done():
            self._task.cancel()
            await asyncio.wait([self._task], timeout=0.1)

    async def wait(self, timeout_s: float) -> bool:
        """Whether a message is there, after at most that long."""
        if not self._queue:
            self._arrived.clear()
            try:
                async with asyncio.timeout(timeout_s):
                    await self._arrived.wait()
            except TimeoutError:
                return False
        return True

    def peek(self) -> LogMessage | None:
        return self._queue[0] if self._queue else None

    def drop(self) -> None:
        self._queue.popleft()

    def take(self, after: int, limit: int, incarnation: str = "") -> list[RecordedEvent]:
        """The events that follow a position without a hole, at most `limit` of them.

        What is at or before the position is dropped; what comes after a hole, or is of another
        incarnation than the one told, stays.
        """
        taken: list[RecordedEvent] = []
        while self._queue and len(taken) < limit:
            if incarnation not in ("", self._queue[0].incarnation):
                break
            events = self._queue[0].events
            fresh = following(events, after)
            if fresh and fresh[0].envelope.position != after + 1:
                break
            room = limit - len(taken)
            taken += fresh[:room]
            after = taken[-1].envelope.position if taken else after
            if len(fresh) > room:
                break
            self._queue.popleft()
        return taken

    def missed(self) -> None:
        """Tell that the log moved on in silence: the second time in a row, subscribe anew."""
        self._misses += 1
        if self._misses > 1:
            self._renew.set()

    async def _received(self, message: Msg) -> None:
        if len(self._queue) >= QUEUED_MESSAGES:
            return
        try:
            content = LogMessage.FromString(message.data)
        except DecodeError:
            return
        if content.events:
            self._misses = 0
            self._queue.append(content)
            self._arrived.set()

    async def _keep_subscribed(self, js: JetStreamContext) -> None:
        while True:
            subscription: Subscription | None = None
            try:
                self._renew.clear()
                subscription = await self._subscribe(js)
                self._told(silent=False)
                await self._renew.wait()
            except Exception as error:
                self._told(silent=True, error=error)
            finally:
                await _unsubscribe(subscription)
            await asyncio.sleep(RETRY_S)

    async def _subscribe(self, js: JetStreamContext) -> Subscription:
        if not js._nc.is_connected:
            raise nats.errors.ConnectionClosedError
        config = ConsumerConfig(
            deliver_policy=DeliverPolicy.NEW,
            ack_policy=AckPolicy.NONE,
            inactive_threshold=INACTIVE_THRESHOLD_S,
        )
        subscription: Subscription = await js.subscribe(
            self._subject,
            stream=self._stream,
            cb=self._received,
            ordered_consumer=True,
            config=config,
            idle_heartbeat=IDLE_HEARTBEAT_S,
        )
        return subscription

    def _told(self, *, silent: bool, error: Exception | None = None) -> None:
        if silent and not self._silent:
            log.warning(
                "the message broker is away: reading the log by polling",
                error_type=type(error).__qualname__,
                remedy="start NATS, or check the NATS_URL of this service",
            )
        elif self._silent and not silent:
            log.info("the message broker is back: reading the log live")
        self._silent = silent


def following(events: Sequence[RecordedEvent], after: int) -> Sequence[RecordedEvent]:
    """The events of one message, at consecutive positions, that lie after a position."""
    first = events[0].envelope.position
    return events[max(0, after + 1 - first) :]


async def _unsubscribe(subscription: Subscription | None) -> None:
    if subscription is None:
        return
    # a connection that is gone has no subscription to end
    with contextlib.suppress(nats.errors.Error, nats.js.errors.Error, TimeoutError, OSError):
        await subscription.unsubscribe()
