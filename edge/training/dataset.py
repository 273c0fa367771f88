"""UI-PRMD's Kinect repetitions as windows, each as recorded and in variants."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np

from rehab_edge.angles import AT, angles
from rehab_edge.exercises import EXERCISES, Exercise
from rehab_edge.scoring.window import Window, window
from rehab_edge.skeleton import Float32s, Sequence
from rehab_edge.sources.uiprmd import Repetition, Take, read, recorded_movements
from training.augment import mirror, varied


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
    rows = []
    for movement in recorded_movements(folder):
        right = None
        for take in Take:
            found = read(folder, movement, take).repetitions
            right = right or _right_sides(movement, found)
            rows += [(movement, take, rep, right[rep.subject]) for rep in found]
    windows = [
        list(_windows(movement, rep, right, variants, np.random.default_rng([seed, number])))
        for number, (movement, _, rep, right) in enumerate(rows)
    ]
    numbers = {one: at for at, one in enumerate(EXERCISES)}
    return Dataset(
        movement=np.array([numbers[movement.id] for movement, *_ in rows]),
        subject=np.array([rep.subject for _, _, rep, _ in rows]),
        episode=np.array([rep.episode for _, _, rep, _ in rows]),
        correct=np.array([take is Take.CORRECT for _, take, _, _ in rows]),
        curves=np.array([[one.curve for one in each] for each in windows]).swapaxes(0, 1),
        summaries=np.array([[one.summary for one in each] for each in windows]).swapaxes(0, 1),
    )


def _windows(
    movement: Exercise, rep: Repetition, right: bool, variants: int, chance: np.random.Generator
) -> Iterator[Window]:
    whole = rep.sequence
    yield window(whole, right=right)
    for _ in range(variants - 1):
        turned = mirror(whole) if movement.both_sides and chance.random() < 0.5 else whole
        yield window(varied(turned, chance), right=right)


def _right_sides(movement: Exercise, reps: object) -> dict[int, bool]:
    """By subject, whether the right side works: where the telling joint moves more."""
    sides = {}
    for subject, own in groupby(reps, key=lambda one: one.subject):
        ranges = [_ranges(movement, one.sequence) for one in own]
        left, right = np.median(ranges, axis=0)
        sides[subject] = bool(not movement.both_sides and right > left)
    return sides


def _ranges(movement: Exercise, rep: Sequence) -> tuple[float, float]:
    joint = {"shoulder_extension": "shoulder_flexion"}.get(movement.telling, movement.telling)
    seen = angles(rep)
    left, right = (np.unwrap(seen[:, AT[f"{joint}_{side}"]], period=360) for side in "lr")
    return float(np.ptp(left)), float(np.ptp(right))
