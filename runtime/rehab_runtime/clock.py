"""Time and ids, handed in wherever they are needed so that decisions stay pure."""

from __future__ import annotations

import os
import threading
import time
import uuid
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    def now(self) -> datetime:
        """The present, aware, in UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds that never go backwards; only differences mean something."""
        ...


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()


class FixedClock:
    """A clock that stands until it is moved."""

    def __init__(self, start: datetime) -> None:
        self._start = self._now = start

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return (self._now - self._start).total_seconds()

    def advance(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)


_lock = threading.Lock()
_last = 0


def uuid7(now: datetime | None = None) -> uuid.UUID:
    """A UUID version 7 (RFC 9562, section 5.7): milliseconds, then a counter that keeps ids made
    in this process in order, then randomness."""
    global _last  # noqa: PLW0603 - the counter is the process's own
    milliseconds = int(now.timestamp() * 1000) if now is not None else time.time_ns() // 1_000_000
    stamp = milliseconds << 12
    if now is None:
        with _lock:
            stamp = max(stamp, _last + 1)
            _last = stamp
    random = int.from_bytes(os.urandom(8), "big") & ((1 << 62) - 1)
    high = (stamp >> 12) << 16 | 0x7000 | stamp & 0xFFF
    return uuid.UUID(int=high << 64 | 0x8000_0000_0000_0000 | random)
