from __future__ import annotations

from datetime import date, timedelta

from rehab.events.v1 import event_pb2
from rehab_emr.domain import keys
from rehab_emr.domain.mapping import resource
from rehab_emr.domain.resource import Resource, Status
from rehab_emr.domain.subjects import WeekSubject
from tests.emr.domain.given import BEGIN, LINKS, history_of, of_kind, plan, session
from tests.emr.domain.test_session_resources import components
from tests.projections.given import at, event, event_id, facts, paused, prescribed

MONDAY = date(2026, 3, 2)
DAY = timedelta(days=1)


def weekly(
    events: list[event_pb2.Event], monday: date = MONDAY, *, again: bool = False
) -> Resource | None:
    history = history_of(events)
    return resource(history, history.key(keys.WEEK, WeekSubject(monday)), LINKS, again=again)


def test_a_week_tells_what_was_due_and_what_was_begun() -> None:
    made = weekly([plan(1), *session(10), *session(20, "s2", BEGIN + DAY)])
    assert made is not None
    assert made.content["effectivePeriod"] == {"start": "2026-03-02", "end": "2026-03-08"}
    assert made.content["valueQuantity"]["value"] == round(200 / 7, 4)
    assert components(made) == {
        "sessions-due": 7,
        "sessions-begun": 2,
        "sessions-full": 2,
        "sessions": 2,
        "dose": round(200 / 7, 4),
    }


def test_a_week_is_derived_from_its_sessions_and_rests_on_their_events_and_the_plan() -> None:
    events = [plan(1), *session(10), *session(20, "s2", BEGIN + 7 * DAY)]
    made = weekly(events)
    assert made is not None
    assert len(made.content["derivedFrom"]) == 1
    assert set(made.event_ids) == {event_id(n) for n in (1, 10, 11, 12, 13)}
    assert "plan" in made.event_kinds


def test_a_week_in_which_nothing_was_done_is_0_per_cent() -> None:
    made = weekly([plan(1)])
    assert made is not None
    assert made.content["valueQuantity"]["value"] == 0
    assert "derivedFrom" not in made.content


def test_a_week_in_which_nothing_was_due_is_not_0_per_cent() -> None:
    made = weekly(session(10))
    assert made is not None
    assert "valueQuantity" not in made.content
    reason = made.content["dataAbsentReason"]["coding"][0]["code"]
    assert reason == "not-applicable"


def test_an_empty_week_is_not_told_of() -> None:
    assert weekly([plan(1)], MONDAY + 21 * DAY) is None
    events = [plan(1), event(2, BEGIN, paused())]
    assert weekly(events, MONDAY + 7 * DAY) is None


def test_a_prescription_names_the_weeks_it_is_for_before_they_begin() -> None:
    history = history_of([plan(1)])
    mondays = {history.subject(key) for key in of_kind(history, keys.WEEK)}
    assert mondays == {WeekSubject(MONDAY), WeekSubject(MONDAY + 7 * DAY)}


def test_a_prescription_without_an_end_names_half_a_year() -> None:
    history = history_of([event(1, BEGIN, prescribed(effective_from="2026-03-02"))])
    assert len(of_kind(history, keys.WEEK)) == 27


def test_a_week_is_ready_when_the_last_window_that_began_in_it_has_ended() -> None:
    history = history_of([plan(1)])
    key = history.key(keys.WEEK, WeekSubject(MONDAY))
    assert history.ready_at(key) == at("2026-03-09T00:00:00+01:00")
    wide = prescribed(
        {
            "exercise_id": "walk",
            "duration": {"minutes": 10},
            "schedule": {"times": ["20:00"], "window_h": 24},
        }
    )
    history = history_of([event(1, BEGIN, wide)])
    key = history.key(keys.WEEK, WeekSubject(MONDAY))
    assert history.ready_at(key) == at("2026-03-09T20:00:00+01:00")


def test_a_late_session_amends_the_week() -> None:
    before = weekly([plan(1), *session(10)])
    after = weekly([plan(1), *session(10), *session(20, "s2", BEGIN + DAY)], again=True)
    assert before is not None
    assert after is not None
    assert before.key == after.key
    assert before.digest != after.digest
    assert after.status is Status.AMENDED


def test_a_session_touches_the_week_before_as_well_as_its_own() -> None:
    """A window of Sunday evening may be met on Monday."""
    history = history_of([plan(1)])
    told = history_of([plan(1)])
    (first, *_) = facts(session(10, "s", BEGIN + 7 * DAY))
    touched = told.step(first)
    assert {told.subject(key) for key in touched if key.kind == keys.WEEK} == {
        WeekSubject(MONDAY),
        WeekSubject(MONDAY + 7 * DAY),
    }
    assert of_kind(history, keys.WEEK) == sorted(k for k in touched if k.kind == keys.WEEK)


def test_a_pause_touches_every_week_and_weeks_that_are_over_do_not_rest_on_it() -> None:
    history = history_of([plan(1)])
    when = BEGIN + 9 * DAY
    (_, pausing) = facts([plan(1), event(2, when, paused())])
    touched = history.step(pausing)
    assert {history.subject(key) for key in touched} == {
        WeekSubject(MONDAY),
        WeekSubject(MONDAY + 7 * DAY),
    }
    over = resource(history, history.key(keys.WEEK, WeekSubject(MONDAY)), LINKS)
    assert over is not None
    assert over.event_ids == (event_id(1),)


def test_a_week_whose_only_session_was_of_another_is_entered_in_error() -> None:
    events = session(10)
    moved = session(20, "s2", BEGIN + 14 * DAY)
    for wrong, right in zip(events, moved, strict=True):
        right.envelope.corrects = wrong.envelope.event_id
    made = weekly([*events, *moved], again=True)
    assert made is not None
    assert made.status is Status.ENTERED_IN_ERROR
    assert "valueQuantity" not in made.content
    assert "derivedFrom" not in made.content
