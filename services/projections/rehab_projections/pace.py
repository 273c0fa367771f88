"""When a watch looks again, and when it ends."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

from rehab_projections import metrics
from rehab_runtime.errors import Draining, Overloaded

T = TypeVar("T")
LOOKS_AT_ONCE = 4
"""Of all watches together: reads and folds have the rest of the connections."""
SHARE = 4
"""A watch rests so many times longer than its look took, so that dear reads are looked at less."""


@dataclass(frozen=True)
class Times:
    """In seconds: the least between two looks, when a clinic's list is looked at although all is
    quiet, and how long a watcher hears nothing."""

    interval_s: float
    tick_s: float
    heartbeat_s: float


class Pace:
    """Shared by all watches of a process, of which there are at most `most`."""

    def __init__(self, times: Times, *, most: int) -> None:
        self.times = times
        self._most = most
        self._open = 0
        self._closing = asyncio.Event()
        self._looking = asyncio.Semaphore(LOOKS_AT_ONCE)

    def close(self) -> None:
        """End every watch with Draining, so that watchers connect to another replica."""
        self._closing.set()

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Raises Overloaded when there are too many."""
        if self._open >= self._most:
            raise Overloaded("too many watches", retry_after_s=1)
        self._open += 1
        metrics.watches.set(self._open)
        try:
            yield
        finally:
            self._open -= 1
            metrics.watches.set(self._open)

    def turns(self, news: asyncio.Event) -> Turns:
        """Those of one watch."""
        return Turns(self.times, news, self._closing, self._looking)


class Turns:
    """One watch's looks and the rests between them."""

    def __init__(
        self,
        times: Times,
        news: asyncio.Event,
        closing: asyncio.Event,
        looking: asyncio.Semaphore,
    ) -> None:
        self._times = times
        self._news = news
        self._closing = closing
        self._looking = looking
        self._took_s = 0.0

    async def look(self, ask: Callable[[], Awaitable[T]]) -> T:
        loop = asyncio.get_running_loop()
        self._news.clear()
        async with self._looking:
            began = loop.time()
            try:
                return await ask()
            finally:
                self._took_s = loop.time() - began

    async def rest(self, until_s: float) -> None:
        """Until there is news, or until that time of the loop. Raises Draining when the process
        leaves."""
        pause_s = max(self._times.interval_s, SHARE * self._took_s)
        await self._waited([self._closing], min(pause_s, self._times.heartbeat_s))
        left_s = until_s - asyncio.get_running_loop().time()
        await self._waited([self._closing, self._news], max(0.0, left_s))

    async def _waited(self, events: Sequence[asyncio.Event], timeout_s: float) -> None:
        waiting = [asyncio.create_task(event.wait()) for event in events]
        try:
            await asyncio.wait(waiting, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waiting:
                task.cancel()
        if self._closing.is_set():
            raise Draining("watchers are asked to leave")
