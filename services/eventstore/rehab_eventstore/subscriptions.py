"""Subscriptions: what is stored, then what comes, from one cursor, so there is no switch to fall
through."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from rehab_eventstore import metrics
from rehab_eventstore.domain.head import Head
from rehab_eventstore.storage.read import Filter, Page
from rehab_eventstore.tail import Tail
from rehab_eventstore.watch import HeadWatch
from rehab_runtime.clock import Clock
from rehab_runtime.errors import Draining, IncarnationChanged, Overloaded

GRACE_S = 0.5
"""How long subscribers that are told to leave may take."""
BUSY_S = 5.0


@dataclass(frozen=True)
class Checkpoint:
    """Everything asked for up to there has been handed out."""

    position: int


@dataclass(frozen=True)
class CaughtUp:
    """What was stored has been handed out; what follows is live."""

    position: int


Step = Page | Checkpoint | CaughtUp


class Subscribers:
    """Who subscribes at this replica: `most` at once."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._open: set[asyncio.Task[Any]] = set()

    @contextmanager
    def one(self) -> Iterator[None]:
        """Counts the current task as a subscriber. Raises Overloaded when there are enough."""
        task = asyncio.current_task()
        assert task is not None
        if len(self._open) >= self._most:
            raise Overloaded("there are enough subscribers", retry_after_s=BUSY_S)
        self._open.add(task)
        metrics.subscribers.inc()
        try:
            yield
        finally:
            self._open.discard(task)
            metrics.subscribers.dec()

    async def cut(self) -> None:
        """End who does not go by itself: who does not read is not told anything, and would keep
        this replica from leaving."""
        if self._open:
            await asyncio.wait(self._open, timeout=GRACE_S)
        for task in self._open:
            task.cancel()


class Subscriptions:
    """Hands out steps as fast as they are taken: nothing is buffered for a slow subscriber, it
    reads later what it did not take in time."""

    def __init__(self, tail: Tail, watch: HeadWatch, clock: Clock, *, checkpoint_s: float) -> None:
        self._tail = tail
        self._watch = watch
        self._clock = clock
        self._checkpoint_s = checkpoint_s
        self._closed = False

    def close(self) -> None:
        """End all subscriptions with Draining: subscribers go on at another replica."""
        self._closed = True
        self._watch.wake()

    async def steps(self, after: int, head: Head, chosen: Filter) -> AsyncIterator[Step]:
        """From a position on, for ever. What is stored up to `head` comes before CaughtUp.

        Where the filter hides events, a checkpoint tells how far the log has been looked at, at
        most every `checkpoint_s`. Raises Draining after `close`, IncarnationChanged.
        """
        reached = told = after
        told_at = self._clock.monotonic()
        live = False
        while True:
            self._check(head)
            if not live and reached >= head.position:
                live, told = True, reached
                yield CaughtUp(reached)
            until = max(head.position, self._watch.position)
            if reached < until:
                page = await self._tail.page(reached, until, chosen)
                reached = page.reached
                if page.events:
                    told = page.events[-1].envelope.position
                    yield page
            else:
                await self._watch.beyond(reached, self._checkpoint_s)
            if reached > told and self._clock.monotonic() - told_at >= self._checkpoint_s:
                told, told_at = reached, self._clock.monotonic()
                yield Checkpoint(reached)

    def _check(self, head: Head) -> None:
        if self._closed:
            raise Draining
        if self._watch.incarnation not in ("", head.incarnation):
            raise IncarnationChanged(
                metadata={"cursor": head.incarnation, "log": self._watch.incarnation}
            )
