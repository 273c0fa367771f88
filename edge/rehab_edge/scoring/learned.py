"""The learned scorer: how much a repetition looks like one done well, by a temporal network.

Trained on ten movements of seven healthy volunteers, done well and deliberately less well; its card
says on whom and how sure. With a `PatientBaseline` it compares with the person's own three
repetitions, which is far more certain than comparing with other people.
"""

from __future__ import annotations

import hashlib
import math
import time
from dataclasses import replace
from importlib.resources.abc import Traversable
from typing import ClassVar

import numpy as np

from rehab_edge.errors import EdgeError
from rehab_edge.exercises import EXERCISES
from rehab_edge.interpreter.runtimes import SelfTest
from rehab_edge.models import FORM
from rehab_edge.scoring import channels
from rehab_edge.scoring.calibration import LEAST_SEEN, PatientBaseline
from rehab_edge.scoring.network import Network
from rehab_edge.scoring.protocol import API_VERSION, Attempt, FeatureSpec, FormScore, abstention
from rehab_edge.scoring.window import LONGEST_S, MOMENTS, RATE_HZ, Window, window

LEAST_FRAMES = 8
SHORTEST_S = 0.5
UNSURE = 0.55
"""A probability nearer to a half than this, on either side, is no opinion."""
_NUMBERS = {one: number for number, one in enumerate(EXERCISES)}


class LearnedScorer:
    """Without `folder` the shipped network."""

    api_version: ClassVar[int] = API_VERSION
    id = "learned"
    input_spec = FeatureSpec(channels.NAMES, "degrees and like them", RATE_HZ, MOMENTS)

    def __init__(self, folder: Traversable = FORM) -> None:
        self._folder = folder
        self._network: Network | None = None

    @property
    def version(self) -> str:
        """The first digits of the hash over the model's files."""
        digest = hashlib.sha256()
        for file in sorted(self._folder.iterdir(), key=lambda one: one.name):
            digest.update(file.read_bytes())
        return digest.hexdigest()[:12]

    def warm_up(self) -> SelfTest:
        """Chooses the runtime and the variant by measuring; all must agree on an example."""
        try:
            self._network = Network.load(self._folder)
        except EdgeError as error:
            return SelfTest(self.id, "", str(error))
        return SelfTest(self.id, self.version)

    def score(self, attempt: Attempt, baseline: PatientBaseline | None = None) -> FormScore:
        began = time.perf_counter_ns()
        scored = self._score(attempt, baseline)
        return replace(scored, latency_us=(time.perf_counter_ns() - began) / 1000)

    def _score(self, attempt: Attempt, baseline: PatientBaseline | None) -> FormScore:
        if self._network is None:
            return abstention("not_ready")
        why = unfit(attempt)
        if why:
            return abstention(why)
        right = attempt.right and not attempt.exercise.both_sides
        seen = window(attempt.frames, right=right)
        if seen.seen < LEAST_SEEN:
            return abstention("seen_too_little")
        own = _own(attempt, baseline, right=right)
        answer = self._network.answer(seen, _NUMBERS[attempt.exercise.id], own)
        return _told(answer, seen.seen, calibrated=own is not None)


def unfit(attempt: Attempt) -> str:
    """Why this cannot be scored, empty when it can."""
    times = attempt.frames.t_s
    if attempt.exercise.id not in _NUMBERS:
        return "unknown_exercise"
    if len(times) < LEAST_FRAMES:
        return "too_short"
    if not np.isfinite(times).all() or not (np.diff(times) > 0).all():
        return "not_a_number"
    if times[-1] - times[0] < SHORTEST_S:
        return "too_short"
    return "too_long" if times[-1] - times[0] > LONGEST_S else ""


def _own(attempt: Attempt, baseline: PatientBaseline | None, *, right: bool) -> Window | None:
    if baseline is None or baseline.exercise != attempt.exercise.id or baseline.right != right:
        return None
    return baseline.window


def _told(answer: float, seen: float, *, calibrated: bool) -> FormScore:
    """`answer` is the logarithm of the odds that it was done well. The confidence is how far the
    probability is from a coin's, times the share of the body that was seen."""
    if not math.isfinite(answer):
        return abstention("not_a_number")
    share = 1 / (1 + math.exp(-max(-50.0, min(50.0, answer))))
    sure = max(share, 1 - share)
    if sure < UNSURE:
        return replace(abstention("unsure"), calibrated=calibrated)
    return FormScore(100 * share, (2 * sure - 1) * seen, calibrated=calibrated)
