"""Figures that say how good a score is. Pure functions of answers and truth."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.floating]
Truths = NDArray[np.bool_]


def auc(score: Values, correct: Truths) -> float:
    """Share of pairs of a correct and an incorrect repetition that the score puts in order, ties
    counting half: the area under the ROC curve (Hanley and McNeil 1982). NaN without both."""
    good, bad = score[correct], score[~correct]
    if not len(good) or not len(bad):
        return float("nan")
    over = (good[:, None] > bad).mean()
    return float(over + 0.5 * (good[:, None] == bad).mean())


def balanced_accuracy(said: Truths, correct: Truths) -> float:
    """Mean of the shares of correct and of incorrect ones that are called so. NaN without both."""
    if correct.all() or not correct.any():
        return float("nan")
    return float((said[correct].mean() + (~said[~correct]).mean()) / 2)


def mean_absolute_deviation(score: Values, truth: Values) -> float:
    return float(np.abs(score - truth).mean())


def root_mean_square(score: Values, truth: Values) -> float:
    return float(np.sqrt(((score - truth) ** 2).mean()))
