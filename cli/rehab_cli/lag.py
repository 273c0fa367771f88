"""How far the read models are behind the log, over all of its shards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rehab.projections.v1 import projections_service_pb2 as pb


@dataclass(frozen=True)
class Lag:
    """Positions by shard; of the times from commit to visible the worst shard's, in
    milliseconds."""

    positions: Mapping[int, int]
    heads: Mapping[int, int]
    p50_ms: float
    p99_ms: float

    @property
    def stored(self) -> int:
        """Events in the log."""
        return sum(self.heads.values())

    @property
    def projected(self) -> int:
        """Events in the read models."""
        return sum(self.positions.values())

    def reflects(self, positions: Mapping[int, int]) -> bool:
        return all(self.positions.get(shard, 0) >= least for shard, least in positions.items())


def lag_of(answer: pb.GetLagResponse) -> Lag:
    each = answer.projections
    return Lag(
        positions={one.shard: one.position for one in each},
        heads={one.shard: one.head for one in each},
        p50_ms=max((one.lag_p50_ms for one in each), default=0.0),
        p99_ms=max((one.lag_p99_ms for one in each), default=0.0),
    )
