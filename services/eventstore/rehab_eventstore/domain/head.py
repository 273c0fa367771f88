"""Where a shard of the log ends."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Head:
    """The last position of a shard, the log it belongs to, the clock at its commit, and the hash
    of the chain there."""

    shard: int
    position: int
    epoch: int
    incarnation: str
    recorded_at: datetime
    hash: bytes = field(repr=False)


def head_of(
    shard: int,
    position: int,
    epoch: int,
    incarnation: UUID,
    recorded_at: datetime,
    hash: bytes,  # noqa: A002
) -> Head:
    return Head(shard, position, epoch, str(incarnation), recorded_at, hash)
