from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction

import pytest
from rehab_clinical.windows import DateRange, Days, WholePlan

from rehab.events.v1 import event_pb2
from tests.projections.ask import adherence_of
from tests.projections.given import (
    at,
    body,
    event,
    item,
    observed,
    prescribed,
    rep,
    set_completed,
    started,
    whole_session,
)

LONG_BEFORE = at("2026-01-01T09:00")
EVENING = at("2026-03-02T20:00")


def plan(*items, **more) -> event_pb2.Event:
    return event(1, LONG_BEFORE, prescribed(*items, **more))


def only_ratio(*events) -> Fraction:
    (one,) = adherence_of(events, EVENING).due
    return one.ratio


def test_a_window_is_due_at_the_moment_it_ends():
    events = [plan(item(times=["08:00"], window_h=4))]
    assert len(adherence_of(events, at("2026-03-02T10:59:59.999999")).due) == 0
    assert len(adherence_of(events, at("2026-03-02T11:00")).due) == 1


def test_without_a_plan_nothing_is_due_and_sessions_are_still_counted():
    told = adherence_of(whole_session(1, "s", at("2026-03-02T08:00"), [10]), EVENING)
    assert (told.due, told.dose_ratio, told.sessions) == ((), None, 1)


def test_just_under_four_fifths_is_not_full():
    session = whole_session(10, "s", at("2026-03-02T08:00"), [10, 10, 3])
    told = adherence_of([plan(), *session], EVENING)
    assert (told.full, told.started, told.dose_ratio) == (0, 1, Fraction(23, 30))


def test_two_sessions_in_one_window_add_up():
    events = [
        plan(),
        *whole_session(10, "a", at("2026-03-02T08:00"), [10]),
        *whole_session(20, "b", at("2026-03-02T15:00"), [10, 10]),
    ]
    assert only_ratio(*events) == 1


def test_a_session_outside_every_window_counts_for_none():
    events = [
        plan(item(window_h=4)),
        *whole_session(10, "s", at("2026-03-02T15:00"), [10, 10, 10]),
    ]
    assert only_ratio(*events) == 0


def test_a_session_on_the_same_day_counts_where_the_policy_says_so():
    same_day = item(window_h=4, policy="COMPLETION_POLICY_SAME_DAY")
    for moment in ("2026-03-02T05:00", "2026-03-02T19:00"):
        session = whole_session(10, "s", at(moment), [10, 10, 10])
        assert only_ratio(plan(same_day), *session) == 1
    next_day = whole_session(10, "s", at("2026-03-02T23:30"), [10, 10, 10])
    told = adherence_of([plan(same_day), *next_day], at("2026-03-03T06:00"))
    assert [one.ratio for one in told.due] == [0]


def test_a_session_after_the_window_counts_until_the_next_one_where_the_policy_says_so():
    after = item(window_h=2, weekdays=[1, 4], policy="COMPLETION_POLICY_AFTER_START")
    session = whole_session(10, "s", at("2026-03-04T20:00"), [10, 10, 10])
    told = adherence_of([plan(after), *session], at("2026-03-05T20:00"))
    assert [one.ratio for one in told.due] == [1, 0]


def test_sessions_done_in_advance_count_once_each_where_the_policy_says_so():
    anytime = item(window_h=12, policy="COMPLETION_POLICY_ANYTIME")
    events = [
        plan(anytime),
        *whole_session(10, "a", at("2026-03-02T08:00"), [10, 10, 10]),
        *whole_session(20, "b", at("2026-03-02T09:00"), [10, 10, 10]),
    ]
    told = adherence_of(events, at("2026-03-04T20:00"))
    assert [one.session_ids for one in told.due] == [("a",), ("b",), ()]


def test_overlapping_windows_take_one_session_each():
    events = [
        plan(item(times=["08:00", "14:00"], window_h=12)),
        *whole_session(10, "a", at("2026-03-02T14:00"), [10, 10, 10]),
        *whole_session(20, "b", at("2026-03-02T15:00"), [10, 10, 10]),
    ]
    told = adherence_of(events, at("2026-03-03T04:00"))
    assert [one.session_ids for one in told.due] == [("a",), ("b",)]


def test_a_session_counts_for_the_window_it_names_if_that_admits_it():
    events = [
        plan(item(times=["08:00", "14:00"], window_h=12)),
        event(2, at("2026-03-02T14:00"), started("a", ref=("plan-1", date(2026, 3, 2), "14:00"))),
        event(3, at("2026-03-02T14:01"), set_completed("a", 1, 30)),
    ]
    told = adherence_of(events, at("2026-03-03T04:00"))
    assert [one.session_ids for one in told.due] == [(), ("a",)]


def test_a_session_that_names_a_window_long_past_counts_by_its_time():
    events = [
        plan(),
        event(2, at("2026-03-04T09:00"), started("a", ref=("plan-1", date(2026, 3, 2), "08:00"))),
        event(3, at("2026-03-04T09:01"), set_completed("a", 1, 30)),
    ]
    told = adherence_of(events, at("2026-03-04T20:00"))
    assert [one.session_ids for one in told.due] == [(), (), ("a",)]


@pytest.mark.parametrize(
    ("prescribed_side", "done", "ratio"),
    [
        ("SIDE_LEFT", {"SIDE_LEFT": 10}, 1),
        ("SIDE_LEFT", {"SIDE_RIGHT": 10}, 0),
        ("SIDE_LEFT", {"SIDE_BOTH": 10}, 1),
        ("SIDE_LEFT", {"SIDE_UNSPECIFIED": 10}, 1),
        ("SIDE_BOTH", {"SIDE_LEFT": 10, "SIDE_RIGHT": 6}, Fraction(6, 10)),
        ("SIDE_BOTH", {"SIDE_BOTH": 4, "SIDE_LEFT": 6, "SIDE_RIGHT": 6}, 1),
        ("SIDE_UNSPECIFIED", {"SIDE_LEFT": 5, "SIDE_RIGHT": 5}, 1),
    ],
)
def test_a_side_counts_for_the_side_prescribed(prescribed_side, done, ratio):
    begin = at("2026-03-02T08:00")
    sets = [
        event(10 + i, begin, set_completed("s", i, reps, side=side))
        for i, (side, reps) in enumerate(done.items(), start=1)
    ]
    assert only_ratio(plan(item(sets=1, side=prescribed_side)), *sets) == ratio


def test_a_set_without_a_side_is_not_guessed_where_both_sides_are_prescribed_apart():
    items = (item(sets=1, side="SIDE_LEFT"), item(sets=1, side="SIDE_RIGHT"))
    done = event(10, at("2026-03-02T08:00"), set_completed("s", 1, 10))
    assert only_ratio(plan(*items), done) == 0


def test_the_same_exercise_prescribed_twice_at_one_time_is_one_dose():
    done = event(10, at("2026-03-02T08:00"), set_completed("s", 1, 10))
    assert only_ratio(plan(item(sets=1), item(sets=1)), done) == Fraction(1, 2)


def test_what_was_done_of_another_exercise_counts_for_nothing():
    done = event(10, at("2026-03-02T08:00"), set_completed("s", 1, 30, "squat"))
    assert only_ratio(plan(), done) == 0


def test_a_missed_window_breaks_the_streak_and_an_open_one_does_not():
    events = [plan(item(sets=1))]
    for n, day in enumerate((2, 3, 5, 6, 7)):
        begin = at(f"2026-03-0{day}T08:00")
        events += whole_session(10 * (n + 1), f"s{n}", begin, [10])
    told = adherence_of(events, at("2026-03-08T12:00"))
    assert (len(told.due), told.streak, told.longest_streak) == (6, 3, 3)


def test_an_answer_as_of_a_time_knows_nothing_later():
    events = [plan(), *whole_session(10, "s", at("2026-03-03T08:00"), [10, 10, 10])]
    assert adherence_of(events, at("2026-03-03T07:59")).sessions == 0
    revised = event(2, at("2026-03-05T00:00"), prescribed(version=2, effective_from="2026-03-02"))
    assert adherence_of([*events, revised], EVENING).due[0].occurrence.plan_version == 1


def test_a_window_of_days_ends_with_today_and_has_that_many_days():
    told = adherence_of([plan()], at("2026-03-20T21:00"), Days(7))
    assert [one.occurrence.local_date.day for one in told.due] == [14, 15, 16, 17, 18, 19, 20]


def test_an_occurrence_shows_the_same_whichever_days_are_asked_for():
    anytime = item(window_h=12, policy="COMPLETION_POLICY_ANYTIME")
    events = [plan(anytime)]
    for n in range(12):
        begin = at("2026-03-02T08:00") + timedelta(hours=7 * n)
        events += whole_session(10 * (n + 1), f"s{n}", begin, [10, 10, 10])
    as_of = at("2026-03-20T21:00")
    whole = {
        one.occurrence.local_date: one.session_ids
        for one in adherence_of(events, as_of, WholePlan()).due
    }
    for day, session_ids in whole.items():
        (one,) = adherence_of(events, as_of, DateRange(day, day)).due
        assert one.session_ids == session_ids


def test_a_week_with_a_pause_in_it_is_not_a_full_week():
    pause = body(
        plan={
            "plan_id": "plan-1",
            "version": 1,
            "paused": {"reason": "illness", "until": "2026-03-10T12:00:00Z"},
        }
    )
    events = [
        plan(sessions_per_week=7),
        event(2, at("2026-03-10T08:00"), pause),
        *whole_session(10, "s", at("2026-03-03T08:00"), [10, 10, 10]),
    ]
    window = DateRange(date(2026, 3, 2), date(2026, 3, 15))
    told = adherence_of(events, at("2026-03-16T12:00"), window)
    assert told.weekly_frequency == Fraction(1, 7)


def test_without_sessions_per_week_there_is_no_weekly_frequency():
    assert adherence_of([plan()], at("2026-03-30T12:00")).weekly_frequency is None


def test_a_session_in_which_nothing_was_done_is_no_session_of_the_week():
    events = [
        plan(sessions_per_week=1),
        event(2, at("2026-03-03T08:00"), started("s")),
    ]
    window = DateRange(date(2026, 3, 2), date(2026, 3, 8))
    assert adherence_of(events, at("2026-03-09T12:00"), window).weekly_frequency == 0


def test_coverage_is_absent_when_nothing_was_done_and_zero_when_nothing_was_scored():
    assert adherence_of([plan()], EVENING).scored_coverage is None
    unscored = event(10, at("2026-03-02T08:00"), observed("s", [rep(1, None)]))
    told = adherence_of([plan(), unscored], EVENING)
    assert (told.scored_coverage, told.quality_adjusted_dose) == (0, None)


def test_the_quality_adjusted_dose_is_at_most_one():
    reps = [rep(i, 90) for i in range(1, 21)]
    done = event(10, at("2026-03-02T08:00"), observed("s", reps))
    assert adherence_of([plan(item(sets=1)), done], EVENING).quality_adjusted_dose == 1


def test_a_fall_back_of_the_clock_makes_no_window_and_no_day_twice():
    plan_ = plan(item(times=["02:30"], window_h=3), effective_from="2026-10-24")
    told = adherence_of([plan_], at("2026-10-26T12:00"), Days(3))
    assert [one.occurrence.local_date.day for one in told.due] == [24, 25, 26]
