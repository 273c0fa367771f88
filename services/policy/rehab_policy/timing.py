"""Time passes although nothing happens: timers that are due fire once everything that was recorded
before is folded, as of when they were due."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from rehab_policy import metrics
from rehab_policy.books import Books, Track
from rehab_policy.consumer import Consumer
from rehab_policy.storage.folds import Folds
from rehab_runtime.clock import Clock
from rehab_runtime.errors import RehabError
from rehab_runtime.eventlog import EventLog
from rehab_runtime.logging import get_logger
from rehab_runtime.positions import FencedError, Progress
from rehab_runtime.tasks import set_within

FOLD_TIMEOUT_S = 5.0
RETRY_S = 0.5
LOOK_S = 60.0
PATIENTS_AT_ONCE = 50
MARGIN = timedelta(seconds=1)
"""By so much this machine's clock may be ahead of the event store's."""

log = get_logger("timing")


class Timing:
    """`run` is its task."""

    def __init__(
        self,
        consumer: Consumer,
        folds: Folds,
        books: Books,
        event_log: EventLog,
        progress: Progress,
        clock: Clock,
        tick_s: float,
    ) -> None:
        self._consumer = consumer
        self._folds = folds
        self._books = books
        self._log = event_log
        self._progress = progress
        self._clock = clock
        self._tick_s = tick_s

    async def run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            for shard in range(await self._shards()):
                tasks.create_task(self._tick_on(shard), name=f"ticks-{shard}")
                tasks.create_task(self._set_on(shard), name=f"sets-timers-{shard}")

    async def _shards(self) -> int:
        while True:
            try:
                return (await self._log.head()).shards
            except RehabError:
                await asyncio.sleep(RETRY_S)

    async def _tick_on(self, shard: int) -> None:
        while True:
            try:
                await self._tick(shard)
            except (RehabError, FencedError):
                # the fold tells what is away, and another replica's turn is as good
                await asyncio.sleep(RETRY_S)
            await asyncio.sleep(self._tick_s)

    async def _tick(self, shard: int) -> None:
        now = self._clock.now()
        by = now - MARGIN
        # everything recorded up to now lies before the head that is asked for after it
        head = await self._log.head(shard)
        await self._progress.wait(shard, head.position, FOLD_TIMEOUT_S)
        while await self._consumer.fire(shard, by, PATIENTS_AT_ONCE) == PATIENTS_AT_ONCE:
            await asyncio.sleep(0)
        metrics.timers_late_seconds.labels(str(shard)).set(_seconds(self._clock.now() - now))

    async def _set_on(self, shard: int) -> None:
        """Rules that became others want other timers, of patients of whom nothing is heard."""
        while True:
            changed = self._books.changed
            wait_s = LOOK_S
            try:
                tracks = await self._books.tracks()
                for track in tracks:
                    wait_s = min(wait_s, await self._set(shard, track))
                await self._folds.keep_tracks([track.id for track in tracks])
            except (RehabError, FencedError):
                wait_s = RETRY_S
            await set_within(changed, wait_s)

    async def _set(self, shard: int, track: Track) -> float:
        """In how many seconds to look again."""
        anew = await self._folds.anew(track.id, track.generation, shard)
        if anew.done:
            return LOOK_S
        # by then every replica folds by these rules, too
        ahead = _seconds(track.changed_at + MARGIN - self._clock.now())
        if ahead > 0:
            return ahead
        head = await self._log.head(shard)
        await self._progress.wait(shard, head.position, FOLD_TIMEOUT_S)
        while not anew.done:
            anew = await self._consumer.set_anew(shard, track, anew, PATIENTS_AT_ONCE)
            await asyncio.sleep(0)
        return LOOK_S


def _seconds(span: timedelta) -> float:
    return span.total_seconds()
