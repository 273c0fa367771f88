"""What a scorer is. Others may bring their own: see `rehab_edge.plugins`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

from rehab_edge.exercises import Exercise
from rehab_edge.interpreter.runtimes import SelfTest
from rehab_edge.scoring.calibration import PatientBaseline
from rehab_edge.skeleton import Sequence as Frames

API_VERSION = 1
"""Of this module's interface. A scorer of another version is not loaded."""


@dataclass(frozen=True)
class FeatureSpec:
    """What a scorer reads of a repetition: names and unit of its features, the rate it brings them
    to, and how many moments it takes, 0 for all of them."""

    names: Sequence[str]
    unit: str
    rate_hz: float
    length: int


@dataclass(frozen=True)
class Attempt:
    """One repetition to score: all its frames. `right` says that the right side works; it means
    nothing where both do."""

    exercise: Exercise
    frames: Frames
    right: bool = False


@dataclass(frozen=True)
class FormScore:
    """`value` runs from 0 to 100, `confidence` from 0 to 1. A scorer that will not say gives no
    value and tells why in `abstained`: seen_too_little, too_short, too_long, not_a_number,
    unknown_exercise, unsure. `faults` are codes such as knee_valgus."""

    value: float | None
    confidence: float
    faults: Sequence[str] = ()
    latency_us: float = 0.0
    abstained: str = ""
    calibrated: bool = False


def abstention(why: str) -> FormScore:
    return FormScore(None, 0.0, abstained=why)


class FormScorer(Protocol):
    """Not for several threads at once."""

    api_version: ClassVar[int]

    @property
    def id(self) -> str: ...

    @property
    def version(self) -> str: ...

    @property
    def input_spec(self) -> FeatureSpec: ...

    def warm_up(self) -> SelfTest:
        """Load, and score something whose score is known. Called once before `score`."""
        ...

    def score(self, attempt: Attempt, baseline: PatientBaseline | None) -> FormScore:
        """Abstains rather than guesses, and raises nothing. A baseline of another exercise or side
        is left aside."""
        ...
