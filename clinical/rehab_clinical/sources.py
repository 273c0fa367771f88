"""Who told a reading: the set of sources, as shown and as a part of a key."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

_LONGEST = 400
"""Bytes. PostgreSQL's B-tree refuses keys beyond 2,704 bytes, and then the whole batch."""
_SHOWN = 80


def sources_of(names: Iterable[str]) -> list[str]:
    """The set of sources, sorted. Exports join several of them in one name by a pipe, in whatever
    order they came."""
    parts = (part.strip() for name in names for part in storable(name).split("|"))
    return sorted({part for part in parts if part})


def storable(text: str) -> str:
    """Without what no column of text can hold."""
    return text.replace("\0", "")


def key_of_sources(names: Iterable[str]) -> str:
    """As a part of a key: no longer than an index can hold."""
    joined = "|".join(sources_of(names))
    if len(joined.encode()) <= _LONGEST:
        return joined
    return f"{joined[:_SHOWN]}#{hashlib.sha256(joined.encode()).hexdigest()}"
