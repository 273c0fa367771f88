"""Where commands wait while the batch before theirs is committed: two bounded lanes."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple

from rehab_eventstore import metrics
from rehab_eventstore.domain.commands import Asked
from rehab_eventstore.domain.decide import Verdict
from rehab_runtime.errors import Draining, Overloaded, RehabError

MIN_RETRY_S = 0.05
MAX_RETRY_S = 5.0
GATHER_S = 0.005
"""Longest time for which calls are let in before a commit: about as long as a commit takes."""
QUIET_S = 0.001
"""Time without a new call after which there are no more to wait for."""


class Priority(Enum):
    LIVE = "live"
    IMPORT = "import"


@dataclass(frozen=True)
class Bounds:
    """How much may wait in each lane, and how much goes into one batch.

    `import_share` of a batch is kept for imports while both lanes wait; more they do not get.
    """

    queued_events: int = 20_000
    queued_bytes: int = 64_000_000
    batch_events: int = 1024
    batch_bytes: int = 1_000_000
    import_share: float = 0.25

    def share(self, part: float) -> tuple[int, int]:
        """Events and bytes that make up a part of a batch."""
        return int(self.batch_events * part), int(self.batch_bytes * part)


class Waiting(NamedTuple):
    """A command and the future of its verdict. A future that is done has no one waiting."""

    asked: Asked
    verdict: asyncio.Future[Verdict]
    events: int
    size: int

    def answer(self, verdict: Verdict) -> None:
        if not self.verdict.done():
            self.verdict.set_result(verdict)


@dataclass
class _Lane:
    waiting: deque[Waiting] = field(default_factory=deque)
    events: int = 0
    size: int = 0

    def put(self, one: Waiting) -> None:
        self.waiting.append(one)
        self.events += one.events
        self.size += one.size

    def take(self, events: int, size: int, *, whole: bool) -> Iterator[Waiting]:
        """What is in front, up to a number of events and bytes; with `whole` at least one."""
        while self.waiting:
            one = self.waiting[0]
            abandoned = one.verdict.done()
            fits = one.events <= events and one.size <= size
            if not (abandoned or fits or whole):
                return
            self.waiting.popleft()
            self.events -= one.events
            self.size -= one.size
            if not abandoned:
                whole = False
                events -= one.events
                size -= one.size
                yield one


class CommandQueue:
    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self._lanes = {priority: _Lane() for priority in Priority}
        self._filled = asyncio.Event()
        self._closed = False
        self._passed_over = 0
        self._events_per_s = 10_000.0

    def put(self, asked: Asked, priority: Priority) -> asyncio.Future[Verdict]:
        """Queue a command. Raises Overloaded when its lane is full, Draining after `close`."""
        if self._closed:
            raise Draining
        lane, bounds = self._lanes[priority], self._bounds
        events = asked.command.events
        size = sum([len(event.body) + len(event.content) for event in events])
        full = lane.events + len(events) > bounds.queued_events
        if lane.waiting and (full or lane.size + size > bounds.queued_bytes):
            metrics.overloaded.labels(priority.value).inc()
            raise Overloaded(
                f"the {priority.value} queue is full", retry_after_s=self._wait_s(lane)
            )
        verdict: asyncio.Future[Verdict] = asyncio.get_running_loop().create_future()
        lane.put(Waiting(asked, verdict, len(events), size))
        self._filled.set()
        return verdict

    async def take(self) -> list[Waiting]:
        """The next batch, as soon as there is one; empty once closed and empty.

        A lone caller is never kept waiting: a batch is what has queued meanwhile. Where several
        call at once, those whose calls are arriving are let in first.
        """
        if self._waiting_events():
            await self._gather()
        while True:
            self._filled.clear()
            batch = self._batch()
            if batch or self._closed:
                return batch
            await self._filled.wait()

    async def _gather(self) -> None:
        """Take in calls while they keep arriving: a commit costs the same for one as for many, and
        while it is prepared nobody is taken in."""
        began = arrived = time.perf_counter()
        events = self._waiting_events()
        while events < self._bounds.batch_events and not self._closed:
            await asyncio.sleep(0)
            now, before = time.perf_counter(), events
            events = self._waiting_events()
            if events > before:
                arrived = now
            if now - arrived > QUIET_S or now - began > GATHER_S:
                return

    def _waiting_events(self) -> int:
        return sum([lane.events for lane in self._lanes.values()])

    def _batch(self) -> list[Waiting]:
        live, imported = self._lanes[Priority.LIVE], self._lanes[Priority.IMPORT]
        bounds = self._bounds
        if not live.waiting:
            self._passed_over = 0
            return list(imported.take(bounds.batch_events, bounds.batch_bytes, whole=True))
        kept = bounds.import_share if imported.waiting else 0.0
        batch = list(live.take(*bounds.share(1 - kept), whole=True))
        # a large import saves up its share until it fits
        share = bounds.share(bounds.import_share * (1 + self._passed_over))
        imports = list(imported.take(*share, whole=False))
        self._passed_over = self._passed_over + 1 if imported.waiting and not imports else 0
        return batch + imports

    def committed(self, events: int, seconds: float) -> None:
        """Learn how fast the queue moves, to tell callers when to come again."""
        if seconds > 0:
            self._events_per_s += 0.1 * (events / seconds - self._events_per_s)

    def refuse_all(self, error: Callable[[], RehabError]) -> None:
        """Answer all that wait: to skip only some would change the order of the rest."""
        for lane in self._lanes.values():
            for one in lane.take(lane.events, lane.size, whole=False):
                one.answer(error())

    @property
    def closed(self) -> bool:
        return self._closed

    def close(self) -> None:
        """Take in no more; what waits is still handed out."""
        self._closed = True
        self._filled.set()

    def waiting(self) -> Sequence[tuple[Priority, int]]:
        return [(priority, lane.events) for priority, lane in self._lanes.items()]

    def _wait_s(self, lane: _Lane) -> float:
        wait = lane.events / max(1.0, self._events_per_s)
        return min(MAX_RETRY_S, max(MIN_RETRY_S, wait))
