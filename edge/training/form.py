"""Correct or not: the networks for the ten movements, without and with a person's baseline."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import keras
import numpy as np

from rehab_edge.exercises import EXERCISES
from rehab_edge.scoring.scales import Inputs, Scales
from rehab_edge.scoring.window import Window
from training import export
from training.baselines import some_baselines
from training.dataset import Dataset
from training.fit import Batch, Course, fit
from training.network import BRANCHES, averaged, network

COURSE = Course(epochs=32, batch=64)
VARIED = 0.8
"""Share of the repetitions that are seen in a variant."""
EXAMPLES = 300
MOVEMENTS = len(EXERCISES)
_crossed = keras.losses.BinaryCrossentropy(from_logits=True, label_smoothing=0.05)


@dataclass(frozen=True)
class Trained:
    scales: Scales
    models: Mapping[str, keras.Model]
    files: Mapping[str, bytes]


def scales(data: Dataset, rows: np.ndarray) -> Scales:
    """Of the repetitions as recorded. Floors keep what hardly varies from being blown up: 1.5
    degrees for a curve, and for a statistic 0.5 and a twentieth of its usual size."""
    curves, summaries = data.curves[0], data.summaries[0]
    found: dict[str, list[np.ndarray]] = {name: [] for name in Scales.__dataclass_fields__}
    for movement in range(MOVEMENTS):
        here = rows[data.movement[rows] == movement]
        curve, summary = curves[here], summaries[here]
        own_curve, own_summary = _own(data, here)
        floor = 0.05 * np.abs(summary).mean(axis=0) + 0.5
        floor[-1] = 0.1
        found["curve_mean"].append(curve.mean(axis=0))
        spread = np.sqrt(((curve - curve.mean(axis=0)) ** 2).mean(axis=(0, 1)))
        found["curve_spread"].append(spread[None] + 1.5)
        found["curve_own"].append(own_curve[None] + 1.5)
        found["summary_mean"].append(summary.mean(axis=0))
        found["summary_spread"].append(summary.std(axis=0) + floor)
        found["summary_own"].append(own_summary + floor)
    return Scales(**{name: np.stack(each).astype(np.float32) for name, each in found.items()})


def _own(data: Dataset, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How far a person's correct repetitions spread about their own mean."""
    curves, summaries = [], []
    for subject in np.unique(data.subject[rows]):
        good = rows[(data.subject[rows] == subject) & data.correct[rows]]
        curve = data.curves[0][good]
        curves.append(((curve - curve.mean(axis=0)) ** 2).mean(axis=(0, 1)))
        summaries.append(data.summaries[0][good].var(axis=0))
    return np.sqrt(np.mean(curves, axis=0)), np.sqrt(np.mean(summaries, axis=0))


def train(data: Dataset, rows: np.ndarray, seed: int) -> Trained:
    """On those rows alone, scales included."""
    usual = scales(data, rows)
    models, files = {}, {"scales.npz": usual.to_bytes()}
    for name, calibrated in (("plain", False), ("calibrated", True)):
        chance = np.random.default_rng([seed, int(calibrated)])
        model = _trained(data, rows, usual, chance, calibrated=calibrated)
        seen = _epoch(data, rows, usual, chance, calibrated=calibrated)[:-1]
        files[f"{name}.float32.tflite"] = export.float32(model)
        files[f"{name}.int8.tflite"] = export.int8(model, [one[:EXAMPLES] for one in seen])
        models[name] = model
    return Trained(usual, models, files)


def _trained(
    data: Dataset, rows: np.ndarray, usual: Scales, chance: np.random.Generator, *, calibrated: bool
) -> keras.Model:
    keras.utils.set_random_seed(int(chance.integers(2**31)))
    curve, summary, _, _ = (
        one.shape[1:] for one in _epoch(data, rows, usual, chance, calibrated=calibrated)
    )
    model = network(curve, summary[0], MOVEMENTS)

    def loss(target: object, answers: object) -> object:
        """Of each branch by itself, so that they differ. The target tells movement and label."""
        movement, correct = target[:, :-1], target[:, -1:]
        return sum(
            _crossed(correct, keras.ops.sum(part * movement, axis=1, keepdims=True))
            for part in keras.ops.split(answers, BRANCHES, axis=1)
        )

    fit(
        model,
        COURSE,
        len(rows),
        lambda: _epoch(data, rows, usual, chance, calibrated=calibrated),
        loss,
    )
    return averaged(model, MOVEMENTS)


def _epoch(
    data: Dataset, rows: np.ndarray, usual: Scales, chance: np.random.Generator, *, calibrated: bool
) -> Batch:
    order = chance.permutation(rows)
    varied = chance.random(len(order)) < VARIED
    variant = np.where(varied, chance.integers(0, len(data.curves), len(order)), 0)
    seen = Window(data.curves[variant, order], data.summaries[variant, order])
    movement = data.movement[order]
    if calibrated:
        own = some_baselines(data, order, chance)
        inputs = usual.calibrated(seen, own, movement)
    else:
        inputs = usual.plain(seen, movement)
    correct = data.correct[order].astype(np.float32)
    return (*_arrays(inputs), np.concatenate([inputs.movement, correct[:, None]], axis=1))


def _arrays(inputs: Inputs) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return inputs.curve, inputs.summary, inputs.movement
