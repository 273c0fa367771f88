"""Holds this replica's share of the shards: takes leases, keeps them, gives them up, and folds what
it holds."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass

from rehab_projections import metrics
from rehab_projections.consumer import Consumer
from rehab_projections.sharing import Share, share_of
from rehab_projections.storage.leases import Leases
from rehab_runtime.clock import Clock
from rehab_runtime.errors import RehabError
from rehab_runtime.eventlog import EventLog
from rehab_runtime.logging import get_logger
from rehab_runtime.tasks import ended

RETRY_S = 0.5
STOP_S = 1.0
"""Time for the batch under way; what is not stored then the next holder folds."""
SOONEST_S = 0.05
LOOK_S = 5.0
"""A look at the leases that takes longer was cut off from PostgreSQL."""
STUCK_S = 5.0
"""So long a replica that cannot read the log keeps its leases from those that may."""

log = get_logger("holding")


@dataclass(frozen=True)
class Folding:
    """A shard that is folded here."""

    consumer: Consumer
    task: asyncio.Task[None]


class Holding:
    """`each` are the shards folded here, none once `leaving` is set; `alone` says that no other
    replica runs. `made` makes a shard's consumer, `ended` is told when one has lost its lease."""

    def __init__(
        self,
        leases: Leases,
        event_log: EventLog,
        clock: Clock,
        leaving: asyncio.Event,
        made: Callable[[int], Consumer],
        ended: Callable[[], Awaitable[object]],
    ) -> None:
        self.each: dict[int, Folding] = {}
        self.alone = True
        self._leases = leases
        self._log = event_log
        self._clock = clock
        self._leaving = leaving
        self._made = made
        self._ended = ended
        self._news = asyncio.Event()
        self._left = asyncio.Event()
        self._reads_at = clock.monotonic()
        self._aside = False

    def look(self) -> None:
        """Leases were given up, replicas came or went, or a fold is asked to begin again."""
        self._news.set()

    async def run(self, tasks: asyncio.TaskGroup) -> None:
        """Until this replica is leaving."""
        while not self._leaving.is_set():
            # before looking: what is told meanwhile is looked at again
            self._news.clear()
            try:
                async with asyncio.timeout(LOOK_S):
                    delay = await self._look(tasks)
            except (RehabError, TimeoutError):
                # whoever folds tells that PostgreSQL is away
                delay = RETRY_S
            await set_within(self._news, delay)
        with contextlib.suppress(RehabError):
            await self._step_aside()
        self._left.set()

    async def resign(self) -> None:
        """Let other replicas fold at once; returns when what is under way is stored, or after a
        time."""
        self._leaving.set()
        self._news.set()
        await set_within(self._left, 2 * STOP_S)

    async def let_go(self) -> None:
        """What was folded here is not any more: whoever takes it need not wait."""
        for shard in self.each:
            metrics.holds_shard.labels(str(shard)).set(0)
        with contextlib.suppress(RehabError, TimeoutError):
            async with asyncio.timeout(STOP_S):
                if self._leaving.is_set():
                    await self._leases.leave()
                await self._leases.give_up(self.each)
        self._left.set()

    async def _look(self, tasks: asyncio.TaskGroup) -> float:
        """When to look again, in seconds."""
        if await self._is_cut_off():
            if not self._aside:
                log.warning("the log does not answer: others may fold what this replica held")
                await self._step_aside()
            return RETRY_S
        share = await self._attend()
        await self._stop(set(self.each) - share.held)
        if share.surplus:
            await self._stop(share.surplus)
            await self._leases.give_up(share.surplus)
        taken = await self._leases.take(share.missing) if share.missing else []
        if len(taken) < share.missing:
            await self._leases.evict()
        self._start([*(share.held - set(share.surplus)), *taken], tasks)
        for shard in share.asked & set(self.each):
            self.each[shard].consumer.begin_again()
        if taken or share.surplus:
            log.info("folds its share of the shards", shards=sorted(self.each))
        return self._pause(share, len(taken))

    async def _attend(self) -> Share:
        self._aside = False
        attending = await self._leases.attend([one.consumer.report() for one in self.each.values()])
        self.alone = len(attending) < 2
        return share_of(self._leases.replica.id, attending, await self._leases.all())

    def _pause(self, share: Share, taken: int) -> float:
        regular = self._leases.ttl_s / 3
        if share.missing > taken:
            return min(regular, RETRY_S, max(SOONEST_S, share.soon_s))
        return min(regular, share.soon_s) if share.soon_s > 0 else regular

    async def _is_cut_off(self) -> bool:
        """Whether the log has not answered this replica for a while, and others may read it."""
        now = self._clock.monotonic()
        if self.alone or (self.each and not any(one.consumer.waits for one in self.each.values())):
            self._reads_at = now
        if now - self._reads_at < STUCK_S:
            return False
        try:
            await self._log.head()
        except RehabError:
            return True
        self._reads_at = now
        return False

    async def _step_aside(self) -> None:
        # first, so that others know what is theirs however this ends
        await self._leases.leave()
        held = list(self.each)
        await self._stop(held)
        await self._leases.give_up(held)
        self._aside = True

    def _start(self, shards: Iterable[int], tasks: asyncio.TaskGroup) -> None:
        for shard in shards:
            known = self.each.get(shard)
            if known is None or known.task.done():
                consumer = self._made(shard)
                task = tasks.create_task(self._fold(consumer), name=f"consumer-{shard}")
                self.each[shard] = Folding(consumer, task)
                metrics.holds_shard.labels(str(shard)).set(1)

    async def _fold(self, consumer: Consumer) -> None:
        await consumer.run()
        with contextlib.suppress(RehabError):
            await self._ended()

    async def _stop(self, shards: Iterable[int]) -> None:
        """Fold them no more, once the batch under way is stored."""
        stopping = {shard: self.each[shard] for shard in shards if shard in self.each}
        await asyncio.gather(*(_stopped(one) for one in stopping.values()))
        for shard in stopping:
            del self.each[shard]
            metrics.holds_shard.labels(str(shard)).set(0)


async def _stopped(folding: Folding) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(STOP_S), folding.consumer.between_batches:
            await ended([folding.task])
    await ended([folding.task])


async def set_within(event: asyncio.Event, seconds: float) -> None:
    """Wait for it, at most that long."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
