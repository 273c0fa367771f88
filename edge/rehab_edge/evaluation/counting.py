"""Counting held against recordings: a person's repetitions of one take, joined and counted anew.

The joins are artificial: nothing tells a counter where one repetition was cut from the next. Beside
it stands the constant guess: whatever count is commonest among the recordings.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rehab_edge.evaluation.people import takes
from rehab_edge.exercises import Exercise
from rehab_edge.skeleton import Sequence as Frames
from rehab_edge.sources.uiprmd import joined, recorded_movements

Counter = Callable[[Frames, Exercise], int]
"""How many repetitions the frames hold."""
ALL = "all"


@dataclass(frozen=True)
class Counted:
    """Of one movement, or of all; shares of the sequences, and the mean absolute error."""

    movement: str
    sequences: int
    exact: float
    within_one: float
    mean_error: float
    constant_exact: float


def counting(folder: Path, counter: Counter) -> list[Counted]:
    """Every person and take by itself. Raises Unreadable."""
    seen = {
        one.id: np.array(list(_counts(folder, one, counter))) for one in recorded_movements(folder)
    }
    commonest = _commonest(np.concatenate(list(seen.values()))[:, 0])
    found = [_counted(name, counts, commonest) for name, counts in seen.items()]
    return [*found, _counted(ALL, np.concatenate(list(seen.values())), commonest)]


def _counts(folder: Path, movement: Exercise, counter: Counter) -> Iterator[tuple[int, int]]:
    """How many there are, and how many were counted."""
    for repetitions in takes(folder, movement).values():
        for _, own in groupby(repetitions, key=lambda one: one.subject):
            whole = list(own)
            yield len(whole), counter(joined(whole), movement)


def _commonest(counts: NDArray) -> int:
    values, times = np.unique(counts, return_counts=True)
    return int(values[times.argmax()])


def _counted(movement: str, counts: NDArray, commonest: int) -> Counted:
    truth, said = counts.T
    off = np.abs(said - truth)
    return Counted(
        movement,
        len(counts),
        exact=float((off == 0).mean()),
        within_one=float((off <= 1).mean()),
        mean_error=float(off.mean()),
        constant_exact=float((truth == commonest).mean()),
    )
