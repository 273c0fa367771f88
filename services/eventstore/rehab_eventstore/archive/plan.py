"""What goes into which segment."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from rehab_runtime.slices import SLICES


@dataclass(frozen=True)
class Movable:
    """An event that may be moved. `size` is in bytes."""

    position: int
    slice: int
    size: int


@dataclass(frozen=True)
class Limits:
    """Slices are taken together in so many runs; a segment ends with so many events, or so many
    bytes of envelopes and bodies."""

    runs: int
    events: int
    bytes: int

    def slices(self, run: int) -> tuple[int, int]:
        """The first and the last slice of a run."""
        return -(-run * SLICES // self.runs), -(-(run + 1) * SLICES // self.runs) - 1

    def run_of(self, slice_: int) -> int:
        return slice_ * self.runs // SLICES


@dataclass(frozen=True)
class Chosen:
    """The events of one segment."""

    first_slice: int
    last_slice: int
    positions: list[int]


def segments(movable: Iterable[Movable], limits: Limits) -> Iterator[Chosen]:
    """Share events out, each run of slices for itself, in the order of positions."""
    runs: dict[int, list[Movable]] = {}
    for one in movable:
        runs.setdefault(limits.run_of(one.slice), []).append(one)
    for run in sorted(runs):
        first, last = limits.slices(run)
        positions: list[int] = []
        size = 0
        for one in runs[run]:
            if positions and (len(positions) == limits.events or size + one.size > limits.bytes):
                yield Chosen(first, last, positions)
                positions, size = [], 0
            positions.append(one.position)
            size += one.size
        yield Chosen(first, last, positions)
