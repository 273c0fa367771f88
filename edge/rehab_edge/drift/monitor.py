"""Window after window against the reference; what is found twice in a row is told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from rehab_edge.drift.reference import Cause, Feature, Normal, Reference, effective
from rehab_edge.drift.statistics import (
    Counts,
    Floats,
    counts,
    holm,
    ks_distance,
    ks_p_value,
    psi,
    psi_p_value,
)

WINDOW = 200
"""Repetitions. Of 20 features, PSI exceeds 0.2 without drift in 94 % of windows of 20, in 48 % of
windows of 50, in 8 % at 100 and in none at 200."""
ALPHA = 0.01
"""Chance that a window without drift is taken for one with it, for each cause."""
IN_A_ROW = 2
LEAST_SEEN = 0.5
"""Share of a window in which a feature has to have been measured."""
TESTS_A_FEATURE = 2


@dataclass(frozen=True)
class Finding:
    """A feature that drifted: histograms and figures, no values. `p_value` is the corrected one of
    the last window."""

    feature: str
    cause: Cause
    psi: float
    distance: float
    p_value: float
    reference: tuple[int, ...]
    observed: tuple[int, ...]


@dataclass
class Monitor:
    """Feed it one sample a repetition. A drift is told once; again when it went and came back."""

    features: Sequence[Feature]
    reference: Reference
    window: int = WINDOW
    alpha: float = ALPHA
    _samples: list[Floats] = field(default_factory=list)
    _runs: dict[str, int] = field(default_factory=dict)

    def push(self, sample: Floats) -> list[Finding]:
        """`sample` is [features], NaN where it was not measured. Findings come with the last of a
        window, and are empty otherwise."""
        self._samples.append(sample)
        if len(self._samples) < self.window:
            return []
        samples, self._samples = np.stack(self._samples), []
        found = examine(self.features, self.reference, samples, self.alpha)
        told = []
        for name in {one.feature.name for one in self.reference.normals} - set(found):
            self._runs[name] = 0
        for name, finding in found.items():
            self._runs[name] = self._runs.get(name, 0) + 1
            if self._runs[name] == IN_A_ROW:
                told.append(finding)
        return told

    @property
    def runs(self) -> dict[str, int]:
        """How many windows in a row each feature has drifted."""
        return dict(self._runs)

    def resume(self, waiting: Sequence[Sequence[float]], runs: dict[str, int]) -> None:
        """Go on where another one stopped."""
        self._samples = [np.array(one) for one in waiting]
        self._runs = dict(runs)

    @property
    def waiting(self) -> Sequence[Floats]:
        """Samples of the window that has begun."""
        return tuple(self._samples)


def examine(
    features: Sequence[Feature], reference: Reference, samples: Floats, alpha: float = ALPHA
) -> dict[str, Finding]:
    """Drifted features of one window, by name. While the sensor drifts nothing is said of the
    movement: a camera that was turned moves every angle."""
    columns = {feature.name: column for column, feature in enumerate(features)}
    found: dict[str, Finding] = {}
    for cause in ("sensor", "movement"):
        own = [one for one in reference.normals if one.feature.cause == cause]
        compared = [
            finding
            for one in own
            if (finding := _compared(one, samples[:, columns[one.feature.name]])) is not None
        ]
        for finding in _corrected(compared):
            if finding.p_value < alpha:
                found[finding.feature] = finding
        if found:
            break
    return found


def _compared(normal: Normal, column: Floats) -> Finding | None:
    """With the raw p-value of the more telling test. None when it was hardly measured."""
    values = column[np.isfinite(column)]
    if len(values) < LEAST_SEEN * len(column):
        return None
    observed: Counts = counts(normal.edges, values)
    index, distance = psi(normal.counts, observed), ks_distance(normal.values, values)
    size = effective(len(values), len(normal.values))
    by_psi = psi_p_value(index, size / normal.psi_effect, normal.bins)
    by_ks = ks_p_value(distance, size / normal.ks_effect)
    return Finding(
        normal.feature.name,
        normal.feature.cause,
        index,
        distance,
        min(1.0, TESTS_A_FEATURE * min(by_psi, by_ks)),
        tuple(normal.counts.tolist()),
        tuple(observed.tolist()),
    )


def _corrected(compared: Sequence[Finding]) -> list[Finding]:
    adjusted = holm(np.array([one.p_value for one in compared])) if compared else np.empty(0)
    return [
        Finding(
            one.feature,
            one.cause,
            one.psi,
            one.distance,
            float(p_value),
            one.reference,
            one.observed,
        )
        for one, p_value in zip(compared, adjusted, strict=True)
    ]
