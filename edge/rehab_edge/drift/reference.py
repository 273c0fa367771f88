"""What is held for normal: samples of an early time, their bins, and how much they hang together.

Repetitions of one session are alike, so 200 of them say less than 200 independent ones: tests that
take them for independent cry drift at every new session. How much less is measured on the reference
itself: whole sessions are dealt at random into two groups, again and again. By as much as the
statistics then exceed what independent samples give, the sample sizes are divided (the design
effect of cluster samples, Kish 1965).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from rehab_edge.drift.statistics import Counts, Floats, counts, ks_distance, psi
from rehab_edge.errors import EdgeError

Chosen = NDArray[np.bool_]
Cause = Literal["sensor", "movement"]
BINS = 6
"""Of equal shares of the reference. More cost power: with 10 a shift by half a standard deviation
is missed twice as often."""
DEVIATIONS = 2
"""A variance known from so many sessions may be larger by that many of its standard errors."""
LEAST_SAMPLES = 200
LEAST_SESSIONS = 4
DEALS = 200
SHARES = (0.5, 0.9)
CHI_SQUARED = {
    1: (0.4549, 2.7055),
    2: (1.3863, 4.6052),
    3: (2.3660, 6.2514),
    4: (3.3567, 7.7794),
    5: (4.3515, 9.2364),
}
"""Quantiles at SHARES, by degrees of freedom."""
KOLMOGOROV = (0.8276, 1.2238)
"""The same of sqrt(size) times the distance of samples that are alike."""


class TooFew(EdgeError):
    """Not enough was seen yet to say what is normal."""


@dataclass(frozen=True)
class Feature:
    """`cause` is what a change of it speaks of."""

    name: str
    cause: Cause


@dataclass(frozen=True)
class Normal:
    """One feature's reference: values in rising order, inner bin edges, counts, and the design
    effects of the two statistics (1 for independent samples)."""

    feature: Feature
    values: Floats
    edges: Floats
    counts: Counts
    psi_effect: float
    ks_effect: float

    @property
    def bins(self) -> int:
        return len(self.edges) + 1


@dataclass(frozen=True)
class Reference:
    """Of one exercise on one device."""

    normals: tuple[Normal, ...]

    @classmethod
    def of(
        cls, features: Sequence[Feature], samples: Floats, sessions: Sequence[int], seed: int = 0
    ) -> Reference:
        """`samples` are [n, features] and `sessions` [n] says in which each was taken. A value that
        is not a number was not measured. Raises TooFew."""
        told = np.asarray(sessions)
        if len(samples) < LEAST_SAMPLES or len(set(sessions)) < LEAST_SESSIONS:
            raise TooFew(
                f"a reference takes {LEAST_SAMPLES} repetitions of {LEAST_SESSIONS} sessions"
            )
        deals, count = _deals(told, np.random.default_rng(seed)), len(set(sessions))
        normals = [
            _normal(feature, samples[:, column], deals, count)
            for column, feature in enumerate(features)
        ]
        return cls(tuple(one for one in normals if one is not None))


def _normal(
    feature: Feature, column: Floats, deals: Sequence[Chosen], sessions: int
) -> Normal | None:
    """None for what was hardly measured, or never varied: nothing can be told of it."""
    seen = np.isfinite(column)
    values = np.sort(column[seen])
    if len(values) < LEAST_SAMPLES:
        return None
    edges = np.unique(np.quantile(values, np.arange(1, BINS) / BINS))
    edges = edges[edges > values[0]]
    if not len(edges):
        return None
    psi_effect, ks_effect = _effects(column, seen, edges, deals, sessions)
    return Normal(feature, values, edges, counts(edges, values), psi_effect, ks_effect)


def _deals(sessions: NDArray[np.int64], chance: np.random.Generator) -> list[Chosen]:
    """Ways to deal whole sessions into a window and the rest, each about half."""
    names = np.unique(sessions)
    deals = []
    for _ in range(DEALS):
        chosen = chance.permutation(names)[: len(names) // 2]
        deals.append(np.isin(sessions, chosen))
    return deals


def _effects(
    column: Floats, seen: Chosen, edges: Floats, deals: Sequence[Chosen], sessions: int
) -> tuple[float, float]:
    """Design effects of PSI and of the distance: quantiles over the deals, beside what they would
    be for independent samples."""
    scaled_psi, scaled_ks = [], []
    for deal in deals:
        window, rest = column[seen & deal], np.sort(column[seen & ~deal])
        if len(window) and len(rest):
            size = effective(len(window), len(rest))
            scaled_psi.append(size * psi(counts(edges, rest), counts(edges, window)))
            scaled_ks.append(size * ks_distance(rest, window) ** 2)
    if not scaled_psi:
        return 1.0, 1.0
    by_chance = np.array(CHI_SQUARED[len(edges)]), np.array(KOLMOGOROV) ** 2
    found = np.quantile(scaled_psi, SHARES), np.quantile(scaled_ks, SHARES)
    effects = [float((own / alike).max()) for own, alike in zip(found, by_chance, strict=True)]
    doubt = 1 + DEVIATIONS * math.sqrt(2 / sessions)
    by_psi, by_ks = (1 + max(0.0, effect - 1) * doubt for effect in effects)
    return by_psi, by_ks


def effective(first: int, second: int) -> float:
    """The size that two samples have together when they are compared."""
    return first * second / (first + second)
