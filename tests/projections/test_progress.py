"""Trends with their confidence, symmetry, sets and repetitions, pain against quality."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import combinations, permutations
from statistics import pvariance

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rehab_clinical.quality import ObservedSet, quality
from rehab_clinical.trend import repeat_error, trend_line, variance_of_s

from rehab.events.v1 import common_pb2
from rehab_projections.domain.session_analysis import (
    PainAndQuality,
    association,
    rep_analyses,
    set_analyses,
)
from rehab_projections.domain.session_notes import session_notes
from rehab_projections.domain.symmetry import symmetries
from tests.projections.ask import history_of
from tests.projections.given import (
    KNEE,
    at,
    body,
    event,
    facts,
    item,
    observed,
    prescribed,
    rep,
    set_completed,
)

NOON = at("2026-03-02T12:00")
FIRST = date(2026, 3, 2)


def line(scores, trend=None):
    points = [(FIRST + timedelta(days=n), float(score)) for n, score in enumerate(scores)]
    return trend_line(points, trend)


def test_a_steady_rise_of_a_point_a_day_is_seven_a_week_without_doubt():
    told = line(range(50, 70))
    assert told is not None
    assert (told.slope_per_week, told.low_per_week, told.high_per_week) == (7, 7, 7)
    assert told.days == 20


def test_few_days_have_a_slope_and_no_interval():
    told = line([50, 60, 55])
    assert told is not None
    assert (told.low_per_week, told.high_per_week, told.repeat_error) == (None, None, None)
    assert line([50]) is None


def test_one_odd_day_moves_the_slope_hardly():
    told = line([*range(50, 65), 0, *range(66, 81)])
    assert told is not None
    assert told.slope_per_week == pytest.approx(7)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(0, 100), min_size=2, max_size=30))
def test_the_slope_lies_within_its_interval_and_turns_with_the_scores(scores):
    told, turned = line(scores), line([-score for score in scores])
    assert told is not None
    assert turned is not None
    if told.low_per_week is not None and told.high_per_week is not None:
        assert told.low_per_week <= told.slope_per_week <= told.high_per_week
        assert turned.low_per_week == pytest.approx(-told.high_per_week)


def test_a_change_is_told_only_beyond_the_repeat_error():
    noisy = [60, 64] * 6
    error = repeat_error(noisy)
    assert error == pytest.approx(1.959964 * 1.4826 * 4)
    changes = [line(noisy, trend).change for trend in (error, error + 1, -error - 1, None)]
    assert changes == ["steady", "improved", "declined", "unknown"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ([1, 2, 3, 4, 5], [1, 2, 3, 4, 5]),
        ([1, 1, 2, 3, 3, 3], [1, 2, 3, 4, 5, 6]),
        ([1, 1, 2, 3, 3, 3], [0, 0, 0, 1, 1, 2]),
    ],
)
def test_the_variance_of_s_is_that_over_all_orders(one, other):
    def s(shuffled) -> int:
        pairs = list(zip(one, shuffled, strict=True))
        return sum(
            ((b[0] > a[0]) - (b[0] < a[0])) * ((b[1] > a[1]) - (b[1] < a[1]))
            for a, b in combinations(pairs, 2)
        )

    over_all = pvariance([s(shuffled) for shuffled in permutations(other)])
    assert variance_of_s(one, other) == pytest.approx(over_all)


def points(pairs) -> list[PainAndQuality]:
    return [
        PainAndQuality(f"s{n}", FIRST, float(score), pain, None)
        for n, (pain, score) in enumerate(pairs)
    ]


def test_pain_that_goes_with_lower_quality_is_found():
    told = association(points([(n, 90 - 5 * n) for n in range(10)]))
    assert (told.tau, told.words) == (-1, "more_pain_lower_quality")
    assert told.p_value is not None
    assert told.p_value < 0.001
    turned = association(points([(n, 5 * n) for n in range(10)]))
    assert turned.words == "more_pain_higher_quality"


def test_no_association_is_told_from_few_sessions_or_when_pain_never_changes():
    assert association(points([(n, n) for n in range(7)])).words == "unknown"
    assert association(points([(3, n) for n in range(20)])).tau is None
    mixed = association(points([(n % 3, (7 * n) % 10) for n in range(12)]))
    assert mixed.words == "none"


def moved(side: int, **joints: float) -> ObservedSet:
    told = [{"joint": name, "rom_deg": rom, "max_deg": rom} for name, rom in joints.items()]
    made = body(
        rep_observation={
            "session_id": "s",
            "exercise_id": "squat",
            "set_index": 1,
            "reps": [rep(1, rom_deg=joints.get("knee_left", 50.0), joints=told)],
        }
    )
    return ObservedSet("squat", side, FIRST, list(made.rep_observation.reps))


def test_symmetry_compares_left_and_right_of_each_joint():
    (knee,) = symmetries([moved(common_pb2.SIDE_BOTH, knee_left=110, knee_right=90, trunk=20)])
    assert (knee.joint, knee.left_deg, knee.right_deg, knee.symmetry_pct) == ("knee", 110, 90, 20)


def test_symmetry_compares_an_exercise_done_on_either_side():
    told = symmetries(
        [moved(common_pb2.SIDE_LEFT, knee_left=60.0), moved(common_pb2.SIDE_RIGHT, hip_left=1.0)]
    )
    assert [(one.joint, one.left_deg, one.right_deg) for one in told] == [("", 60, 50)]


def test_one_side_alone_has_no_symmetry():
    assert symmetries([moved(common_pb2.SIDE_LEFT, knee_left=60.0)]) == []


def test_joints_tell_their_smallest_and_largest_angle():
    (squat,) = quality(history_of([]).care.plans, [moved(common_pb2.SIDE_BOTH, knee_left=110)])
    (joint,) = squat.joints
    assert (joint.min_deg, joint.max_deg, joint.median_rom_deg) == (0, 110, 110)


def one_session():
    tempo = item(tempo_s=[1.0, 0.0, 1.0, 0.0], rom_target_deg=125.0)
    reps = [
        rep(1, 80, phases_ms=[1000, 0, 1500, 0], peak_velocity_deg_s=100.0),
        rep(2, 60, phases_ms=[1000, 0, 1000, 0], peak_velocity_deg_s=75.0),
        rep(3, None),
    ]
    events = [
        event(1, at("2026-03-01T00:00"), prescribed(tempo)),
        event(2, NOON, observed("s", reps)),
        event(3, NOON, set_completed("s", 1, 5)),
        event(4, NOON, set_completed("s", 2, 4)),
    ]
    return history_of(events)


def test_a_set_tells_what_was_seen_beside_what_was_told():
    first, second = set_analyses(one_session().sessions["s"].sets)
    assert (first.reps_seen, first.reps_told, first.done.reps) == (3, 5, 5)
    assert (first.median_score, first.fatigue_slope, first.velocity_loss_pct) == (70, -20, 25)
    assert (second.reps_seen, second.reps_told, second.median_score) == (0, 4, None)


def test_a_repetition_stands_beside_its_set_and_the_plan():
    history = one_session()
    one, two, three = rep_analyses(history.care.plans, history.sessions["s"].sets, FIRST)
    assert (one.good, one.score_from_median, one.tempo_error) == (True, 10, 0.25)
    assert (two.good, two.score_from_median, two.tempo_error) == (False, -10, 0)
    assert (three.good, three.score_from_median, three.tempo_error) == (None, None, None)
    assert one.rom_target_pct == 80


def note(number: int, minute: int, **said) -> object:
    told = {"session_id": "s", "exercise_id": KNEE, **said}
    return event(number, NOON + timedelta(minutes=minute), body(feedback=told))


def test_notes_tell_the_last_rating_the_cues_and_what_was_left_out():
    skip = {"exercise_id": "squat", "reason": "pain"}
    events = [
        note(1, 5, exertion={"cr10": 4}),
        note(2, 1, exertion={"cr10": 7}),
        note(3, 2, form={"cue": "knee_out", "heeded": True}),
        note(4, 3, form={"cue": "knee_out", "heeded": False}),
        note(5, 4, form={"cue": "knee_out"}),
        note(6, 4, difficulty={"rating": 5}),
        event(7, NOON, body(exercise_session={"session_id": "s", "exercise_skipped": skip})),
        event(
            8,
            NOON,
            body(exercise_session={"session_id": "s", "abandoned": {"reason": "fatigue"}}),
        ),
    ]
    told = session_notes(facts(events))
    assert told == session_notes([*reversed(facts(events)), *facts(events)])
    assert told.exertion == ((KNEE, 4),)
    assert told.difficulty == ((KNEE, 5),)
    (cue,) = told.cues
    assert (cue.given, cue.known, cue.heeded) == (3, 2, 1)
    assert [(one.exercise_id, one.reason) for one in told.skipped] == [("squat", "pain")]
    assert told.abandoned_for == "fatigue"
