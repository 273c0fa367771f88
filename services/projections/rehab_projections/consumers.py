"""One consumer for every shard of the log. How many there are the log tells."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from rehab_projections.consumer import Behind, Consumer
from rehab_projections.progress import Progress
from rehab_projections.storage.cursors import Cursor
from rehab_projections.storage.write import Writer
from rehab_runtime.clock import Clock
from rehab_runtime.errors import Overloaded, Unavailable
from rehab_runtime.eventlog import EventLog, Follower, Head
from rehab_runtime.logging import get_logger
from rehab_runtime.unprocessed import Unprocessed

RETRY_S = 0.5
CONSUMER = "projections"
Follow = Callable[[Unprocessed, Cursor], Follower]

log = get_logger("consumers")


class Consumers:
    """`run` is their task."""

    def __init__(
        self,
        writer: Writer,
        event_log: EventLog,
        follow: Follow,
        progress: Progress,
        clock: Clock,
        is_live: Callable[[], Awaitable[bool]],
    ) -> None:
        self._writer = writer
        self._log = event_log
        self._follow = follow
        self._progress = progress
        self._clock = clock
        self._is_live = is_live
        self._each: Sequence[Consumer] = ()

    async def run(self) -> None:
        """Fold until cancelled. Raises IncarnationChanged: then the read models must be rebuilt."""
        await self._begin()
        try:
            async with asyncio.TaskGroup() as tasks:
                for shard, consumer in enumerate(self._each):
                    tasks.create_task(consumer.run(), name=f"consumer-{shard}")
        except ExceptionGroup as fallen:
            raise fallen.exceptions[0] from None

    async def begin_again(self, shard: int) -> None:
        """Let a shard's fold begin again, and wait until it has."""
        if shard < len(self._each):
            await self._each[shard].begin_again()

    async def behind(self) -> Sequence[Behind]:
        """How far each shard's fold is behind. Until the log has told its shards, what is stored
        stands for them."""
        if self._each:
            return await asyncio.gather(*(consumer.behind() for consumer in self._each))
        return [
            Behind(one.shard, one.position, one.position, 0, "waiting", one.incarnation)
            for one in (await self._writer.cursors()).each or [Cursor(0, "")]
        ]

    async def _begin(self) -> None:
        told = False
        while not self._each:
            try:
                heads = await self._heads()
                cursors = await self._writer.start([head.incarnation for head in heads])
            except (Unavailable, Overloaded) as error:
                if not told:
                    log.warning("cannot begin to fold: waiting", reason=error.detail)
                told = True
                await asyncio.sleep(RETRY_S)
                continue
            self._progress.begun(cursors)
            self._each = [self._consumer(shard, len(heads)) for shard in range(len(heads))]

    async def _heads(self) -> list[Head]:
        first = await self._log.head()
        return [first, *[await self._log.head(shard) for shard in range(1, first.shards)]]

    def _consumer(self, shard: int, shards: int) -> Consumer:
        unprocessed = Unprocessed(CONSUMER, shard, self._clock)
        follow = partial(self._follow, unprocessed)
        return Consumer(
            *(shard, shards, self._writer, self._log, follow, self._progress, self._clock),
            self._is_live,
        )
