from __future__ import annotations

from datetime import timedelta

import pytest
from rehab_clinical.occurrences import Occurrence, occurrences

from rehab_projections.domain.history import fold
from tests.projections.ask import day, history_of
from tests.projections.given import (
    at,
    ended,
    event,
    facts,
    item,
    paused,
    prescribed,
    resumed,
)

LONG_BEFORE = at("2026-01-01T09:00")


def due_windows(*events, last: str) -> list[Occurrence]:
    return occurrences(history_of(events).care.plans, day("2026-01-01"), day(last))


def slots(*events, last: str) -> list[str]:
    return [f"{o.local_date} {o.slot}" for o in due_windows(*events, last=last)]


def test_an_item_is_due_on_its_weekdays_at_each_of_its_times():
    plan = prescribed(item(weekdays=[1, 3], times=["08:00", "18:00"], window_h=4))
    assert slots(event(1, LONG_BEFORE, plan), last="2026-03-08") == [
        "2026-03-02 08:00",
        "2026-03-02 18:00",
        "2026-03-04 08:00",
        "2026-03-04 18:00",
    ]


def test_items_due_at_the_same_time_are_one_occurrence_that_lasts_as_long_as_its_longest_item():
    plan = prescribed(item(window_h=4), item("squat", window_h=10))
    (window,) = due_windows(event(1, LONG_BEFORE, plan), last="2026-03-02")
    assert [due.item.exercise_id for due in window.items] == ["knee_flexion", "squat"]
    assert window.ends_at - window.starts_at == timedelta(hours=10)


def test_a_local_time_is_an_instant_of_the_plans_zone():
    plan = prescribed(zone="America/Los_Angeles")
    (window,) = due_windows(event(1, LONG_BEFORE, plan), last="2026-03-02")
    assert window.starts_at == at("2026-03-02T16:00")


def test_a_time_that_the_clock_skips_is_moved_on_by_the_gap():
    plan = prescribed(item(times=["02:30"], window_h=4), effective_from="2026-03-29")
    (window,) = due_windows(event(1, LONG_BEFORE, plan), last="2026-03-29")
    assert window.starts_at == at("2026-03-29T01:30")
    assert window.ends_at == at("2026-03-29T05:30")


def test_of_a_time_that_comes_twice_the_first_is_meant():
    plan = prescribed(item(times=["02:30"], window_h=4), effective_from="2026-10-25")
    (window,) = due_windows(event(1, LONG_BEFORE, plan), last="2026-10-25")
    assert window.starts_at == at("2026-10-25T00:30")


def test_a_window_lasts_its_hours_although_the_day_is_shorter():
    plan = prescribed(item(times=["00:00"], window_h=23), effective_from="2026-03-29")
    first, second = due_windows(event(1, LONG_BEFORE, plan), last="2026-03-30")
    assert first.ends_at == second.starts_at == at("2026-03-29T22:00")


def test_an_unknown_zone_of_a_plan_falls_back_to_the_patients():
    plan = prescribed(zone="Mars/Olympus")
    book = history_of([event(1, LONG_BEFORE, plan)]).care.plans
    (window,) = occurrences(book, day("2026-03-01"), day("2026-03-02"), "Asia/Tokyo")
    assert window.starts_at == at("2026-03-01T23:00")


def test_a_revision_takes_effect_on_its_first_local_day_and_not_before():
    revision = prescribed(version=2, effective_from="2026-03-04")
    found = due_windows(
        event(1, LONG_BEFORE, prescribed()), event(2, LONG_BEFORE, revision), last="2026-03-05"
    )
    assert [(o.local_date.day, o.plan_version) for o in found] == [(2, 1), (3, 1), (4, 2), (5, 2)]


def test_a_revision_that_begins_earlier_than_the_one_before_it_replaces_it_whole():
    second = prescribed(version=2, effective_from="2026-03-04")
    third = prescribed(version=3, effective_from="2026-03-03")
    found = due_windows(
        *(event(i, LONG_BEFORE, plan) for i, plan in enumerate((third, prescribed(), second), 1)),
        last="2026-03-05",
    )
    assert [(o.local_date.day, o.plan_version) for o in found] == [(2, 1), (3, 3), (4, 3), (5, 3)]


def test_nothing_is_due_after_the_last_effective_day():
    plan = prescribed(effective_until="2026-03-03")
    assert len(slots(event(1, LONG_BEFORE, plan), last="2026-03-31")) == 2


def test_a_version_that_ended_does_not_bring_back_the_one_before_it():
    revision = prescribed(version=2, effective_from="2026-03-03", effective_until="2026-03-03")
    found = slots(
        event(1, LONG_BEFORE, prescribed()), event(2, LONG_BEFORE, revision), last="2026-03-09"
    )
    assert found == ["2026-03-02 08:00", "2026-03-03 08:00"]


def test_a_window_that_touches_a_pause_is_not_due():
    found = slots(
        event(1, LONG_BEFORE, prescribed()),
        event(2, at("2026-03-03T12:00"), paused()),
        event(3, at("2026-03-05T12:00"), resumed()),
        last="2026-03-06",
    )
    assert found == ["2026-03-02 08:00", "2026-03-06 08:00"]


def test_a_pause_ends_by_itself_when_its_time_has_passed():
    found = slots(
        event(1, LONG_BEFORE, prescribed()),
        event(2, at("2026-03-03T00:00"), paused("2026-03-04T00:00:00Z")),
        last="2026-03-05",
    )
    assert found == ["2026-03-02 08:00", "2026-03-04 08:00", "2026-03-05 08:00"]


def test_a_second_pause_moves_the_end_of_the_first():
    found = slots(
        event(1, LONG_BEFORE, prescribed()),
        event(2, at("2026-03-03T00:00"), paused("2026-03-06T00:00:00Z")),
        event(3, at("2026-03-03T01:00"), paused("2026-03-04T00:00:00Z")),
        last="2026-03-04",
    )
    assert found == ["2026-03-02 08:00", "2026-03-04 08:00"]


def test_a_resumption_that_arrives_before_its_pause_still_ends_it():
    events = [
        event(3, at("2026-03-03T06:30"), resumed()),
        event(2, at("2026-03-03T00:00"), paused()),
        event(1, LONG_BEFORE, prescribed()),
    ]
    assert "2026-03-03 08:00" in slots(*events, last="2026-03-03")


def test_a_window_still_open_when_the_plan_ends_is_not_due_but_one_that_ended_before_is():
    found = slots(
        event(1, LONG_BEFORE, prescribed()),
        event(2, at("2026-03-03T19:00"), ended()),
        last="2026-03-09",
    )
    assert found == ["2026-03-02 08:00", "2026-03-03 08:00"]
    found = slots(
        event(1, LONG_BEFORE, prescribed()),
        event(2, at("2026-03-03T18:59"), ended()),
        last="2026-03-09",
    )
    assert found == ["2026-03-02 08:00"]


def test_a_prescription_made_after_the_end_begins_the_plan_anew():
    again = prescribed(version=2, effective_from="2026-03-05")
    found = slots(
        event(1, LONG_BEFORE, prescribed()),
        event(2, at("2026-03-03T00:00"), ended()),
        event(3, at("2026-03-04T00:00"), again),
        last="2026-03-05",
    )
    assert found == ["2026-03-02 08:00", "2026-03-05 08:00"]


def test_two_plans_are_due_side_by_side():
    shoulder = prescribed(item("shoulder_raise", times=["09:00"]), plan="plan-2")
    found = slots(
        event(1, LONG_BEFORE, prescribed()), event(2, LONG_BEFORE, shoulder), last="2026-03-02"
    )
    assert found == ["2026-03-02 08:00", "2026-03-02 09:00"]


def test_what_is_prescribed_later_is_not_known_before():
    book = history_of([event(1, at("2026-03-05T00:00"), prescribed())]).care.plans
    assert not book.as_of(at("2026-03-04T23:59")).versions
    assert book.as_of(at("2026-03-05T00:00")).versions


@pytest.mark.parametrize(
    "plan",
    [
        prescribed(item(times=["25:00"])),
        prescribed(effective_from="2026-02-30"),
        prescribed(effective_until="2026-13-01"),
    ],
)
def test_a_plan_with_a_day_or_time_that_does_not_exist_cannot_be_folded(plan):
    with pytest.raises(ValueError, match=r"."):
        fold(facts([event(1, LONG_BEFORE, plan)]))
