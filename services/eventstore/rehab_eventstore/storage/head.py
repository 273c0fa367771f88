"""Where a shard of the log ends."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Head:
    """The last position of a shard, the log it belongs to, and the clock at its commit."""

    shard: int
    position: int
    epoch: int
    incarnation: str
    recorded_at: datetime


def head_of(
    shard: int, position: int, epoch: int, incarnation: UUID, recorded_at: datetime
) -> Head:
    return Head(shard, position, epoch, str(incarnation), recorded_at)
