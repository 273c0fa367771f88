"""Deep squats to the paper's scores: the same kind of network, once for each split."""

from __future__ import annotations

from collections.abc import Mapping

import keras
import numpy as np

from rehab_edge.evaluation.squat_scales import SquatScales, squat_scales
from rehab_edge.evaluation.squats import COLUMNS, MOMENTS, SUMMARY, Squats
from training import export
from training.fit import Batch, Course, fit
from training.network import averaged, network

COURSE = Course(epochs=150, batch=16)
BRANCHES = 2
DROPOUT = 0.3
EXAMPLES = 86


def train(squats: Squats, rows: np.ndarray, seed: int) -> tuple[SquatScales, keras.Model]:
    chance = np.random.default_rng([seed, 2])
    keras.utils.set_random_seed(int(chance.integers(2**31)))
    usual = squat_scales(squats, rows)
    model = network((MOMENTS, COLUMNS), SUMMARY, 1, branches=BRANCHES, dropout=DROPOUT)
    fit(model, COURSE, len(rows), lambda: _epoch(squats, rows, usual, chance), _absolute)
    return usual, averaged(model, 1)


def files(
    squats: Squats, rows: np.ndarray, usual: SquatScales, model: keras.Model
) -> Mapping[str, bytes]:
    seen = usual.inputs(squats, rows[:EXAMPLES])
    return {
        "scales.npz": usual.to_bytes(),
        "squat.float32.tflite": export.float32(model),
        "squat.int8.tflite": export.int8(model, [seen["curve"], seen["summary"]]),
    }


def _absolute(target: object, answers: object) -> object:
    """The mean absolute deviation of each branch, summed."""
    return keras.ops.sum(keras.ops.mean(keras.ops.abs(answers - target), axis=0))


def _epoch(
    squats: Squats, rows: np.ndarray, usual: SquatScales, chance: np.random.Generator
) -> Batch:
    order = chance.permutation(rows)
    seen = usual.inputs(squats, order)
    aim = (squats.score[order] - usual.score[0]) / usual.score[1]
    return seen["curve"], seen["summary"], aim[:, None].astype(np.float32)
