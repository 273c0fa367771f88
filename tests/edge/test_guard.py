"""Scorers of others, and what becomes of those that fail."""

from __future__ import annotations

import sys
import threading
from importlib.metadata import EntryPoint

import pytest

from rehab_edge.exercises import exercise
from rehab_edge.interpreter import SelfTest
from rehab_edge.plugins import SCORERS, scorers
from rehab_edge.scoring.guard import OVERRUNS, Guarded
from rehab_edge.scoring.learned import LearnedScorer
from rehab_edge.scoring.protocol import API_VERSION, Attempt, FormScore
from tests.edge.recorded import made

ATTEMPT = Attempt(exercise("m01"), made()[0].frames)


class Steady:
    """Always the same score."""

    api_version = API_VERSION
    id, version, input_spec = "steady", "1", None

    def warm_up(self) -> SelfTest:
        return SelfTest(self.id, self.version)

    def score(self, attempt: object, baseline: object) -> object:
        return FormScore(80.0, 0.9)


class Failing(Steady):
    id = "failing"

    def score(self, attempt: object, baseline: object) -> object:
        raise ZeroDivisionError("a patient's name")


class Elsewhere(Steady):
    api_version = API_VERSION + 1


class Unwell(Steady):
    def warm_up(self) -> SelfTest:
        return SelfTest(self.id, "", "a file is missing")


class Crashing(Steady):
    def __init__(self) -> None:
        raise RuntimeError("no")


def entry(name: str, what: type) -> EntryPoint:
    return EntryPoint(name, f"{what.__module__}:{what.__qualname__}", SCORERS)


@pytest.fixture(autouse=True)
def importable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, __name__, sys.modules[__name__])


def test_the_shipped_scorer_is_found_by_its_entry_point_and_works() -> None:
    found = {one.name: one for one in scorers()}
    assert not found["learned"].problem
    assert isinstance(found["learned"].plugin, LearnedScorer)


@pytest.mark.parametrize(
    ("plugin", "problem"),
    [
        (Elsewhere, f"is of interface {API_VERSION + 1}, not {API_VERSION}"),
        (Unwell, "a file is missing"),
        (Crashing, "RuntimeError at start"),
    ],
)
def test_a_scorer_that_does_not_fit_is_left_out_and_told_of(plugin: type, problem: str) -> None:
    found = {one.name: one for one in scorers([entry("bad", plugin), entry("good", Steady)])}
    assert found["bad"].problem == problem
    assert found["bad"].plugin is None
    assert isinstance(found["good"].plugin, Steady)


def test_an_entry_point_to_nothing_is_left_out() -> None:
    (found,) = scorers([EntryPoint("gone", "no_such_package:Scorer", SCORERS)])
    assert found.problem == "ModuleNotFoundError at start"


def test_a_good_scorer_is_passed_through_with_its_time() -> None:
    guarded = Guarded(Steady())
    scored = guarded.score(ATTEMPT)
    assert (scored.value, scored.confidence) == (80, 0.9)
    assert scored.latency_us > 0
    assert not guarded.disabled


def test_a_scorer_that_raises_is_switched_off_once_and_for_all() -> None:
    told: list[tuple[str, str]] = []
    guarded = Guarded(Failing(), told=lambda name, why: told.append((name, why)))
    for _ in range(3):
        assert guarded.score(ATTEMPT).abstained == "scorer_off"
    assert told == [("failing", "failed")]


def test_a_scorer_that_never_returns_costs_its_deadline_once() -> None:
    never = threading.Event()

    class Hanging(Steady):
        def score(self, attempt: object, baseline: object) -> object:
            never.wait(60)
            return FormScore(1.0, 1.0)

    guarded = Guarded(Hanging(), deadline_s=0.05)
    assert guarded.score(ATTEMPT).abstained == "scorer_off"
    assert guarded.disabled == "timed_out"
    assert guarded.score(ATTEMPT).abstained == "scorer_off"
    never.set()


def test_a_scorer_over_its_budget_is_switched_off_after_three_in_a_row() -> None:
    guarded = Guarded(Steady(), budget_s=0)
    values = [guarded.score(ATTEMPT).value for _ in range(OVERRUNS)]
    assert values == [80, 80, 80]
    assert guarded.disabled == "too_slow"
    assert guarded.score(ATTEMPT).value is None


@pytest.mark.parametrize(
    "answer",
    ["good", FormScore(101.0, 0.5), FormScore(-1.0, 0.5), FormScore(50.0, 2.0),
     FormScore(float("nan"), 0.5), FormScore(50.0, float("nan"))],
)  # fmt: skip
def test_an_answer_that_is_no_score_switches_off(answer: object) -> None:
    class Odd(Steady):
        def score(self, attempt: object, baseline: object) -> object:
            return answer

    guarded = Guarded(Odd())
    assert guarded.score(ATTEMPT).abstained == "scorer_off"
    assert guarded.disabled == "not_a_score"
