"""Two-sample statistics, and how surprising they are. Pure functions of arrays.

- Population stability index: sum over bins of (a - e) ln(a / e). Without drift it is about
  (1/n + 1/m) times a chi-squared variable with one degree of freedom less than there are bins
  (Yurdakul 2018, "Statistical properties of population stability index"). The customary bounds 0.1
  and 0.25 ignore n: at n = 50 a PSI above 0.2 comes without any drift in half of all windows.
- Kolmogorov-Smirnov distance, with its asymptotic distribution and Stephens' correction for finite
  samples (Stephens 1970, doi 10.1111/j.2517-6161.1970.tb00821.x).
- Holm's correction for testing several features (Holm 1979, Scand J Stat 6:65).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]

EMPTY = 0.5
"""Added to every bin's count, so that an empty one has a finite share."""
KOLMOGOROV_TERMS = 100


def counts(edges: Floats, values: Floats) -> Counts:
    """Values per bin; `edges` are the inner ones, so that the outer bins are open."""
    placed = np.searchsorted(edges, values, side="right")
    return np.bincount(placed, minlength=len(edges) + 1).astype(np.int64)


def psi(reference: Counts, observed: Counts) -> float:
    """Population stability index of two histograms over the same bins."""
    expected = (reference + EMPTY) / (reference + EMPTY).sum()
    actual = (observed + EMPTY) / (observed + EMPTY).sum()
    return float(np.sum((actual - expected) * np.log(actual / expected)))


def psi_p_value(value: float, size: float, bins: int) -> float:
    """`size` is the effective one of both samples, n m / (n + m)."""
    return chi_squared_survival(value * size, bins - 1)


def ks_distance(reference: Floats, observed: Floats) -> float:
    """Largest difference of the two empirical distributions; `reference` is sorted."""
    own = np.sort(observed)
    at = np.concatenate([reference, own])
    below_reference = np.searchsorted(reference, at, side="right") / len(reference)
    below_own = np.searchsorted(own, at, side="right") / len(own)
    return float(np.abs(below_reference - below_own).max())


def ks_p_value(distance: float, size: float) -> float:
    root = math.sqrt(size)
    scaled = (root + 0.12 + 0.11 / root) * distance
    if scaled < 0.2:  # the series does not converge there, and is 1 to 12 digits
        return 1.0
    terms = np.arange(1, KOLMOGOROV_TERMS + 1)
    series = np.exp(-2 * (terms * scaled) ** 2) * np.where(terms % 2, 1.0, -1.0)
    return float(min(1.0, max(0.0, 2 * series.sum())))


def chi_squared_survival(value: float, degrees: int) -> float:
    """P(X > value), in closed form for whole degrees of freedom (Abramowitz and Stegun, 26.4.4 and
    26.4.5)."""
    if value <= 0:
        return 1.0
    half = value / 2
    if degrees % 2:
        total = math.erfc(math.sqrt(half))
        term = math.exp(-half) * math.sqrt(half) / math.gamma(1.5)
        start = 3
    else:
        total, term, start = 0.0, math.exp(-half), 2
    for degree in range(start, degrees + 1, 2):
        total += term
        term *= half / (degree / 2)
    return min(1.0, total)


def holm(p_values: Floats) -> Floats:
    """Adjusted p-values: as many of them are below alpha by chance as alpha says, over all."""
    order = np.argsort(p_values)
    factors = len(p_values) - np.arange(len(p_values))
    rising = np.maximum.accumulate(p_values[order] * factors)
    adjusted = np.empty_like(p_values)
    adjusted[order] = np.minimum(1.0, rising)
    return adjusted
