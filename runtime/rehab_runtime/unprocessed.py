"""How long the log's events wait for a consumer. It is reckoned when it is asked for, so a consumer
that stands still cannot hide it."""

from __future__ import annotations

from collections.abc import Sequence

from rehab.events.v1.event_pb2 import RecordedEvent
from rehab_runtime.clock import Clock, SystemClock
from rehab_runtime.metrics import declare_gauge

GRACE_S = 2.0
"""How long a consumer with nothing to do may be silent: several looks at the head."""

oldest_seconds = declare_gauge(
    "oldest_unprocessed_seconds",
    "Age of the oldest event of a shard that a consumer has not processed; 0 when there is none."
    " While the log cannot be asked, the time since it last could.",
    "the consumer stands still or cannot keep up: see its service's log, and doctor",
    ["consumer", "shard"],
)


class Unprocessed:
    """What one consumer has still to do of a shard. It outlives the consumer's failures: make it
    once, where the consumer is built."""

    def __init__(self, consumer: str, shard: int = 0, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._position = 0
        self._head = 0
        self._head_at = self._done_until = self._now()
        self._oldest: float | None = None
        oldest_seconds.labels(consumer, str(shard)).set_function(self.seconds)

    def begun(self, position: int) -> None:
        """The consumer goes on after a position, maybe for the second time."""
        self._position = position

    def told(self, head: int) -> None:
        """The log says where it ends."""
        self._head, self._head_at = head, self._now()
        if self._position >= head:
            self._oldest, self._done_until = None, self._head_at

    def taken(self, events: Sequence[RecordedEvent]) -> None:
        """Handed out: from the first of them on nothing is processed."""
        self._oldest = _recorded(events[0])

    def finished(self, events: Sequence[RecordedEvent]) -> None:
        """They were processed, and what comes next is not known yet."""
        self._oldest, self._position = None, events[-1].envelope.position
        self._done_until = _recorded(events[-1])
        if self._position >= self._head:
            self._done_until = max(self._done_until, self._head_at)

    def seen(self, oldest: float | None) -> None:
        """Another process does the work: when the oldest event was recorded that it has not done,
        in UNIX seconds; None when it has done all."""
        self._oldest = oldest
        if oldest is None:
            self._done_until = self._now()

    def seconds(self) -> float:
        """Nothing that is not processed is older."""
        oldest = self._oldest
        if oldest is not None:
            return max(0.0, self._now() - oldest)
        silent = self._now() - self._done_until
        return silent if silent > GRACE_S else 0.0

    def _now(self) -> float:
        return self._clock.now().timestamp()


def _recorded(event: RecordedEvent) -> float:
    at = event.envelope.recorded_at
    return float(at.seconds + at.nanos / 1e9)
