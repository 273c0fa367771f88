"""The scorer by rules: range of motion against what is usual, speed, sides, compensations.

It needs no model, and names what was wrong. The figures are defaults that need a clinician's
review: ranges are what the correct takes of seven healthy volunteers reach in the median (UI-PRMD),
less a quarter. With a baseline the person's own range takes their place.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar

import numpy as np

from rehab_edge.exercises import Exercise
from rehab_edge.interpreter.runtimes import SelfTest
from rehab_edge.metrics.rep import RepMetrics, measured
from rehab_edge.scoring import channels
from rehab_edge.scoring.calibration import PatientBaseline
from rehab_edge.scoring.protocol import API_VERSION, Attempt, FeatureSpec, FormScore, abstention

EXPECTED_DEG: Mapping[str, float] = {
    "m01": 90, "m02": 80, "m03": 58, "m04": 67, "m05": 74,
    "m06": 68, "m07": 109, "m08": 52, "m09": 98, "m10": 68,
}  # fmt: skip
"""Range of the primary joint that is full marks, by exercise."""
OWN_SHARE = 0.9
"""Of the range of the person's own baseline, that is full marks."""
RANGE_POINTS = 60.0
"""That are lost with a range of nothing."""
FAULT_POINTS = 15.0
"""That a compensation costs at its limit; twice the limit costs twice as much, and no more."""
FASTEST_S = 1.0
"""A repetition that takes less is thrown, not led."""
FAST_POINTS = 20.0
UNEVEN_PCT = 20.0
"""Difference of the two sides' ranges, beyond which they are uneven: the customary limit of limb
symmetry after injuries of the knee is 15 to 20 % (Noyes et al. 1991, Am J Sports Med 19, 513)."""
UNEVEN_POINTS = 15.0


class RuleScorer:
    api_version: ClassVar[int] = API_VERSION
    id = "rules"
    version = "1"
    input_spec = FeatureSpec(channels.NAMES, "degrees", 30.0, 0)

    def warm_up(self) -> SelfTest:
        return SelfTest(self.id, self.version)

    def score(self, attempt: Attempt, baseline: PatientBaseline | None = None) -> FormScore:
        began = time.perf_counter_ns()
        scored = self._score(attempt, baseline)
        return replace(scored, latency_us=(time.perf_counter_ns() - began) / 1000)

    def _score(self, attempt: Attempt, baseline: PatientBaseline | None) -> FormScore:
        if attempt.exercise.id not in EXPECTED_DEG:
            return abstention("unknown_exercise")
        seen = measured(attempt.frames, attempt.exercise)
        if seen.primary is None:
            return abstention(seen.abstained)
        own = _own_range(attempt, baseline)
        return judged(seen, attempt.exercise, own)


def judged(seen: RepMetrics, exercise: Exercise, own_deg: float | None = None) -> FormScore:
    """Of a repetition that was measured."""
    assert seen.primary is not None, "it was measured"
    expected = OWN_SHARE * own_deg if own_deg else EXPECTED_DEG[exercise.id]
    lost: dict[str, float] = {}
    missing = max(0.0, 1 - seen.primary.rom_deg / expected)
    if missing > 0:
        lost["short_range"] = RANGE_POINTS * missing
    if seen.primary.duration_s < FASTEST_S:
        lost["too_fast"] = FAST_POINTS
    if seen.symmetry_pct is not None and abs(seen.symmetry_pct) > UNEVEN_PCT:
        lost["uneven"] = UNEVEN_POINTS
    for one in seen.compensations:
        lost[one.code] = FAULT_POINTS * min(2.0, one.magnitude_deg / one.limit_deg)
    faults = sorted(lost, key=lambda code: -lost[code])
    value = float(np.clip(100 - sum(lost.values()), 0, 100))
    return FormScore(value, seen.confidence, tuple(faults), calibrated=own_deg is not None)


def _own_range(attempt: Attempt, baseline: PatientBaseline | None) -> float | None:
    """Of the primary joint, in the person's own baseline; None where it does not tell."""
    exercise = attempt.exercise
    name = f"{exercise.joint}_w"
    if baseline is None or baseline.exercise != exercise.id or name not in channels.NAMES:
        return None
    if not exercise.both_sides and baseline.right != attempt.right:
        return None
    path = baseline.window.curve[:, channels.NAMES.index(name)]
    return float(np.ptp(path)) if np.isfinite(path).all() else None
