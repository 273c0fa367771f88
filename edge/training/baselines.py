"""Baselines of three repetitions: drawn anew in training, the first three when measuring."""

from __future__ import annotations

import warnings

import numpy as np

from rehab_edge.scoring.calibration import REPETITIONS
from rehab_edge.scoring.window import Window
from training.dataset import Dataset

IN_A_ROW = 0.5
"""Share of the baselines whose repetitions follow each other, as a calibration's do."""
AS_RECORDED = 0.5
"""Share that are of repetitions as recorded while the one compared may be a variant."""


def some_baselines(data: Dataset, order: np.ndarray, chance: np.random.Generator) -> Window:
    """For each row the mean of three correct repetitions of the same person, never of itself."""
    good = {key: rows[data.correct[rows]] for key, rows in _groups(data, order).items()}
    picked = np.empty((len(order), REPETITIONS), dtype=int)
    for at, row in enumerate(order):
        others = good[data.movement[row], data.subject[row]]
        others = others[others != row]
        if chance.random() < IN_A_ROW:
            first = chance.integers(0, len(others) - REPETITIONS + 1)
            picked[at] = others[first : first + REPETITIONS]
        else:
            picked[at] = chance.choice(others, REPETITIONS, replace=False)
    variant = np.where(
        chance.random(len(order)) < AS_RECORDED, 0, chance.integers(0, len(data.curves), len(order))
    )[:, None]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of channels that nobody saw
        return Window(
            np.nanmean(data.curves[variant, picked], axis=1),
            np.nanmean(data.summaries[variant, picked], axis=1),
        )


def _groups(data: Dataset, rows: np.ndarray) -> dict[tuple[int, int], np.ndarray]:
    """Rows by movement and subject, in the order of the episodes."""
    ordered = np.sort(rows)
    keys = list(zip(data.movement[ordered], data.subject[ordered], strict=True))
    return {key: ordered[[one == key for one in keys]] for key in dict.fromkeys(keys)}
