"""Time and ids, handed in wherever they are needed so that decisions stay pure."""

from __future__ import annotations

import mmap
import os
import struct
import threading
import time
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

WRONG_BY = struct.Struct("<d")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_VERSION = 0x7000
_VARIANT = 0x8000_0000_0000_0000
_RANDOM_BITS = (1 << 62) - 1


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


class WrongClock(SystemClock):
    """For fault tests: a machine's clock that is wrong by the seconds that stand in a file, as a
    little-endian double of 8 bytes, and that jumps when they change. Its monotonic time is right.
    Raises OSError, ValueError for an empty file."""

    def __init__(self, path: Path) -> None:
        with path.open("rb") as file:
            self._shared = mmap.mmap(file.fileno(), WRONG_BY.size, access=mmap.ACCESS_READ)

    def now(self) -> datetime:
        (seconds,) = WRONG_BY.unpack_from(self._shared)
        return super().now() + timedelta(seconds=seconds)


class FixedClock:
    """A clock that stands until it is moved. ValueError without a time zone."""

    def __init__(self, start: datetime) -> None:
        if start.tzinfo is None:
            raise ValueError("start must have a time zone")
        self._now = start.astimezone(UTC)
        self._passed = 0.0

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return self._passed

    def advance(self, seconds: float) -> None:
        """ValueError for time that goes back; `set_wrong` is for that."""
        if seconds < 0:
            raise ValueError("seconds must not be negative: monotonic() never goes back")
        self._passed += seconds
        self._now += timedelta(seconds=seconds)

    def set_wrong(self, seconds: float) -> None:
        """The machine's clock jumps, forwards or backwards, and no time passes."""
        self._now += timedelta(seconds=seconds)


class _Stamps:
    """Milliseconds and a 12-bit counter in one number, each larger than the last of its time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last = 0
        self._told = (0, 0)

    def present(self) -> int:
        with self._lock:
            # a counter that is full, or a clock set back, borrows from the next millisecond
            self._last = max((time.time_ns() // 1_000_000) << 12, self._last + 1)
            return self._last

    def at(self, milliseconds: int) -> int:
        """The next of a told time: times that are told may go back, as in a simulation."""
        with self._lock:
            last, count = self._told
            count = count + 1 if milliseconds == last else 0
            self._told = milliseconds, count
            return (milliseconds << 12) + count


_stamps = _Stamps()


def uuid7(now: datetime | None = None) -> uuid.UUID:
    """A UUID version 7 (RFC 9562, section 5.7): milliseconds, then a counter that keeps ids made
    in this process in order (section 6.2, method 1), then randomness. ValueError for a time
    without a zone, or before 1970."""
    stamp = _stamps.present() if now is None else _stamps.at(_milliseconds(now))
    random = int.from_bytes(os.urandom(8), "big") & _RANDOM_BITS
    high = (stamp >> 12) << 16 | _VERSION | stamp & 0xFFF
    return uuid.UUID(int=high << 64 | _VARIANT | random)


def _milliseconds(now: datetime) -> int:
    if now.tzinfo is None:
        raise ValueError("now must have a time zone")
    # integers: a float of seconds falls a millisecond short now and then
    milliseconds = (now - EPOCH) // timedelta(milliseconds=1)
    if milliseconds < 0:
        raise ValueError("now must not be before 1970")
    return milliseconds
