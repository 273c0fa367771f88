"""Ids of what must be told once."""

from __future__ import annotations

import hashlib
import uuid


def named_id(*parts: str) -> str:
    """Of the same name it is the same. It has the form of a UUID version 7, as event ids have, but
    tells no time."""
    digest = bytearray(hashlib.sha256("\0".join(parts).encode()).digest()[:16])
    digest[6] = digest[6] & 0x0F | 0x70
    digest[8] = digest[8] & 0x3F | 0x80
    return str(uuid.UUID(bytes=bytes(digest)))
