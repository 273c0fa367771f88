"""Folds a shard of the log into the read models, batch by batch, while its lease is held."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime

from rehab_clinical.facts import moment

from rehab.events.v1.event_pb2 import RecordedEvent
from rehab_projections import metrics
from rehab_projections.changes import Changes
from rehab_projections.folder import Folder
from rehab_projections.progress import Lag, Progress
from rehab_projections.projector import Projector
from rehab_projections.storage.cursors import Cursor
from rehab_projections.storage.leases import Leases, Report
from rehab_projections.storage.write import FencedError, UnstorableError, Writer
from rehab_runtime.clock import Clock
from rehab_runtime.errors import ArchiveUnreadable, IncarnationChanged, Overloaded, Unavailable
from rehab_runtime.eventlog import EventLog, Follower
from rehab_runtime.logging import get_logger
from rehab_runtime.slices import shard_of
from rehab_runtime.tasks import until_set
from rehab_runtime.unprocessed import Unprocessed

RETRY_S = 0.5
BATCH_S = 120.0
"""A batch that takes longer was cut off from PostgreSQL: it is begun again."""
Follow = Callable[[Cursor, Unprocessed], Follower]
Moved = Callable[[Cursor, Iterable[str]], None]
"""Told of what is visible from now on: how far, and whose patients changed."""

log = get_logger("consumer")


@dataclass(frozen=True)
class FoldContext:
    """What every fold stands on."""

    writer: Writer
    event_log: EventLog
    follow: Follow
    progress: Progress
    clock: Clock


class Consumer:
    """Folds one shard. `between_batches` is held while a batch is folded: whoever has it may end
    the fold without cutting a batch off."""

    def __init__(
        self,
        shard: int,
        shards: int,
        context: FoldContext,
        leases: Leases,
        unprocessed: Unprocessed,
        moved: Moved,
    ) -> None:
        self.between_batches = asyncio.Lock()
        self._shard = shard
        self._shards = shards
        self._context = context
        self._leases = leases
        self._moved = moved
        self._unprocessed = unprocessed
        self._lag = Lag()
        self._projector = Projector(context.writer, context.event_log.read_stream, shards)
        self._folder = Folder(context.writer, self._projector, self._stored)
        self._follower: Follower | None = None
        self._live_after = 0
        self._again = asyncio.Event()
        self._folded_at: datetime | None = None
        self._waits = False

    @property
    def waits(self) -> bool:
        """Whether it cannot fold for want of the log or of PostgreSQL."""
        return self._waits or bool(self._follower and self._follower.waiting)

    async def run(self) -> None:
        """Fold until the lease is lost, or another version answers. Raises IncarnationChanged: then
        the read models must be rebuilt."""
        while True:
            try:
                self._again.clear()
                cursor = await self._begin()
                if cursor is None:
                    return
                self._waits = False
                await until_set(self._again, self._fold_on(cursor))
            except FencedError as error:
                metrics.fenced.inc()
                log.warning("another replica has taken the shard over", reason=str(error))
            except (Unavailable, Overloaded, ArchiveUnreadable) as error:
                await self._wait(error.detail)
            except TimeoutError:
                await self._wait(f"a batch took longer than {BATCH_S:.0f} s")
            except IncarnationChanged as error:
                log.error(
                    "the read models are of another log than the event store's",
                    reason=error.detail,
                    remedy="drop the database of this service and start it: it folds the log anew",
                )
                raise

    async def _wait(self, reason: str) -> None:
        self._follower = None
        if not self._waits:
            log.warning("cannot fold: waiting", reason=reason)
        self._waits = True
        await asyncio.sleep(RETRY_S)

    def begin_again(self) -> None:
        """Forget what is in memory, try once more what is held back, and fold on."""
        self._again.set()

    def report(self) -> Report:
        reached = self._context.progress.cursors.of(self._shard).position
        known = self._follower.head if self._follower else 0
        return Report(
            self._shard,
            max(known, reached),
            self._folded_at,
            self._lag.percentile_ms(0.5) if self._lag else None,
            self._lag.percentile_ms(0.99) if self._lag else None,
        )

    async def _begin(self) -> Cursor | None:
        """Where to go on, None when this replica is not to. What is in memory may not be stored:
        forget it."""
        self._projector.forget()
        head = await self._context.event_log.head(self._shard)
        begun = await self._leases.begin(self._shard)
        if begun is None:
            return None
        cursor = begun.cursor
        self._live_after = max(self._live_after, head.position)
        if cursor.incarnation == head.incarnation:
            cursor = await self._retry_parked(cursor)
        if begun.asked:
            await self._leases.answer(self._shard, begun.asked)
        self._context.progress.reached(cursor)
        return cursor

    async def _retry_parked(self, cursor: Cursor) -> Cursor:
        """A newer version of this service may fold what an older one could not."""
        for parked in await self._context.writer.parked():
            if shard_of(parked.patient_id, self._shards) != self._shard:
                continue
            changes = await self._projector.release(parked, cursor.position)
            if not changes.released:
                # nothing is changed: other runners are not to be disturbed
                continue
            try:
                cursor = await self._context.writer.mend(cursor, changes)
            except UnstorableError:
                continue
            self._projector.stored(changes)
            log.info("a held back stream goes on", event_id=parked.event_id)
        metrics.parked_streams.set(len(await self._context.writer.parked()))
        return cursor

    async def _fold_on(self, cursor: Cursor) -> None:
        self._follower = self._context.follow(cursor, self._unprocessed)
        clock = self._context.clock
        async with aclosing(aiter(self._follower)) as batches:
            async for batch in batches:
                async with self.between_batches, asyncio.timeout(BATCH_S):
                    begun = clock.monotonic()
                    cursor = await self._folder.fold(cursor, batch)
                    metrics.batch_seconds.observe(clock.monotonic() - begun)

    def _stored(self, cursor: Cursor, batch: Sequence[RecordedEvent], changes: Changes) -> None:
        clinics = {one.clinic_id for one in changes.patients.values()}
        self._context.progress.reached(cursor, clinics)
        self._moved(cursor, clinics)
        self._measure(batch)

    def _measure(self, batch: Sequence[RecordedEvent]) -> None:
        now = self._folded_at = self._context.clock.now()
        live = [
            max(0.0, (now - moment(event.envelope.recorded_at)).total_seconds())
            for event in batch
            if event.envelope.position > self._live_after
        ]
        self._lag.observed(live)
        for seconds in live:
            metrics.lag_seconds.observe(seconds)
        metrics.events_folded.inc(len(batch))
