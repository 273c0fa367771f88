"""Time and ids, injectable so that what a program records can be replayed to the microsecond."""

from __future__ import annotations

import os
import threading
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Clock(Protocol):
    def now(self) -> datetime:
        """The present, aware."""
        ...

    def monotonic(self) -> float:
        """Seconds that never go backwards; only differences mean something."""
        ...


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()


class EventIds:
    """UUIDs version 7 (RFC 9562) in strictly rising order, also when the clock stands or steps
    back: the 12 bits after the milliseconds count on from the id before (section 6.2, method 1)."""

    def __init__(self, clock: Clock, random: Callable[[int], bytes] = os.urandom) -> None:
        self._clock = clock
        self._random = random
        self._lock = threading.Lock()
        self._last = 0

    def __call__(self) -> str:
        milliseconds = (self._clock.now() - _EPOCH) // timedelta(milliseconds=1)
        with self._lock:
            self._last = stamp = max(milliseconds << 12, self._last + 1)
        tail = int.from_bytes(self._random(8), "big") & ((1 << 62) - 1)
        head = (stamp >> 12) << 16 | 0x7 << 12 | stamp & 0xFFF
        return str(uuid.UUID(int=head << 64 | 0b10 << 62 | tail))
