"""Subscriptions: what is stored, then what comes, from one cursor, so there is no switch to fall
through."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

from rehab_eventstore.domain.head import Head
from rehab_eventstore.storage.read import Filter, Page
from rehab_eventstore.tail import Tail
from rehab_eventstore.watch import HeadWatch
from rehab_runtime.clock import Clock
from rehab_runtime.errors import Draining, IncarnationChanged


@dataclass(frozen=True)
class Checkpoint:
    """Everything asked for up to there has been handed out."""

    position: int


@dataclass(frozen=True)
class CaughtUp:
    """What was stored has been handed out; what follows is live."""

    position: int


Step = Page | Checkpoint | CaughtUp


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
