"""Folds the shards of the log that are this replica's share, and looks at the others. How many
there are the log tells."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace

from rehab_projections import metrics
from rehab_projections.behind import NOT_BEGUN, Behind, behind_of
from rehab_projections.consumer import Consumer, FoldContext
from rehab_projections.holding import RETRY_S, Holding, set_within
from rehab_projections.storage.cursors import Cursor, Cursors
from rehab_projections.storage.leases import Leases, Told
from rehab_projections.teller import Teller
from rehab_runtime.errors import Overloaded, RehabError, Unavailable
from rehab_runtime.logging import get_logger
from rehab_runtime.tasks import ended
from rehab_runtime.unprocessed import Unprocessed

CONSUMER = "projections"
LOOK_ON_S = 1.0
ANSWER_S = 0.25
"""How often one who waits for another replica looks, if nothing tells it to."""

log = get_logger("consumers")


class Consumers:
    """`run` is their task. Once `leaving` is set they fold no more, and go on to look."""

    def __init__(
        self,
        context: FoldContext,
        leases: Leases,
        is_live: Callable[[], Awaitable[bool]],
        leaving: asyncio.Event,
    ) -> None:
        self._context = context
        self._leases = leases
        self._teller = Teller(leases)
        self._holding = Holding(
            leases, context.event_log, context.clock, leaving, self._consumer, is_live
        )
        self._unprocessed: Sequence[Unprocessed] = ()
        self._doubt = asyncio.Event()
        self._answer = asyncio.Event()

    async def run(self) -> None:
        """Fold until cancelled. Raises IncarnationChanged: then the read models must be rebuilt."""
        await self._begin()
        try:
            async with asyncio.TaskGroup() as tasks:
                beside = [
                    tasks.create_task(self._teller.run(), name="tells other replicas"),
                    tasks.create_task(self._look_on(), name="looks at what others fold"),
                ]
                try:
                    await self._holding.run(tasks)
                    await asyncio.gather(*beside)
                finally:
                    await ended([*beside, *(one.task for one in self._holding.each.values())])
        except ExceptionGroup as fallen:
            raise fallen.exceptions[0] from None
        finally:
            await self._holding.let_go()

    def look(self) -> None:
        """Leases were given up, replicas came or went, or somebody is asked or answers."""
        self._holding.look()
        self._answer.set()
        self._answer = asyncio.Event()

    def doubt(self) -> None:
        """What was told may have been missed."""
        self.look()
        self._doubt.set()

    async def resign(self) -> None:
        """Let other replicas fold at once; returns when what is under way is stored, or after a
        time."""
        if self._unprocessed:
            await self._holding.resign()

    async def begin_again(self, shard: int) -> None:
        """Let a shard's fold, wherever it is, begin again, and wait until it has."""
        asked = await self._leases.ask(shard)
        while asked is not None:
            answer = self._answer
            if await self._leases.answered(shard) >= asked:
                return
            await set_within(answer, ANSWER_S)

    async def behind(self) -> Sequence[Behind]:
        """How far each shard's fold is behind."""
        told = [self._freshened(one) for one in await self._leases.told()]
        asking = (behind_of(one, self._context.event_log, self._context.clock) for one in told)
        return await asyncio.gather(*asking) or [NOT_BEGUN]

    def _freshened(self, told: Told) -> Told:
        """Of what is folded here more is known than was told."""
        folding = self._holding.each.get(told.cursor.shard)
        if folding is None:
            return told
        mine = folding.consumer.report()
        return replace(
            told,
            head=mine.head,
            folded_at=mine.folded_at or told.folded_at,
            lag_p50_ms=told.lag_p50_ms if mine.lag_p50_ms is None else mine.lag_p50_ms,
            lag_p99_ms=told.lag_p99_ms if mine.lag_p99_ms is None else mine.lag_p99_ms,
        )

    async def _begin(self) -> None:
        told = False
        while not self._unprocessed:
            try:
                heads = await self._context.event_log.heads()
                cursors = await self._context.writer.start([head.incarnation for head in heads])
                await self._leases.open(len(heads))
            except (Unavailable, Overloaded) as error:
                if not told:
                    log.warning("cannot begin to fold: waiting", reason=error.detail)
                told = True
                await asyncio.sleep(RETRY_S)
                continue
            self._context.progress.begun(cursors)
            clock = self._context.clock
            self._unprocessed = [Unprocessed(CONSUMER, shard, clock) for shard in range(len(heads))]

    def _consumer(self, shard: int) -> Consumer:
        unprocessed = self._unprocessed[shard]
        shards = len(self._unprocessed)
        return Consumer(shard, shards, self._context, self._leases, unprocessed, self._moved)

    def _moved(self, cursor: Cursor, clinics: Iterable[str]) -> None:
        if not self._holding.alone:
            self._teller.moved(cursor, clinics)

    async def _look_on(self) -> None:
        """Know how far others fold, if nothing tells it, how long events wait for them, and whether
        what was folded here is still stored."""
        while True:
            self._doubt.clear()
            # whoever folds tells that PostgreSQL is away
            with contextlib.suppress(RehabError):
                await self._look_at_all()
            await set_within(self._doubt, LOOK_ON_S)

    async def _look_at_all(self) -> None:
        here, before = self._holding.each, self._context.progress.cursors
        told = await self._leases.told()
        for one in told:
            known = before.of(one.cursor.shard)
            if one.cursor.shard in here and one.cursor.position < known.position:
                # what a crash of PostgreSQL took back: the next event may not come for long
                log.warning("the read models were set back: folding again", shard=known.shard)
                here[known.shard].consumer.begin_again()
        await self._look_at_others([one for one in told if one.cursor.shard not in here], before)

    async def _look_at_others(self, others: Sequence[Told], before: Cursors) -> None:
        here, progress = self._holding.each, self._context.progress
        for one in others:
            # unless something newer was told meanwhile
            if progress.cursors.of(one.cursor.shard) == before.of(one.cursor.shard):
                progress.heard(one.cursor)
        for one in others:
            now = await behind_of(one, self._context.event_log, self._context.clock)
            if now.status != "waiting" and one.cursor.shard not in here:
                oldest = now.oldest_at.timestamp() if now.oldest_at else None
                self._unprocessed[one.cursor.shard].seen(oldest)
        if others:
            metrics.parked_streams.set(len(await self._context.writer.parked()))
