"""How far the fold is: told to those who wait for it."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from rehab_clinical.measures import percentile

from rehab_projections.storage.cursors import Cursor, Cursors
from rehab_projections.storage.read import Reader
from rehab_runtime.errors import Stale

LAG_EVENTS = 4_096
FOREIGN_POLL_S = 0.25
"""How often a waiting read looks whether another replica has folded on, if none tells it."""


Wanted = Mapping[int, int]
"""Positions to be reflected, by shard."""


def reflects(cursors: Cursors, wanted: Wanted) -> bool:
    return all(cursors.of(shard).position >= least for shard, least in wanted.items())


def require_reached(wanted: Wanted, cursors: Cursors) -> None:
    """Raises Stale."""
    for shard, position in wanted.items():
        reached = cursors.of(shard).position
        if reached < position:
            metadata = {
                "min_position": str(position),
                "position": str(reached),
                "shard": str(shard),
            }
            raise Stale("the fold is behind", metadata=metadata)


class Lag:
    """Times from commit to visible of the last events, in seconds."""

    def __init__(self) -> None:
        self._seconds: deque[float] = deque(maxlen=LAG_EVENTS)

    def observed(self, seconds: Iterable[float]) -> None:
        self._seconds.extend(seconds)

    def __len__(self) -> int:
        return len(self._seconds)

    def percentile_ms(self, share: float) -> float:
        return 1000 * (percentile(self._seconds, share) or 0.0)


class Progress:
    """The cursors as last stored, by this process or as others told, and whom to wake when they
    move."""

    def __init__(self, reader: Reader) -> None:
        self.cursors = Cursors()
        self._reader = reader
        self._moved = asyncio.Event()
        self._watchers: dict[str, set[asyncio.Event]] = {}

    def begun(self, cursors: Cursors) -> None:
        self.cursors = cursors
        self._wake()

    def reached(self, cursor: Cursor, clinics: Iterable[str] = ()) -> None:
        self._move(cursor)
        for clinic_id in clinics:
            for watcher in self._watchers.get(clinic_id, ()):
                watcher.set()

    def heard(self, cursor: Cursor) -> None:
        """It is stored so far: whose patients changed, nobody tells."""
        if cursor != self.cursors.of(cursor.shard):
            self._move(cursor)
            for watchers in self._watchers.values():
                for watcher in watchers:
                    watcher.set()

    def heard_of(self, shard: int, position: int, clinics: Iterable[str] | None) -> None:
        """Another replica tells how far it has folded; None when it does not tell for whom."""
        known = self.cursors.of(shard)
        cursor = replace(known, position=max(known.position, position))
        if clinics is None:
            self.heard(cursor)
        else:
            self.reached(cursor, clinics)

    def _move(self, cursor: Cursor) -> None:
        # before the fold has begun here, nothing is known of the other shards
        if cursor.shard < len(self.cursors):
            each = list(self.cursors.each)
            each[cursor.shard] = cursor
            self.cursors = Cursors(tuple(each))
        self._wake()

    def _wake(self) -> None:
        self._moved.set()
        self._moved = asyncio.Event()

    def watch(self, clinic_id: str) -> asyncio.Event:
        """An event that is set whenever a patient of the clinic changed; give it to `unwatch`."""
        watcher = asyncio.Event()
        self._watchers.setdefault(clinic_id, set()).add(watcher)
        return watcher

    def unwatch(self, clinic_id: str, watcher: asyncio.Event) -> None:
        watchers = self._watchers.get(clinic_id, set())
        watchers.discard(watcher)
        if not watchers:
            self._watchers.pop(clinic_id, None)

    async def moved(self, timeout_s: float) -> None:
        """Wait until the cursors move here, or for that time."""
        await self._next(timeout_s)

    async def shards(self, max_wait_s: float) -> int:
        """How many shards the log has. Raises Stale when the fold has not begun in that time."""
        if not await self._within(max_wait_s, lambda cursors: len(cursors) > 0):
            raise Stale("the fold has not begun")
        return len(self.cursors) or len(await self._reader.cursors())

    async def until(self, wanted: Wanted, max_wait_s: float) -> None:
        """Wait until positions are visible. Raises Stale after the time allowed."""
        if not await self._within(max_wait_s, lambda cursors: reflects(cursors, wanted)):
            require_reached(wanted, self.cursors)

    async def _within(self, seconds: float, holds: Callable[[Cursors], bool]) -> bool:
        """Whether it came to hold in that time, here or by another replica."""
        try:
            async with asyncio.timeout(seconds):
                while not holds(self.cursors):
                    await self._next(FOREIGN_POLL_S)
                    if not holds(self.cursors) and holds(await self._reader.cursors()):
                        break
        except TimeoutError:
            return False
        return True

    async def _next(self, timeout_s: float) -> None:
        moved = self._moved
        try:
            async with asyncio.timeout(timeout_s):
                await moved.wait()
        except TimeoutError:
            return
