"""The shipped squat networks on repetitions that they were not trained on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources.abc import Traversable

import numpy as np

from rehab_edge.errors import ModelRefused
from rehab_edge.evaluation.measures import mean_absolute_deviation, root_mean_square
from rehab_edge.evaluation.squat_scales import SquatScales
from rehab_edge.evaluation.squats import Squats
from rehab_edge.interpreter import load
from rehab_edge.models import SQUAT


@dataclass(frozen=True)
class Deviation:
    """Of scores from 0 to 1, on `rows` repetitions. `constant_mad` is of guessing the median of
    the training scores."""

    split: str
    rows: int
    mad: float
    rms: float
    constant_mad: float


def deviations(
    squats: Squats, *, variant: str, runtime: str, unseen: bool, models: Traversable = SQUAT
) -> Sequence[Deviation]:
    """One for each split. With `unseen` of people that none of the network's repetitions are of,
    else of those people's other repetitions: the paper's split. Empty when there are none."""
    found = []
    for part in sorted(models.iterdir(), key=lambda one: one.name):
        if not part.is_dir() or not part.name.startswith("seed"):
            continue
        scales = SquatScales.from_bytes((part / "scales.npz").read_bytes())
        rows = _rows(squats, scales, unseen=unseen)
        if len(rows):
            model = (part / f"squat.{variant}.tflite").read_bytes()
            found.append(_deviation(part.name, squats, scales, rows, model, runtime))
    return found


def _rows(squats: Squats, scales: SquatScales, *, unseen: bool) -> np.ndarray:
    people = np.unique(scales.trained_on // 2 // 1000)
    known = np.isin(squats.subject, people)
    if unseen:
        return np.flatnonzero(~known)
    return np.flatnonzero(known & ~np.isin(squats.keys, scales.trained_on))


def _deviation(
    name: str, squats: Squats, scales: SquatScales, rows: np.ndarray, model: bytes, runtime: str
) -> Deviation:
    interpreter = load(model, runtime)
    inputs = scales.inputs(squats, rows)
    answer = np.array(
        [
            interpreter.run({part: value[at] for part, value in inputs.items()})[0].item()
            for at in range(len(rows))
        ]
    )
    if not np.isfinite(answer).all():
        raise ModelRefused(f"{name} gives no number")
    scored, truth = scales.scored(answer), squats.score[rows]
    return Deviation(
        name,
        len(rows),
        mean_absolute_deviation(scored, truth),
        root_mean_square(scored, truth),
        mean_absolute_deviation(np.full(len(rows), scales.score[0]), truth),
    )
