"""Ids that the seed decides: a second run of the same clinic makes the same ones."""

from __future__ import annotations

import hashlib
import random
from datetime import datetime


def opaque(prefix: str, *parts: object) -> str:
    """An id that says nothing of who it belongs to, such as "p-5f0c9a1be2d4"."""
    digest = hashlib.sha256(":".join(map(str, parts)).encode()).hexdigest()
    return f"{prefix}-{digest[:12]}"


def event_id(chance: random.Random, at: datetime) -> str:
    """A UUID version 7 (RFC 9562, section 5.7) of a time; its other bits come from `chance`."""
    milliseconds = int(at.timestamp() * 1000)
    high = milliseconds << 16 | 0x7000 | chance.getrandbits(12)
    low = 0x8000_0000_0000_0000 | chance.getrandbits(62)
    text = f"{high:016x}{low:016x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
