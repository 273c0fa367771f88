"""Folds the log into what decisions rest on, shard by shard, for ever."""

from __future__ import annotations

import asyncio
import contextlib
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence

from rehab.events.v1.event_pb2 import RecordedEvent
from rehab_identity import metrics
from rehab_identity.domain.fold import fold, touched
from rehab_identity.domain.record import PatientRecord
from rehab_identity.facts.storage import Cursor, FencedError, Storage
from rehab_runtime.errors import (
    ArchiveUnreadable,
    IncarnationChanged,
    Overloaded,
    PermissionDenied,
    Stale,
    Unavailable,
)
from rehab_runtime.eventlog import EventLog, Follower
from rehab_runtime.logging import get_logger
from rehab_runtime.unprocessed import Unprocessed

CONSUMER = "identity"
RETRY_S = 0.25
KNOWN = 200_000
"""Patients of whom it is remembered that they are known."""
WAITING = (Unavailable, Overloaded, ArchiveUnreadable, PermissionDenied)
"""PermissionDenied: keys are not lent to this service. Without them nothing may be folded."""

log = get_logger("facts")
Follow = Callable[[Cursor, Unprocessed], Follower]
Erase = Callable[[str], Awaitable[None]]
"""Takes away what else is kept of an account. It may be asked twice."""


class Progress:
    """How far each shard is folded, as this replica knows."""

    def __init__(self) -> None:
        self._positions: dict[int, int] = {}
        self._moved = asyncio.Event()

    def reached(self, cursor: Cursor) -> None:
        if cursor.position > self._positions.get(cursor.shard, -1):
            self._positions[cursor.shard] = cursor.position
            self._moved.set()
            self._moved = asyncio.Event()

    async def wait(self, shard: int, position: int, timeout_s: float) -> None:
        """Raises Stale when it is not reached in time."""
        try:
            async with asyncio.timeout(timeout_s):
                while self._positions.get(shard, -1) < position:
                    await self._moved.wait()
        except TimeoutError:
            raise Stale(f"shard {shard} is not folded to {position}") from None


class Consumer:
    """The fold of one shard. Each replica runs one: the fence lets one store each batch."""

    def __init__(
        self,
        shard: int,
        storage: Storage,
        event_log: EventLog,
        follow: Follow,
        progress: Progress,
        erase: Erase,
    ) -> None:
        self._shard = shard
        self._storage = storage
        self._log = event_log
        self._follow = follow
        self._progress = progress
        self._erase = erase
        self._unprocessed = Unprocessed(CONSUMER, shard)
        self._known: OrderedDict[str, None] = OrderedDict()

    async def run(self) -> None:
        """Fold until cancelled. Raises IncarnationChanged: then the fold must begin anew."""
        told = False
        while True:
            try:
                head = await self._log.head(self._shard)
                cursor = await self._storage.cursor(self._shard, head.incarnation)
                self._progress.reached(cursor)
                following = aiter(self._follow(cursor, self._unprocessed))
                async with contextlib.aclosing(following) as batches:
                    async for batch in batches:
                        cursor = await self._fold_or_pass(cursor, batch)
                        told = False
            except WAITING as error:
                if not told:
                    log.warning(
                        "cannot fold: waiting; what changes meanwhile is not known here",
                        error_type=type(error).__name__,
                        reason=error.detail,
                        remedy="see that PostgreSQL and the event store answer, and that "
                        "EVENTSTORE_KEY_READERS names identity",
                    )
                told = True
                await asyncio.sleep(RETRY_S)
            except IncarnationChanged as error:
                log.error(
                    "what is known is of another log than the event store's",
                    reason=error.detail,
                    remedy="empty the tables patient, emergency, access_entry and fact_cursor of "
                    "this service's database and start it: it folds the log anew",
                )
                raise

    async def _fold_or_pass(self, cursor: Cursor, batch: Sequence[RecordedEvent]) -> Cursor:
        """What another replica has folded is passed over."""
        while batch := [one for one in batch if one.envelope.position > cursor.position]:
            try:
                return await self._fold(cursor, batch)
            except FencedError:
                metrics.fenced.inc()
                cursor = await self._storage.cursor(cursor.shard, cursor.incarnation)
                self._progress.reached(cursor)
        return cursor

    async def _fold(self, cursor: Cursor, batch: Sequence[RecordedEvent]) -> Cursor:
        wanted = touched(batch, self._known)
        before: dict[str, PatientRecord] = {}
        if wanted:
            kept = await self._storage.kept(sorted(wanted))
            before = {name: one.record for name, one in kept.items() if one.record is not None}
        changes = fold(before, batch, self._shard, wanted)
        for patient_id in changes.erased:
            # before the position is saved: whoever falls in between does it again
            await self._erase(patient_id)
        position = batch[-1].envelope.position
        cursor = await self._storage.save(cursor, position, changes)
        self._remember([*before, *(one.patient_id for one in changes.records)])
        for one in changes.records:
            if one.unreadable_at is not None:
                metrics.unreadable.inc()
                log.error(
                    "an event that decisions rest on cannot be read: nothing of this patient is "
                    "allowed on what came before",
                    position=position,
                    remedy="verify the log: rehab log verify",
                )
        metrics.folded.inc(len(batch))
        self._progress.reached(cursor)
        return cursor

    def _remember(self, patient_ids: Sequence[str]) -> None:
        for one in patient_ids:
            self._known[one] = None
        while len(self._known) > KNOWN:
            self._known.popitem(last=False)


class Consumers:
    """One for every shard of the log. How many there are the log tells. `run` is their task."""

    def __init__(self, event_log: EventLog, consumer: Callable[[int], Consumer]) -> None:
        self._log = event_log
        self._consumer = consumer

    async def run(self) -> None:
        shards = 0
        while not shards:
            with contextlib.suppress(Unavailable, Overloaded):
                shards = (await self._log.head()).shards
            if not shards:
                await asyncio.sleep(RETRY_S)
        try:
            async with asyncio.TaskGroup() as tasks:
                for shard in range(shards):
                    tasks.create_task(self._consumer(shard).run(), name=f"folds-{shard}")
        except ExceptionGroup as fallen:
            raise fallen.exceptions[0] from None
