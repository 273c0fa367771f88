"""The maps from stream to slice, the unit of distribution, and from slice to shard."""

from __future__ import annotations

from functools import lru_cache
from hashlib import blake2b

SLICES = 1024


@lru_cache(maxsize=65_536)
def slice_of(stream: str) -> int:
    """The slice of a stream: the same in every process, version and machine, so that it may be
    stored. Never PostgreSQL's own hash, which may change with it."""
    return int.from_bytes(blake2b(stream.encode(), digest_size=8).digest(), "big") % SLICES


def slices_of(shard: int, shards: int) -> range:
    """The run of slices that a shard holds, of so many shards."""
    first = -(-shard * SLICES // shards)
    return range(first, -(-(shard + 1) * SLICES // shards))


def shard_of(stream: str, shards: int) -> int:
    """The shard that holds a stream, of so many: each has a run of neighbouring slices."""
    return slice_of(stream) * shards // SLICES if shards > 1 else 0
