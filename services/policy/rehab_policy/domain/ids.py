"""Ids that depend on nothing but what they stand for: a crash or a rebuild makes the same ones."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from hashlib import sha256

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def uuid7_of(at: datetime, *parts: str) -> str:
    """Shaped as a UUID version 7 (RFC 9562, section 5.7): the milliseconds of `at`, then bits of
    SHA-256 over the parts where randomness would stand."""
    digest = int.from_bytes(sha256("\x00".join(parts).encode()).digest()[:10], "big")
    milliseconds = max(0, (at - _EPOCH) // _MILLISECOND) & (1 << 48) - 1
    high = milliseconds << 16 | 0x7000 | digest >> 68
    low = 0x8000_0000_0000_0000 | digest & (1 << 62) - 1
    return str(uuid.UUID(int=high << 64 | low))
