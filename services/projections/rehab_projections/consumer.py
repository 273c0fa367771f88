"""Folds a shard of the log into the read models, batch by batch, for ever."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from rehab.events.v1.event_pb2 import RecordedEvent
from rehab_projections import metrics
from rehab_projections.changes import Changes
from rehab_projections.domain.facts import moment
from rehab_projections.folder import Folder
from rehab_projections.progress import Lag, Progress
from rehab_projections.projector import Projector
from rehab_projections.storage.cursors import Cursor
from rehab_projections.storage.write import FencedError, UnstorableError, Writer
from rehab_runtime.clock import Clock
from rehab_runtime.errors import (
    ArchiveUnreadable,
    IncarnationChanged,
    Overloaded,
    RehabError,
    Unavailable,
)
from rehab_runtime.eventlog import EventLog, Follower
from rehab_runtime.logging import get_logger
from rehab_runtime.slices import shard_of

RETRY_S = 0.5
LIVE_WITHIN_MS = 1000
"""With an oldest unprocessed event no older than this the fold is live."""

log = get_logger("consumer")


@dataclass(frozen=True, slots=True)
class Behind:
    """How far a shard's fold is behind the log. `oldest_ms` is the age of the next event to fold,
    the others are percentiles of the time from commit to visible."""

    shard: int
    position: int
    head: int
    oldest_ms: int
    status: str
    incarnation: str
    lag_p50_ms: float = 0.0
    lag_p99_ms: float = 0.0


class Consumer:
    """One runner of one shard's fold. Several may run: the fence lets only one store each batch."""

    def __init__(
        self,
        shard: int,
        shards: int,
        writer: Writer,
        event_log: EventLog,
        follow: Callable[[Cursor], Follower],
        progress: Progress,
        clock: Clock,
        is_live: Callable[[], Awaitable[bool]],
    ) -> None:
        self._shard = shard
        self._shards = shards
        self._writer = writer
        self._log = event_log
        self._follow = follow
        self._progress = progress
        self._clock = clock
        self._is_live = is_live
        self._lag = Lag()
        self._projector = Projector(writer, event_log.read_stream, shards)
        self._folder = Folder(writer, self._projector, self._stored)
        self._follower: Follower | None = None
        self._live_after = 0
        self._again = asyncio.Event()
        self._begun = asyncio.Event()
        self._asked = self._answered = 0
        self._folded_at = clock.now()

    async def run(self) -> None:
        """Fold until cancelled. Raises IncarnationChanged: then the read models must be rebuilt."""
        told = False
        while True:
            try:
                self._again.clear()
                asked = self._asked
                cursor = await self._begin()
                told = False
                self._tell_begun(asked)
                await self._fold_until_again(cursor)
            except FencedError as error:
                metrics.fenced.inc()
                log.warning("another runner has folded on", reason=str(error))
            except (Unavailable, Overloaded, ArchiveUnreadable) as error:
                if not told:
                    log.warning("cannot fold: waiting", reason=error.detail)
                told = True
                await asyncio.sleep(RETRY_S)
            except IncarnationChanged as error:
                log.error(
                    "the read models are of another log than the event store's",
                    reason=error.detail,
                    remedy="drop the database of this service and start it: it folds the log anew",
                )
                raise

    async def begin_again(self) -> None:
        """Forget what is in memory, try once more what is held back, and fold on; returns when that
        has begun."""
        self._asked += 1
        mine = self._asked
        self._again.set()
        while self._answered < mine:
            await self._begun.wait()

    def _tell_begun(self, asked: int) -> None:
        self._answered = asked
        self._begun.set()
        self._begun = asyncio.Event()

    async def _fold_until_again(self, cursor: Cursor) -> None:
        folding = asyncio.create_task(self._fold_on(cursor))
        asked = asyncio.create_task(self._again.wait())
        try:
            await asyncio.wait((folding, asked), return_when=asyncio.FIRST_COMPLETED)
            if folding.done():
                folding.result()
        finally:
            for task in (folding, asked):
                task.cancel()
            await asyncio.gather(folding, asked, return_exceptions=True)

    async def _begin(self) -> Cursor:
        """Where to go on. What is in memory may not be stored: forget it."""
        self._projector.forget()
        while not await self._is_live():
            await asyncio.sleep(RETRY_S)
        head = await self._log.head(self._shard)
        cursor = (await self._writer.cursors()).of(self._shard)
        self._live_after = max(self._live_after, head.position)
        if cursor.incarnation == head.incarnation:
            cursor = await self._retry_parked(cursor)
        self._progress.reached(cursor)
        return cursor

    async def _retry_parked(self, cursor: Cursor) -> Cursor:
        """A newer version of this service may fold what an older one could not."""
        for parked in await self._writer.parked():
            if shard_of(parked.patient_id, self._shards) != self._shard:
                continue
            changes = await self._projector.release(parked, cursor.position)
            if not changes.released:
                # nothing is changed: other runners are not to be disturbed
                continue
            try:
                cursor = await self._writer.mend(cursor, changes)
            except UnstorableError:
                continue
            self._projector.stored(changes)
            log.info("a held back stream goes on", event_id=parked.event_id)
        metrics.parked_streams.set(len(await self._writer.parked()))
        return cursor

    async def _fold_on(self, cursor: Cursor) -> None:
        self._follower = self._follow(cursor)
        async for batch in self._follower:
            begun = self._clock.monotonic()
            cursor = await self._folder.fold(cursor, batch)
            metrics.batch_seconds.observe(self._clock.monotonic() - begun)

    def _stored(self, cursor: Cursor, batch: Sequence[RecordedEvent], changes: Changes) -> None:
        self._progress.reached(cursor, {one.clinic_id for one in changes.patients.values()})
        self._measure(batch)

    def _measure(self, batch: Sequence[RecordedEvent]) -> None:
        now = self._folded_at = self._clock.now()
        live = [
            max(0.0, (now - moment(event.envelope.recorded_at)).total_seconds())
            for event in batch
            if event.envelope.position > self._live_after
        ]
        self._lag.observed(live)
        for seconds in live:
            metrics.lag_seconds.observe(seconds)
        metrics.events_folded.inc(len(batch))

    async def behind(self) -> Behind:
        """How far the fold is behind; asks the log."""
        cursor = self._progress.cursors.of(self._shard)
        try:
            events, head = await self._log.read_all(cursor.position, 1, shard=self._shard)
        except RehabError:
            return self._unanswered(cursor)
        oldest_ms = self._age_ms(events[0]) if events else 0
        status = "live" if oldest_ms <= LIVE_WITHIN_MS else "catching_up"
        return self._behind(cursor, head.position, oldest_ms, status)

    def _unanswered(self, cursor: Cursor) -> Behind:
        """What is known without the log. What is behind has waited at least since the last fold."""
        head = self._follower.head if self._follower else cursor.position
        stopped = self._clock.now() - self._folded_at if head > cursor.position else timedelta()
        return self._behind(cursor, head, int(stopped.total_seconds() * 1000), "waiting")

    def _behind(self, cursor: Cursor, head: int, oldest_ms: int, status: str) -> Behind:
        return Behind(
            shard=self._shard,
            position=cursor.position,
            head=head,
            oldest_ms=oldest_ms,
            status=status,
            incarnation=cursor.incarnation,
            lag_p50_ms=self._lag.percentile_ms(0.5),
            lag_p99_ms=self._lag.percentile_ms(0.99),
        )

    def _age_ms(self, event: RecordedEvent) -> int:
        age = self._clock.now() - moment(event.envelope.recorded_at)
        return max(0, int(age.total_seconds() * 1000))
