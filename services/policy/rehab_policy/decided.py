"""What a batch, or timers, made of the log: what is to be stored, and what is told at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from rehab.events.v1.event_pb2 import Event
from rehab_policy import metrics
from rehab_policy.books import Track
from rehab_policy.domain.actions import events_of
from rehab_policy.domain.firing import Firing, Outcome
from rehab_policy.domain.rules import ActionKind
from rehab_policy.publisher import Publisher
from rehab_policy.storage.folds import Changes
from rehab_policy.telling import fired_of, moment
from rehab_runtime.clock import Clock


@dataclass(frozen=True)
class Fresh:
    """Feedback that comes later than `within` after the movement is noise."""

    now: Callable[[], datetime]
    within: timedelta

    def is_fresh(self, firing: Firing) -> bool:
        moved = firing.cause_occurred_at or firing.at
        return self.now() - firing.at <= self.within and firing.at - moved <= self.within


class Decided:
    """What is told goes out while the rest of the batch is decided: a cue is soon too late. One
    append is under way at a time, and takes along what has gathered meanwhile, emergencies first.
    """

    def __init__(self, publisher: Publisher, clock: Clock) -> None:
        self.changes = Changes()
        self._publisher = publisher
        self._clock = clock
        self._waiting: list[Event] = []
        self._going: asyncio.Task[None] | None = None

    def add(self, firings: Iterable[Firing], track: Track, fresh: Fresh | None = None) -> bool:
        """Whether anything is told."""
        before = len(self._waiting)
        for firing in firings:
            is_shadow = track.shadow or firing.shadow
            if firing.action is ActionKind.FEEDBACK:
                if not is_shadow and not (fresh is not None and fresh.is_fresh(firing)):
                    metrics.fired.labels("late").inc()
                    continue
            elif (fired := fired_of(firing, shadow=is_shadow)) is not None:
                self.changes.fired.append(fired)
            if not is_shadow and firing.outcome is not Outcome.FOLLOWED:
                metrics.fired.labels(firing.action.value).inc()
                self._waiting += events_of(firing)
        if self._waiting and (self._going is None or self._going.done()):
            if self._going is not None:
                self._going.result()  # what failed before is told now
            self._going = asyncio.create_task(self._tell(), name="tells what was decided")
        return len(self._waiting) > before

    async def told(self) -> None:
        """Once everything is in the log. Raises what appending raises."""
        if self._going is not None:
            await self._going

    async def given_up(self) -> None:
        """Nothing is under way any more; what was not told yet is decided again."""
        if self._going is not None:
            self._going.cancel()
            await asyncio.gather(self._going, return_exceptions=True)

    async def _tell(self) -> None:
        while self._waiting:
            # whoever waits for an emergency waits for nothing else
            events = sorted(self._waiting, key=lambda one: not one.body.alert.raised.emergency)
            self._waiting = []
            await self._publisher.append(events)
            self._measure(events)

    def _measure(self, events: Sequence[Event]) -> None:
        now = self._clock.now()
        for event in events:
            if event.envelope.kind == "feedback":
                since = now - moment(event.envelope.occurred_at)
                metrics.feedback_seconds.observe(max(0.0, since.total_seconds()))
