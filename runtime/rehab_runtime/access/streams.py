"""Audit streams: no patient's, but where services tell of readings, one a shard and service."""

from __future__ import annotations

import itertools
import re
from functools import lru_cache

from rehab_runtime.slices import shard_of

PREFIX = "audit-"
_OWNED = re.compile(r"audit-([a-z]+)-\d+(?:-\d+)?")
_OWNERS = {"keys": "eventstore"}
"""Streams that are not named for the service that writes them."""


def is_audit(stream: str) -> bool:
    return stream.startswith(PREFIX)


def owner_of(stream: str) -> str:
    """The one service that may write an audit stream; empty when none may."""
    found = _OWNED.fullmatch(stream)
    return _OWNERS.get(found[1], found[1]) if found is not None else ""


@lru_cache
def stream_of(name: str, shard: int, shards: int) -> str:
    """The stream of a trail that lives in a shard: where a stream lives, its name decides."""
    first = f"{PREFIX}{name}-{shard}"
    others = (f"{first}-{number}" for number in itertools.count(1))
    names = itertools.chain([first], others)
    return next(one for one in names if shard_of(one, shards) == shard)
