"""Correct or not, of people whom the network has not seen: what it answers.

A person among those it was trained on is scored by the fold that left this one out; anybody else by
the shipped network. `evaluation.tables` makes figures of the answers.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources.abc import Traversable
from pathlib import Path

import numpy as np

from rehab_edge.evaluation.people import Row, rows
from rehab_edge.models import MODELS
from rehab_edge.scoring.calibration import LEAST_SEEN, REPETITIONS, mean_of
from rehab_edge.scoring.learned import unfit
from rehab_edge.scoring.network import Network
from rehab_edge.scoring.window import START, Window, summary

Take = tuple[int, int, bool]
Own = tuple[int, int]


@dataclass(frozen=True)
class Answers:
    """A row for each repetition; NaN in all three where the scorer abstains, since too little of
    the body is seen. `calibrated` and `aligned` are NaN for those that the baseline was
    made of, and for people without one.

    `aligned` is a check on `calibrated`. Correct and incorrect repetitions come from takes of their
    own, the baseline from the correct one, so part of what calibration gains may be how a person
    happened to stand in each take. Here each take is moved so that its first three repetitions
    begin in the baseline's posture: what is left is the movement alone."""

    movement: np.ndarray
    subject: np.ndarray
    correct: np.ndarray
    plain: np.ndarray
    calibrated: np.ndarray
    aligned: np.ndarray


def trained_on(models: Traversable = MODELS) -> frozenset[int]:
    return frozenset(json.loads((models / "training.json").read_text())["subjects"])


def answers(
    folder: Path,
    *,
    models: Traversable = MODELS,
    variant: str | None = None,
    runtime: str | None = None,
) -> Answers:
    """Of the repetitions that the scorer would not refuse. Raises Unreadable, NoRuntime,
    ModelRefused."""
    seen = [(one, one.window()) for one in rows(folder) if not unfit(one.attempt)]
    networks = _networks({one.subject for one, _ in seen}, models, variant, runtime)
    takes = _first_windows(seen)
    told = []
    for one, found in seen:
        own = takes.get((one.movement, one.subject, True))
        take = takes.get((one.movement, one.subject, one.correct), own)
        told.append(_answer(one, found, networks[one.subject], own, take))
    plain, calibrated, aligned = np.array(told, dtype=float).reshape(-1, 3).T
    return Answers(
        movement=np.array([one.movement for one, _ in seen]),
        subject=np.array([one.subject for one, _ in seen]),
        correct=np.array([one.correct for one, _ in seen]),
        plain=plain,
        calibrated=calibrated,
        aligned=aligned,
    )


def _answer(
    one: Row, found: Window, network: Network, own: First | None, take: First | None
) -> tuple[float, float, float]:
    """`own` begins the correct take, `take` the row's."""
    if found.seen < LEAST_SEEN:
        return np.nan, np.nan, np.nan
    plain = network.answer(found, one.movement, None)
    if own is None or take is None or (one.correct and one.episode in own.episodes):
        return plain, np.nan, np.nan
    moved = _moved(found, take.mean, own.mean)
    return (
        plain,
        network.answer(found, one.movement, own.mean),
        network.answer(moved, one.movement, own.mean),
    )


def _networks(
    subjects: set[int], models: Traversable, variant: str | None, runtime: str | None
) -> Mapping[int, Network]:
    known = trained_on(models)
    folds = {one: models / "folds" / f"s{one:02d}" for one in subjects & known}
    found = {
        one: Network.load(folder, variant=variant, runtime=runtime) for one, folder in folds.items()
    }
    if subjects - known:
        shipped = Network.load(models / "form", variant=variant, runtime=runtime)
        found |= dict.fromkeys(subjects - known, shipped)
    return found


@dataclass(frozen=True)
class First:
    """The mean of a take's first three repetitions, and which they are."""

    mean: Window
    episodes: frozenset[int]


def _first_windows(seen: Sequence[tuple[Row, Window]]) -> Mapping[Take, First]:
    takes: dict[Take, list[tuple[int, Window]]] = {}
    for one, found in seen:
        takes.setdefault((one.movement, one.subject, one.correct), []).append((one.episode, found))
    made = {}
    for take, own in takes.items():
        whole = [each for each in own if each[1].seen >= LEAST_SEEN]
        first = sorted(whole, key=lambda each: each[0])[:REPETITIONS]
        if len(first) == REPETITIONS:
            episodes = frozenset(episode for episode, _ in first)
            made[take] = First(mean_of([found for _, found in first]), episodes)
    return made


def _moved(found: Window, take: Window, own: Window) -> Window:
    offset = take.curve[:START].mean(axis=0) - own.curve[:START].mean(axis=0)
    curve = found.curve - np.nan_to_num(offset)
    return Window(curve, summary(curve, float(found.summary[-1])))
