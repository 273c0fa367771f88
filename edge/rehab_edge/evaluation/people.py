"""A folder of recorded people as rows to evaluate: each repetition's window, and who did it how."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Sequence as Recorded
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np

from rehab_edge.angles import AT, angles
from rehab_edge.exercises import EXERCISES, Exercise
from rehab_edge.scoring.protocol import Attempt
from rehab_edge.scoring.window import Window, window
from rehab_edge.skeleton import Sequence
from rehab_edge.sources.uiprmd import Repetition, Take, read, recorded_movements

MOVEMENTS = list(EXERCISES.values())
NUMBERS = {one: number for number, one in enumerate(EXERCISES)}
_COLUMNS = {"shoulder_extension": "shoulder_flexion"}
"""Of the telling joints those that angles name otherwise."""


@dataclass(frozen=True)
class Row:
    """`movement` counts from 0 in the order of EXERCISES."""

    movement: int
    subject: int
    episode: int
    correct: bool
    right: bool
    frames: Sequence

    @property
    def attempt(self) -> Attempt:
        return Attempt(MOVEMENTS[self.movement], self.frames, self.right)

    def window(self) -> Window:
        return window(self.frames, right=self.right)


def rows(folder: Path) -> Iterator[Row]:
    """By movement, the correct take first; of the takes that are there. Raises Unreadable."""
    for movement in recorded_movements(folder):
        right: dict[int, bool] = {}
        for take, repetitions in takes(folder, movement).items():
            right = right_sides(movement, repetitions) | right
            for one in repetitions:
                yield Row(
                    NUMBERS[movement.id],
                    one.subject,
                    one.episode,
                    take is Take.CORRECT,
                    right[one.subject],
                    one.sequence,
                )


def takes(folder: Path, movement: Exercise) -> Mapping[Take, Recorded[Repetition]]:
    """Those that are there; a folder may hold one without the other. Raises Unreadable."""
    return {
        take: read(folder, movement, take).repetitions
        for take in Take
        if (folder / "kinect" / f"{movement.id}_{take}.npz").exists()
    }


def right_sides(movement: Exercise, repetitions: Iterable[Repetition]) -> dict[int, bool]:
    """By subject, whether the right side works: where the telling joint moves more."""
    sides = {}
    for subject, own in groupby(repetitions, key=lambda one: one.subject):
        left, right = np.median([_ranges(movement, one.sequence) for one in own], axis=0)
        sides[subject] = bool(not movement.both_sides and right > left)
    return sides


def _ranges(movement: Exercise, rep: Sequence) -> tuple[float, float]:
    joint = _COLUMNS.get(movement.telling, movement.telling)
    seen = angles(rep)
    paths = (np.unwrap(seen[:, AT[f"{joint}_{side}"]], period=360) for side in "lr")
    left, right = (float(np.ptp(path[np.isfinite(path)])) if np.isfinite(path).any() else 0.0
                   for path in paths)  # fmt: skip
    return left, right
