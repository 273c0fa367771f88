"""UI-PRMD's Kinect repetitions as windows, each as recorded and in variants."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rehab_edge.evaluation.people import Row, rows
from rehab_edge.exercises import EXERCISES
from rehab_edge.scoring.window import Window, window
from rehab_edge.skeleton import Float32s
from training.augment import mirror, varied

MOVEMENTS = list(EXERCISES.values())


@dataclass(frozen=True)
class Dataset:
    """A row for each repetition. `curves` is [variants, n, MOMENTS, CHANNELS] and `summaries`
    [variants, n, SUMMARY]; variant 0 is as recorded."""

    movement: np.ndarray
    subject: np.ndarray
    episode: np.ndarray
    correct: np.ndarray
    curves: Float32s
    summaries: Float32s

    def __len__(self) -> int:
        return len(self.movement)


def dataset(folder: Path, *, variants: int, seed: int) -> Dataset:
    found = list(rows(folder))
    windows = [
        list(_windows(one, variants, np.random.default_rng([seed, number])))
        for number, one in enumerate(found)
    ]
    return Dataset(
        movement=np.array([one.movement for one in found]),
        subject=np.array([one.subject for one in found]),
        episode=np.array([one.episode for one in found]),
        correct=np.array([one.correct for one in found]),
        curves=np.array([[one.curve for one in each] for each in windows]).swapaxes(0, 1),
        summaries=np.array([[one.summary for one in each] for each in windows]).swapaxes(0, 1),
    )


def _windows(row: Row, variants: int, chance: np.random.Generator) -> Iterator[Window]:
    yield row.window()
    both_sides = MOVEMENTS[row.movement].both_sides
    for _ in range(variants - 1):
        turned = mirror(row.frames) if both_sides and chance.random() < 0.5 else row.frames
        yield window(varied(turned, chance), right=row.right)
