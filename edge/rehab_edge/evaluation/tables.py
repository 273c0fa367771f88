"""Figures from answers: one line for each movement, and their mean.

The AUC and the balanced accuracy are of one person's repetitions of one movement, then averaged
over people and movements: how surely a score tells one's good repetitions from one's bad ones.
The pooled AUC ranks all people of a movement together, which asks for one scale for everybody.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields

import numpy as np

from rehab_edge.errors import Unreadable
from rehab_edge.evaluation.measures import auc, balanced_accuracy
from rehab_edge.evaluation.unseen import Answers
from rehab_edge.exercises import EXERCISES

ALL = "mean"
Figure = Callable[[np.ndarray, np.ndarray], float]


@dataclass(frozen=True)
class Told:
    """Of one movement; `abstained` of the repetitions had too little in view and are left out of
    the rest. A constant guess has an AUC and a balanced accuracy of one half."""

    movement: str
    people: int
    repetitions: int
    abstained: int
    auc: float
    pooled_auc: float
    accuracy: float
    calibrated_auc: float
    calibrated_pooled_auc: float
    calibrated_accuracy: float
    aligned_auc: float
    aligned_accuracy: float


def tables(told: Answers) -> list[Told]:
    """One for each movement that is there, and their mean. Raises Unreadable when nobody did both
    takes of any."""
    found = []
    for number, name in enumerate(EXERCISES):
        one = _told(told, number, name)
        if one.people:
            found.append(one)
    if not found:
        raise Unreadable("nobody has both correct and incorrect repetitions of a movement")
    return [*found, _mean(found)]


def _told(told: Answers, number: int, name: str) -> Told:
    here = told.movement == number
    people = [
        one
        for subject in np.unique(told.subject[here])
        if len(np.unique(told.correct[one := here & (told.subject == subject)])) > 1
    ]
    scored = here & np.isfinite(told.plain)
    left = here & np.isfinite(told.calibrated)
    of = _People(told.correct, people)
    return Told(
        movement=name,
        people=len(people),
        repetitions=int(here.sum()),
        abstained=int((here & ~scored).sum()),
        auc=of.mean(auc, told.plain),
        pooled_auc=auc(told.plain[scored], told.correct[scored]),
        accuracy=of.mean(balanced_accuracy, told.plain, over=0),
        calibrated_auc=of.mean(auc, told.calibrated),
        calibrated_pooled_auc=auc(told.calibrated[left], told.correct[left]),
        calibrated_accuracy=of.mean(balanced_accuracy, told.calibrated, over=0),
        aligned_auc=of.mean(auc, told.aligned),
        aligned_accuracy=of.mean(balanced_accuracy, told.aligned, over=0),
    )


@dataclass(frozen=True)
class _People:
    correct: np.ndarray
    rows: Sequence[np.ndarray]

    def mean(self, figure: Figure, answers: np.ndarray, over: float | None = None) -> float:
        """`over`: of being above that. Rows without an answer are left out."""
        values = []
        for one in self.rows:
            known = one & np.isfinite(answers)
            said = answers[known] if over is None else answers[known] > over
            values.append(figure(said, self.correct[known]))
        return _mean_known(values)


def _mean(found: Sequence[Told]) -> Told:
    counted = {"movement", "people", "repetitions", "abstained"}
    figures = {
        one.name: _mean_known([getattr(each, one.name) for each in found])
        for one in fields(Told)
        if one.name not in counted
    }
    people = max(one.people for one in found)
    repetitions, abstained = (
        sum(each) for each in zip(*((one.repetitions, one.abstained) for one in found), strict=True)
    )
    return Told(ALL, people, repetitions, abstained, **figures)


def _mean_known(values: Sequence[float]) -> float:
    known = [value for value in values if np.isfinite(value)]
    return float(np.mean(known)) if known else float("nan")
