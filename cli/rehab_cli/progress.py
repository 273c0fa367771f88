"""What a demo shows of itself while it runs."""

from __future__ import annotations

import statistics
import time
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime

from rehab_sdk.places import Newest, Placed

SAMPLES = 2000
RATE_OVER_S = 5.0


@dataclass
class Progress:
    """Counts of events; times are of the newest SAMPLES acknowledgements."""

    sent: int = 0
    acked: int = 0
    rejected: int = 0
    newest: Newest = field(default_factory=Newest)
    """Of what was acknowledged."""
    clinic_time: datetime | None = None
    """How far the simulated clinic has come."""
    began: float = field(default_factory=time.monotonic)
    ended: float | None = None
    _ack_ms: deque[float] = field(default_factory=lambda: deque(maxlen=SAMPLES))
    _marks: deque[tuple[float, int]] = field(default_factory=deque)

    def acknowledged(self, place: Placed, seconds: float) -> None:
        self.acked += 1
        self.newest.saw(place)
        self._ack_ms.append(seconds * 1000)

    @property
    def seconds(self) -> float:
        return (self.ended or time.monotonic()) - self.began

    def rate(self) -> float:
        """Acknowledged events per second over the last RATE_OVER_S."""
        now = time.monotonic()
        self._marks.append((now, self.acked))
        while len(self._marks) > 1 and self._marks[0][0] < now - RATE_OVER_S:
            self._marks.popleft()
        since, count = self._marks[0]
        if now == since:
            return self.mean_rate()
        return (self.acked - count) / (now - since)

    def mean_rate(self) -> float:
        """Over the whole run."""
        return self.acked / max(1e-9, self.seconds)

    def ack_ms(self, share: float) -> float:
        """A quantile of the time from sending to acknowledgement."""
        if len(self._ack_ms) < 2:
            return 0.0
        return statistics.quantiles(self._ack_ms, n=100)[round(share * 100) - 1]
