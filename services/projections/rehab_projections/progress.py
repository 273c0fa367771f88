"""How far the fold is: told to those who wait for it."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable

from rehab_projections.domain.measures import percentile
from rehab_projections.storage.read import Reader
from rehab_projections.storage.write import Cursor
from rehab_runtime.errors import Stale

LAG_EVENTS = 4_096
FOREIGN_POLL_S = 0.05
"""How often a waiting read looks whether another replica has folded on."""


def stale(wanted: int, reached: int) -> Stale:
    metadata = {"min_position": str(wanted), "position": str(reached)}
    return Stale("the fold is behind", metadata=metadata)


class Lag:
    """Times from commit to visible of the last events, in seconds."""

    def __init__(self) -> None:
        self._seconds: deque[float] = deque(maxlen=LAG_EVENTS)

    def observed(self, seconds: Iterable[float]) -> None:
        self._seconds.extend(seconds)

    def percentile_ms(self, share: float) -> float:
        return 1000 * (percentile(self._seconds, share) or 0.0)


class Progress:
    """The cursor as last stored by this process, and whom to wake when it moves."""

    def __init__(self, reader: Reader) -> None:
        self.cursor = Cursor(0, "")
        self.lag = Lag()
        self._reader = reader
        self._moved = asyncio.Event()
        self._watchers: dict[str, set[asyncio.Event]] = {}

    def reached(self, cursor: Cursor, clinics: Iterable[str] = ()) -> None:
        self.cursor = cursor
        self._moved.set()
        self._moved = asyncio.Event()
        for clinic_id in clinics:
            for watcher in self._watchers.get(clinic_id, ()):
                watcher.set()

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

    async def until(self, position: int, max_wait_s: float) -> None:
        """Wait until a position is visible. Raises Stale after the time allowed."""
        try:
            async with asyncio.timeout(max_wait_s):
                while self.cursor.position < position:
                    await self._next(FOREIGN_POLL_S)
                    if self.cursor.position >= position:
                        return
                    foreign = await self._reader.cursor()
                    if foreign.position >= position:
                        return
        except TimeoutError:
            raise stale(position, self.cursor.position) from None

    async def _next(self, timeout_s: float) -> None:
        moved = self._moved
        try:
            async with asyncio.timeout(timeout_s):
                await moved.wait()
        except TimeoutError:
            return
