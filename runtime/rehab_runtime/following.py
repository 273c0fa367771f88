"""Follows the log from the position that a service saved, in as many shards as there are, for ever.

    positions = Positions(database, "log_position")

    async def fold(cursor: Cursor, batch: Sequence[RecordedEvent]) -> Cursor:
        async with database.transaction() as connection:
            cursor = await positions.advance(connection, cursor, batch)
            await store(connection, what_changes(batch))
        return cursor

    log_fold = LogFold("policy", settings, event_log, broker, positions, fold)
    background.start(log_fold.run(), "folds the log")

Every replica folds every shard: the one that stores a batch first fences the others off, and they
pass over what it stored.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Protocol

from nats.js import JetStreamContext

from rehab.events.v1.event_pb2 import RecordedEvent
from rehab_runtime.errors import (
    ArchiveUnreadable,
    IncarnationChanged,
    Overloaded,
    PermissionDenied,
    RehabError,
    Unavailable,
)
from rehab_runtime.eventlog import EventLog, Follower, follow
from rehab_runtime.logging import get_logger
from rehab_runtime.positions import Cursor, FencedError, Positions, Progress
from rehab_runtime.settings import FollowSettings
from rehab_runtime.tasks import until_set
from rehab_runtime.unprocessed import Unprocessed

RETRY_S = 0.25
LOOK_S = 1.0
"""How often it is looked whether the database still has what it had stored."""
WAITING = (Unavailable, Overloaded, ArchiveUnreadable, PermissionDenied)
"""PermissionDenied: keys are not lent to this service. Without them nothing may be folded."""

Fold = Callable[[Cursor, Sequence[RecordedEvent]], Awaitable[Cursor]]
"""Stores what a batch changes and, in the same transaction, that the cursor is behind it; gives the
cursor. Raises what Positions and the database raise."""

log = get_logger("following")


class Place(Protocol):
    """Where a shard is followed on."""

    @property
    def shard(self) -> int: ...

    @property
    def position(self) -> int: ...

    @property
    def incarnation(self) -> str: ...


def follow_from(
    settings: FollowSettings,
    event_log: EventLog,
    broker: JetStreamContext,
    place: Place,
    unprocessed: Unprocessed,
) -> Follower:
    """As a service is told to follow the log."""
    return follow(
        event_log,
        broker,
        place.position,
        settings.max_batch_events,
        incarnation=place.incarnation,
        stream=settings.log_stream,
        prefix=settings.subject_prefix,
        shard=place.shard,
        unprocessed=unprocessed,
    )


class LogFold:
    """`run` is its task, `progress` how far it has come. `begun` is told where a shard's fold goes
    on: what is in memory of it may not have been stored. `anew` says what to do, in the error's
    line, when the log is not the one that was folded. After a batch it rests for `gather_s`, and
    folds together what came meanwhile: for services of which nobody waits for each event."""

    def __init__(
        self,
        name: str,
        settings: FollowSettings,
        event_log: EventLog,
        broker: JetStreamContext,
        positions: Positions,
        fold: Fold,
        *,
        begun: Callable[[Cursor], None] = lambda _: None,
        anew: str = "empty this service's database and start it: it folds the log anew",
        gather_s: float = 0.0,
    ) -> None:
        self.progress = Progress()
        self._name = name
        self._log = event_log
        self._follow = partial(follow_from, settings, event_log, broker)
        self._positions = positions
        self._fold = fold
        self._begun = begun
        self._anew = anew
        self._gather_s = gather_s
        self._lost: list[asyncio.Event] = []
        self._unprocessed: dict[int, Unprocessed] = {}

    def oldest_s(self) -> Mapping[int, float]:
        """The age of each shard's oldest event that is not folded, in seconds; 0 for none."""
        return {shard: one.seconds() for shard, one in self._unprocessed.items()}

    async def run(self) -> None:
        """Fold until cancelled. Raises IncarnationChanged: then the fold must begin anew."""
        while not self._lost:
            try:
                self._lost = [asyncio.Event() for _ in range((await self._log.head()).shards)]
            except (Unavailable, Overloaded):
                await asyncio.sleep(RETRY_S)
        try:
            async with asyncio.TaskGroup() as tasks:
                for shard in range(len(self._lost)):
                    tasks.create_task(self._fold_shard(shard), name=f"folds-{shard}")
                tasks.create_task(self._look_back(), name="looks whether it is still stored")
        except ExceptionGroup as fallen:
            raise fallen.exceptions[0] from None

    async def _fold_shard(self, shard: int) -> None:
        unprocessed = self._unprocessed[shard] = Unprocessed(self._name, shard)
        waits = asyncio.Event()
        while True:
            self._lost[shard].clear()
            try:
                await until_set(self._lost[shard], self._fold_on(shard, unprocessed, waits))
            except WAITING as error:
                if not waits.is_set():
                    log.warning(
                        "cannot fold: waiting; what changes meanwhile is not known here",
                        error_type=type(error).__name__,
                        reason=error.detail,
                        remedy="see that PostgreSQL and the event store answer, and that "
                        f"EVENTSTORE_KEY_READERS names {self._name}",
                    )
                waits.set()
                await asyncio.sleep(RETRY_S)
            except IncarnationChanged as error:
                log.error(
                    "what is known is of another log than the event store's",
                    reason=error.detail,
                    remedy=self._anew,
                )
                raise

    async def _fold_on(self, shard: int, unprocessed: Unprocessed, waits: asyncio.Event) -> None:
        """From what is saved on, until that turns out to be less than it was."""
        head = await self._log.head(shard)
        cursor = await self._positions.of(shard, head.incarnation)
        self._begun(cursor)
        self.progress.set(cursor)
        following = aiter(self._follow(cursor, unprocessed))
        async with contextlib.aclosing(following) as batches:
            async for batch in batches:
                reached = await self._fold_or_pass(cursor, batch)
                if reached is None:
                    return
                cursor = reached
                waits.clear()
                if self._gather_s:
                    unprocessed.finished(batch)  # it does not wait while the next one gathers
                    await asyncio.sleep(self._gather_s)

    async def _fold_or_pass(self, cursor: Cursor, batch: Sequence[RecordedEvent]) -> Cursor | None:
        """What another replica has folded is passed over. None when something before the batch is
        not folded any more: the database was set back."""
        while batch := [one for one in batch if one.envelope.position > cursor.position]:
            if cursor.position + 1 < batch[0].envelope.position:
                return None
            try:
                cursor = await self._fold(cursor, batch)
            except FencedError:
                cursor = await self._positions.of(cursor.shard, cursor.incarnation)
            self.progress.set(cursor)
        return cursor

    async def _look_back(self) -> None:
        """A crash of the database, or a standby in its place, may take back what was stored. The
        next batch would tell, but there may be none for long."""
        while True:
            await asyncio.sleep(LOOK_S)
            known = self.progress.positions
            with contextlib.suppress(RehabError):  # whoever folds tells that PostgreSQL is away
                saved = {one.shard: one.position for one in await self._positions.all()}
                for shard, position in known.items():
                    if saved.get(shard, -1) < position:
                        log.warning("the database was set back: folding again", shard=shard)
                        self._lost[shard].set()
