"""Where events stand in the log. Each of its shards counts its own positions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

Positions = Mapping[int, int]
"""Newest positions by shard."""


class Placed(Protocol):
    """What stands in the log: a Stored, an Acked."""

    @property
    def shard(self) -> int: ...

    @property
    def position(self) -> int: ...


MinPosition = int | Placed | Positions | None
"""What an answer must reflect: a position (in the shard of the patient who is asked about; of a
clinic when the log has only one shard), the place of an event, positions by shard, or the client's
own last writes when None. 0 is whatever there is."""


class Newest:
    """The newest places seen."""

    def __init__(self) -> None:
        self.positions: dict[int, int] = {}

    def saw(self, place: Placed) -> None:
        self.include({place.shard: place.position})

    def include(self, positions: Positions) -> None:
        for shard, position in positions.items():
            if position > self.positions.get(shard, 0):
                self.positions[shard] = position
