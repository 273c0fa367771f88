"""The relay: hands committed events to the message broker, in order, some time after the commit.

The log is the truth and the broker its transport: what the relay repeats or the broker loses,
consumers see by the positions.
"""

from __future__ import annotations

import asyncio
import contextlib

from rehab_eventstore import metrics
from rehab_eventstore.domain.head import Head
from rehab_eventstore.leadership import Leadership
from rehab_eventstore.publisher import BROKER_TROUBLE, BrokerReset, Publisher
from rehab_eventstore.storage.read import Reader
from rehab_eventstore.tail import Tail
from rehab_eventstore.watch import HeadWatch
from rehab_runtime.clock import Clock
from rehab_runtime.errors import RehabError
from rehab_runtime.logging import get_logger

RETRY_S = 0.1
MAX_RETRY_S = 2.0
IDLE_S = 1.0
FOLLOWING_S = 0.25

log = get_logger("relay")


class Relay:
    """Publishes while this replica leads. `backfill_events` is how many of the newest events are
    published again to a broker that is empty or of another log; -1 means all."""

    def __init__(
        self,
        shard: int,
        leadership: Leadership,
        publisher: Publisher,
        reader: Reader,
        tail: Tail,
        watch: HeadWatch,
        clock: Clock,
        *,
        backfill_events: int,
    ) -> None:
        self._shard = shard
        self._leadership = leadership
        self._publisher = publisher
        self._reader = reader
        self._tail = tail
        self._watch = watch
        self._clock = clock
        self._backfill_events = backfill_events
        self._position = 0
        self._incarnation = ""
        self._silent = False
        self._oldest_seconds = metrics.oldest_unpublished_seconds.labels(str(shard))
        self._stop = asyncio.Event()
        self._ended = asyncio.Event()

    async def published(self) -> int:
        """The last position that the broker has acknowledged."""
        return await self._leadership.published_by_leader()

    async def run(self) -> None:
        """Publish until drained. Trouble is told once and tried again for ever."""
        delay = RETRY_S
        try:
            while not self._stop.is_set():
                try:
                    if await self._leadership.until_leading(FOLLOWING_S):
                        await self._lead()
                        delay = RETRY_S
                    else:
                        self._oldest_seconds.set(0)
                except BrokerReset:
                    log.warning("the message broker lost messages: they are published again")
                except (*BROKER_TROUBLE, RehabError) as error:
                    await self._trouble(error)
                    await self._pause(delay)
                    delay = min(MAX_RETRY_S, 2 * delay)
        finally:
            self._ended.set()

    async def drain(self) -> None:
        """Publish what is committed as far as the broker takes it; another replica goes on."""
        self._stop.set()
        self._watch.wake()
        await self._ended.wait()

    async def _lead(self) -> None:
        """Publish while this replica leads and the log stays the same."""
        self._reached(await self._resume())
        while self._leadership.leads and self._watch.incarnation == self._incarnation:
            if self._position < self._watch.position:
                await self._publish_page()
            elif self._stop.is_set():
                return
            else:
                self._well()
                await self._watch.beyond(self._position, IDLE_S)

    def _reached(self, position: int) -> None:
        self._position = self._leadership.published = position

    async def _resume(self) -> int:
        """The position that the broker stands at, or where to begin to fill it."""
        last = await self._publisher.last()
        head = await self._reader.head(self._shard)
        if last is not None and last.incarnation == head.incarnation:
            if last.position <= head.position:
                return self._began(head, last.position)
            # what was published had been committed: PostgreSQL has lost it since
            log.error(
                "the log ends before events that were published: it was restored or failed over",
                head=head.position,
                published=last.position,
                remedy="see whether a former primary still has them; consumers must be rebuilt",
            )
            head = await self._reader.renew_incarnation(head)
        if self._backfill_events < 0:
            return self._began(head, 0)
        return self._began(head, max(0, head.position - self._backfill_events))

    def _began(self, head: Head, position: int) -> int:
        self._incarnation = head.incarnation
        self._watch.see(head)
        return position

    async def _publish_page(self) -> None:
        events = await self._tail.encoded(self._position, self._watch.position)
        for chunk in self._publisher.chunks(events):
            if chunk.events:
                await self._publisher.publish(self._incarnation, chunk.events)
                metrics.published.inc(len(chunk.events))
            else:
                metrics.unpublishable.inc()
                log.warning(
                    "an event is too large for the message broker: consumers read it from the log",
                    position=chunk.last_position,
                    remedy="raise max_payload of NATS and EVENTSTORE_RELAY_MAX_BYTES",
                )
            self._reached(chunk.last_position)
            self._well()

    def _well(self) -> None:
        self._oldest_seconds.set(0)
        if self._silent:
            log.info("the message broker takes events again", position=self._position)
        self._silent = False

    async def _trouble(self, error: Exception) -> None:
        if not self._silent:
            log.warning(
                "events are not published: nothing is lost, consumers poll the log",
                error_type=type(error).__qualname__,
                position=self._position,
                remedy="start NATS with JetStream, or check EVENTSTORE_NATS_URL",
            )
        self._silent = True
        with contextlib.suppress(RehabError):
            self._oldest_seconds.set(await self._age_s())

    async def _age_s(self) -> float:
        head = await self._reader.head(self._shard)
        page = await self._reader.page(self._shard, self._position, head.position, 1)
        if not page.events:
            return 0.0
        recorded_at: float = page.events[0].envelope.recorded_at.ToNanoseconds() / 1e9
        return max(0.0, self._clock.now().timestamp() - recorded_at)

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stop.wait()
