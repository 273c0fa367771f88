"""Archiving and restoring a shard, one replica at a time, segment by segment."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

from rehab_eventstore.archive.mover import Mover
from rehab_eventstore.archive.plan import Limits, Movable, segments
from rehab_eventstore.domain.head import Head
from rehab_eventstore.storage.segments import Lease, Segments, Stored
from rehab_runtime.clock import Clock
from rehab_runtime.errors import NotFound, Overloaded, RehabError

SCAN_POSITIONS = 20_000
PLANNED_AT_ONCE = 500_000
"""Events shared out among segments at once; more, and the plan would take too much memory."""
WAIT_S = 0.1
GRACE_S = 1.0


@dataclass(frozen=True)
class Wanted:
    """What is old enough, up to a position and before a time; None is no such bound."""

    until: int | None = None
    before: datetime | None = None


@dataclass(frozen=True)
class Progress:
    events: int = 0
    total: int = 0
    segments: int = 0
    size: int = 0


@dataclass(frozen=True)
class Ends:
    """Looks at a shard: its head, how far the broker is, and `sign` leaves no event that may be
    moved beyond the last signed checkpoint."""

    head: Callable[[int], Awaitable[Head]]
    published: Callable[[int], Awaitable[int]]
    sign: Callable[[Head], Awaitable[None]]


class Archiver:
    """Every method raises Overloaded while another replica archives the shard, and what Mover
    raises. What was interrupted before is ended first."""

    def __init__(
        self,
        segments: Segments,
        mover: Mover,
        ends: Ends,
        limits: Limits,
        clock: Clock,
        *,
        lease_s: float,
    ) -> None:
        self._segments = segments
        self._mover = mover
        self._ends = ends
        self._limits = limits
        self._clock = clock
        self._lease_s = lease_s

    async def archive(self, shard: int, wanted: Wanted, by: str) -> AsyncGenerator[Progress]:
        async with self._leased(shard) as lease:
            done = Progress()
            yield done
            for left in await self._segments.unfinished(shard):
                moved = await self._mover.go_on(left, lease, by)
                if left.state != "returned" and moved:
                    total = done.total + moved
                    done = Progress(done.events + moved, total, done.segments + 1, done.size)
                    yield done
            head = await self._ends.head(shard)
            until = await self._until(head, wanted)
            if until:
                await self._ends.sign(head)
            after = 0
            while after < until:
                movable, after = await self._movable(shard, after, until)
                done = Progress(done.events, done.total + len(movable), done.segments, done.size)
                yield done
                for chosen in segments(movable, self._limits):
                    written = await self._mover.out(chosen, head.incarnation, lease, by)
                    done = Progress(
                        done.events + written.span.events,
                        done.total,
                        done.segments + 1,
                        done.size + written.size,
                    )
                    yield done

    async def restore(
        self, shard: int, name: str, first: int, last: int, by: str
    ) -> AsyncGenerator[Progress]:
        """All segments that hold a position of a range, or the one of a name. Raises NotFound."""
        async with self._leased(shard) as lease:
            if name and await self._segments.by_name(shard, name) is None:
                raise NotFound("a segment that there is not")
            for left in await self._segments.unfinished(shard):
                await self._mover.go_on(left, lease, by)
            wanted = await self._segments.archived(shard, name, first, last)
            done = Progress(total=sum(one.span.events for one in wanted))
            yield done
            for one in wanted:
                await self._mover.back(one, lease, by)
                done = Progress(done.events + one.span.events, done.total, done.segments + 1)
                yield done

    async def listed(self, shard: int, after: str, limit: int) -> list[Stored]:
        return await self._segments.listed(shard, after, limit)

    async def _until(self, head: Head, wanted: Wanted) -> int:
        """The last position that may be moved. Nothing is that the broker has yet to get: the
        relay reads it, and what it reads often should be near."""
        until = min(head.position, await self._ends.published(head.shard))
        if wanted.until is not None:
            until = min(until, wanted.until)
        if wanted.before is not None:
            until = await self._segments.recorded_before(head.shard, wanted.before, until)
        return until

    async def _movable(self, shard: int, after: int, until: int) -> tuple[list[Movable], int]:
        """What may be moved of the next positions, and how far was looked."""
        found: list[Movable] = []
        while after < until and len(found) < PLANNED_AT_ONCE:
            upto = min(until, after + SCAN_POSITIONS)
            found += await self._segments.movable(shard, after, upto)
            after = upto
        return found, after

    @asynccontextmanager
    async def _leased(self, shard: int) -> AsyncIterator[Lease]:
        """Hold the shard's lease; that of a replica that died is waited for."""
        lease = Lease(shard, self._lease_s)
        deadline = self._clock.monotonic() + self._lease_s + GRACE_S
        while not await self._segments.take(lease):
            if self._clock.monotonic() > deadline:
                raise Overloaded("another replica archives the shard", retry_after_s=self._lease_s)
            await asyncio.sleep(WAIT_S)
        keeper = asyncio.create_task(self._keep(lease), name=f"archive lease of shard {shard}")
        try:
            yield lease
        finally:
            keeper.cancel()
            await asyncio.gather(keeper, return_exceptions=True)
            with contextlib.suppress(RehabError):
                await self._segments.give_up(lease)

    async def _keep(self, lease: Lease) -> None:
        while True:
            await asyncio.sleep(lease.ttl_s / 3)
            # one that was lost is noticed by the next step, which is fenced
            with contextlib.suppress(RehabError):
                await self._segments.take(lease)
