from __future__ import annotations

from datetime import date

import pytest
from rehab_clinical.measures import pair_slopes, percentile
from rehab_clinical.plan import PlanBook
from rehab_clinical.quality import ExerciseQuality, ObservedSet, quality

from rehab.events.v1 import common_pb2
from tests.projections.ask import history_of
from tests.projections.given import KNEE, at, event, item, observed, prescribed, rep

DAY = date(2026, 3, 2)


def observed_set(*reps, day: date = DAY, side: int = 0) -> ObservedSet:
    return ObservedSet(KNEE, side, day, list(observed("s", reps).rep_observation.reps))


def scored_day(day: int, *scores: float) -> ObservedSet:
    reps = [rep(i, score) for i, score in enumerate(scores, start=1)]
    return observed_set(*reps, day=date(2026, 3, day))


def book(*items) -> PlanBook:
    return history_of([event(1, at("2026-01-01T00:00"), prescribed(*items))]).care.plans


def only(*sets: ObservedSet, plans: PlanBook | None = None) -> ExerciseQuality:
    (one,) = quality(plans or PlanBook(), sets)
    return one


def test_a_repetition_without_a_score_is_neither_scored_nor_bad():
    told = only(observed_set(rep(1, 70), rep(2, 69.9), rep(3, None)))
    assert (told.reps, told.scored, told.good, told.median_score) == (3, 2, 1, 69.95)


def test_what_was_not_measured_is_absent():
    bare = {"rom_deg": None}
    told = only(observed_set({k: v for k, v in rep(1, None).items() if k not in bare}))
    assert told.median_score is None
    assert told.p90_rom_deg is None
    assert told.rom_target_pct is None
    assert told.tempo_error is None
    assert told.median_symmetry_pct is None
    assert told.median_smoothness is None
    assert told.fatigue_slope is None
    assert told.trend is None
    assert told.compensations == told.joints == ()


def test_the_90th_percentile_is_interpolated_between_closest_ranks():
    assert percentile([10, 20, 30, 40], 0.9) == pytest.approx(37)
    assert percentile([10], 0.9) == 10
    assert percentile([], 0.9) is None


def test_the_range_of_motion_is_compared_with_the_target_in_force_on_the_last_day():
    target = book(item(rom_target_deg=125.0))
    reps = [rep(1, rom_deg=100.0), rep(2, rom_deg=100.0)]
    assert only(observed_set(*reps), plans=target).rom_target_pct == 80
    early = observed_set(*reps, day=date(2026, 2, 1))
    assert only(early, plans=target).rom_target_pct is None


def test_a_target_for_the_other_side_is_no_target():
    left_only = book(item(side="SIDE_LEFT", rom_target_deg=125.0))
    reps = [rep(1, rom_deg=100.0)]
    right = observed_set(*reps, side=common_pb2.SIDE_RIGHT)
    left = observed_set(*reps, side=common_pb2.SIDE_LEFT)
    assert only(right, plans=left_only).rom_target_pct is None
    assert only(left, plans=left_only).rom_target_pct == 80


def test_the_tempo_error_is_the_median_over_the_phases_with_a_prescribed_time():
    tempo = book(item(tempo_s=[2.0, 0.0, 1.0, 0.0]))
    one = rep(1, phases_ms=[2200, 300, 1500, 100])
    two = rep(2, phases_ms=[2000, 0, 900, 0])
    # |2.2-2|/2 = 0.1, |1.5-1|/1 = 0.5, 0, 0.1: a pause without a prescribed time has no error
    assert only(observed_set(one, two), plans=tempo).tempo_error == pytest.approx(0.1)
    assert only(observed_set(rep(1)), plans=tempo).tempo_error is None


def test_symmetry_and_smoothness_are_medians():
    reps = [rep(i, symmetry_pct=s, smoothness=-s) for i, s in enumerate((1, 2, 9), start=1)]
    told = only(observed_set(*reps))
    assert (told.median_symmetry_pct, told.median_smoothness) == (2, -2)


def test_a_compensation_seen_twice_in_one_repetition_is_one_with_its_worst_magnitude():
    lean = {"code": "trunk_lean", "frames": 3}
    twice = rep(1, compensations=[{**lean, "magnitude_deg": 4}, {**lean, "magnitude_deg": 8}])
    told = only(observed_set(twice, rep(2), rep(3), rep(4)))
    (one,) = told.compensations
    assert (one.code, one.rate, one.median_magnitude_deg) == ("trunk_lean", 0.25, 8)


def test_the_fatigue_slope_shrugs_off_one_bad_repetition():
    scores = [90, 88, 86, 10, 82, 80]
    told = only(observed_set(*(rep(i, s) for i, s in enumerate(scores, start=1))))
    assert told.fatigue_slope == pytest.approx(-2)


def test_the_fatigue_slope_compares_repetitions_of_the_same_set_only():
    fresh = observed_set(rep(1, 90), rep(2, 90))
    tired = observed_set(rep(1, 50), rep(2, 50))
    assert only(fresh, tired).fatigue_slope == 0


def test_the_slope_of_a_long_set_is_found_with_pairs_half_the_set_apart():
    line = [(i, 3.0 * i) for i in range(200)]
    slopes = pair_slopes(line)
    assert len(slopes) == 100
    assert set(slopes) == {3.0}


def test_the_trend_is_the_last_seven_scored_days_against_the_first_seven():
    days = [scored_day(d, 60.0 if d <= 7 else 75.0) for d in range(1, 15)]
    assert only(*days).trend == 15
    assert only(*days[:7]).trend is None
    assert only(*days[:8]).trend == 0


def test_days_and_exercises_come_in_their_order():
    later, earlier = scored_day(9, 70), scored_day(3, 80, 90)
    told = only(later, earlier)
    assert [(d.day.day, d.reps, d.median_score) for d in told.days] == [(3, 2, 85), (9, 1, 70)]
    squat = ObservedSet("a_squat", 0, DAY, earlier.reps)
    assert [one.exercise_id for one in quality(PlanBook(), [later, squat])] == ["a_squat", KNEE]


def test_each_joint_is_measured_on_its_own():
    def moving(index: int, rom: float) -> dict:
        knee = {"joint": "knee_left", "min_deg": 0, "max_deg": rom, "rom_deg": rom}
        return rep(index, joints=[knee])

    (joint,) = only(observed_set(moving(1, 80), moving(2, 100), rep(3))).joints
    assert (joint.joint, joint.reps, joint.median_rom_deg) == ("knee_left", 2, 90)
    assert joint.p90_rom_deg == pytest.approx(98)
