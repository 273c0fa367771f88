"""The learned scorer and a person's baseline."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rehab_edge.errors import Uncalibrated
from rehab_edge.exercises import exercise
from rehab_edge.scoring.calibration import PatientBaseline, baseline
from rehab_edge.scoring.learned import LearnedScorer
from rehab_edge.scoring.protocol import Attempt
from rehab_edge.skeleton import Joint, Sequence
from tests.edge.recorded import some, turned


@pytest.fixture(scope="module")
def scorer() -> LearnedScorer:
    made = LearnedScorer()
    assert made.warm_up().ok
    return made


def own(movement: int = 0) -> PatientBaseline:
    seen = some(movement)[:3]
    return baseline(
        exercise(f"m{movement + 1:02d}").id, [one.window() for one in seen], right=seen[0].right
    )


def test_a_repetition_gets_a_score_a_confidence_and_its_time(scorer: LearnedScorer) -> None:
    scored = scorer.score(some()[4].attempt)
    assert scored.abstained or 0 <= (scored.value or 0) <= 100
    assert 0 <= scored.confidence <= 1
    assert scored.latency_us > 0
    assert not scored.calibrated


def test_with_a_baseline_ones_own_good_repetition_scores_high(scorer: LearnedScorer) -> None:
    scored = scorer.score(some()[4].attempt, own())
    assert scored.calibrated
    assert scored.value is not None
    assert scored.value > 50


def test_with_a_baseline_a_shallower_squat_scores_lower(scorer: LearnedScorer) -> None:
    good, bad = (
        np.median([scorer.score(one.attempt, own()).value or 0 for one in some(correct=correct)])
        for correct in (True, False)
    )
    assert bad < good


def test_the_same_repetition_elsewhere_in_the_room_scores_the_same(scorer: LearnedScorer) -> None:
    one = some()[4].attempt
    there = replace(one, frames=turned(one.frames, 70))
    here, moved = scorer.score(one, own()), scorer.score(there, own())
    assert (here.value or 0) == pytest.approx(moved.value or 0, abs=5)


def test_a_baseline_of_another_exercise_or_side_is_left_aside(scorer: LearnedScorer) -> None:
    one = some()[4].attempt
    assert not scorer.score(one, replace(own(), exercise="m07")).calibrated
    assert not scorer.score(one, replace(own(), right=True)).calibrated


def hidden(frames: Sequence, joints: list[Joint]) -> Sequence:
    xyz = frames.xyz.copy()
    xyz[:, joints] = np.nan
    return Sequence(frames.t_s, xyz, frames.visibility)


def test_it_abstains_when_too_little_of_the_body_is_seen(scorer: LearnedScorer) -> None:
    legs = [one for one in Joint if one.name.startswith(("KNEE", "ANKLE", "HIP", "MID", "TOE"))]
    unseen = replace(some()[4].attempt, frames=hidden(some()[4].frames, legs))
    scored = scorer.score(unseen, own())
    assert scored.abstained == "seen_too_little"
    assert scored.value is None


def test_a_hidden_wrist_costs_confidence_and_not_the_score(scorer: LearnedScorer) -> None:
    one = some()[4].attempt
    whole = scorer.score(one, own())
    partly = scorer.score(replace(one, frames=hidden(one.frames, [Joint.WRIST_R])), own())
    assert partly.abstained in ("", "unsure")
    assert partly.confidence < 1
    assert whole.value is not None


def frames_of(count: int, seconds: float) -> Sequence:
    whole = some()[4].frames
    picked = np.linspace(0, len(whole) - 1, count).astype(int)
    return Sequence(np.linspace(0, seconds, count), whole.xyz[picked], whole.visibility[picked])


@pytest.mark.parametrize(
    ("frames", "why"),
    [
        (frames_of(5, 2), "too_short"),
        (frames_of(30, 0.3), "too_short"),
        (frames_of(60, 40), "too_long"),
        (replace(frames_of(60, 2), t_s=np.full(60, np.nan)), "not_a_number"),
        (replace(frames_of(60, 2), t_s=np.zeros(60)), "not_a_number"),
        (frames_of(60, 2)[:0], "too_short"),
    ],
)
def test_it_abstains_from_what_is_no_repetition(
    scorer: LearnedScorer, frames: Sequence, why: str
) -> None:
    scored = scorer.score(Attempt(exercise("m01"), frames))
    assert (scored.value, scored.abstained) == (None, why)


def test_an_exercise_it_was_not_trained_on_is_not_scored(scorer: LearnedScorer) -> None:
    other = replace(exercise("m01"), id="m99")
    assert scorer.score(replace(some()[4].attempt, exercise=other)).abstained == "unknown_exercise"


def test_before_it_is_warmed_up_it_abstains() -> None:
    assert LearnedScorer().score(some()[4].attempt).abstained == "not_ready"


def test_a_baseline_takes_three_repetitions() -> None:
    with pytest.raises(Uncalibrated, match="3 repetitions, not 2"):
        baseline("m01", [one.window() for one in some()[:2]], right=False)


def test_a_baseline_wants_the_body_in_view() -> None:
    seen = [one.window() for one in some()[:3]]
    seen[1] = replace(seen[1], curve=np.full_like(seen[1].curve, np.nan))
    with pytest.raises(Uncalibrated, match="less than 60%"):
        baseline("m01", seen, right=False)


def test_a_baseline_survives_storage() -> None:
    read = PatientBaseline.from_bytes(own().to_bytes())
    assert (read.exercise, read.right, read.repetitions) == ("m01", False, 3)
    assert np.array_equal(read.window.curve, own().window.curve, equal_nan=True)


@pytest.mark.parametrize("held", [b"", b"nothing", own().to_bytes()[:200]])
def test_bytes_that_hold_no_baseline_are_refused(held: bytes) -> None:
    with pytest.raises(Uncalibrated):
        PatientBaseline.from_bytes(held)


def test_the_version_is_that_of_the_files() -> None:
    assert len(LearnedScorer().version) == 12
    assert LearnedScorer().version == LearnedScorer().version
