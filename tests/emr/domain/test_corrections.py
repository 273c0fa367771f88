from __future__ import annotations

from datetime import timedelta

import pytest

from rehab.events.v1 import event_pb2
from rehab_emr.domain import keys
from rehab_emr.domain.history import History
from rehab_emr.domain.keys import ResourceKey
from rehab_emr.domain.mapping import resource
from rehab_emr.domain.resource import Status
from rehab_emr.domain.validation import problems
from tests.emr.domain.given import BEGIN, LINKS, history_of, of_kind, only, pain, session
from tests.emr.domain.test_session_resources import components
from tests.projections.given import body, event, event_id, facts


def test_a_pain_goes_by_the_id_of_its_report() -> None:
    made = only(history_of([pain(7, 4)]), keys.PAIN)
    assert made.key == ResourceKey(keys.PAIN, event_id(7))
    assert made.content["valueQuantity"]["value"] == 4
    assert made.content["code"]["coding"][0]["code"] == "72514-3"
    assert made.content["bodySite"]["text"] == "left knee"
    assert components(made) == {"pain-phase": "pre"}


def test_a_pain_of_0_is_told() -> None:
    assert only(history_of([pain(1, 0)]), keys.PAIN).content["valueQuantity"]["value"] == 0


def test_a_correction_amends_the_resource_of_what_it_corrects() -> None:
    history = history_of([pain(1, 8), pain(2, 3, corrects=event_id(1))])
    made = only(history, keys.PAIN, again=True)
    assert made.key.id == event_id(1)
    assert made.status is Status.AMENDED
    assert made.content["valueQuantity"]["value"] == 3
    assert made.event_ids == (event_id(2),)


def test_a_correction_of_a_correction_amends_the_same_resource() -> None:
    events = [pain(1, 8), pain(2, 3, corrects=event_id(1)), pain(3, 5, corrects=event_id(2))]
    made = only(history_of(events), keys.PAIN, again=True)
    assert made.key.id == event_id(1)
    assert made.content["valueQuantity"]["value"] == 5


def test_a_correction_that_comes_first_is_the_last_word() -> None:
    history = history_of([pain(2, 3, corrects=event_id(1)), pain(1, 8)])
    made = only(history, keys.PAIN)
    assert (made.key.id, made.content["valueQuantity"]["value"]) == (event_id(1), 3)


def test_two_events_that_correct_each_other_end_no_fold() -> None:
    history = history_of([pain(1, 8, corrects=event_id(2)), pain(2, 3, corrects=event_id(1))])
    made = [resource(history, key, LINKS, again=True) for key in of_kind(history, keys.PAIN)]
    assert [one.status for one in made if one] == [Status.ENTERED_IN_ERROR] * len(made)


def test_what_was_corrected_away_is_entered_in_error_and_keeps_no_value() -> None:
    history = history_of([pain(1, 8), *_of_another_kind(2, corrects=1)])
    made = only(history, keys.PAIN, again=True)
    assert made.status is Status.ENTERED_IN_ERROR
    assert "valueQuantity" not in made.content
    assert "bodySite" not in made.content
    assert made.content["dataAbsentReason"]["coding"][0]["code"] == "error"
    assert made.event_ids == (event_id(1),)
    assert problems(made.content) == ()


def test_a_correction_touches_what_it_corrects_and_what_it_tells() -> None:
    history = History.empty()
    first, second = facts([pain(1, 8), *_of_another_kind(2, corrects=1)])
    told = history.step(first)
    assert history.step(second) == {
        *(key for key in told),
        *(key for key in history.keys() if key.kind == keys.VITAL),  # noqa: SIM118
    }


def test_a_session_forgets_what_was_corrected_in_it() -> None:
    events = session(1)
    seen = events[1]
    again = session(50)[1]
    del again.body.rep_observation.reps[1:]
    again.envelope.corrects = seen.envelope.event_id
    summary = session(60)[2]
    summary.body.exercise_session.set_completed.reps = 1
    summary.envelope.corrects = events[2].envelope.event_id
    made = only(history_of([*events, again, summary]), keys.SESSION_EXERCISE, again=True)
    assert components(made)["repetitions"] == 1


def test_an_exercise_that_was_of_the_other_side_is_entered_in_error_on_this_one() -> None:
    events = session(1)
    right = session(50)[1:3]
    for one, wrong in zip(right, events[1:3], strict=True):
        one.envelope.corrects = wrong.envelope.event_id
    right[0].body.rep_observation.side = 2
    right[1].body.exercise_session.set_completed.side = 2
    history = history_of([*events, *right])
    made = [
        resource(history, key, LINKS, again=True) for key in of_kind(history, keys.SESSION_EXERCISE)
    ]
    assert sorted(one.status for one in made if one) == [Status.AMENDED, Status.ENTERED_IN_ERROR]
    panel = only(history, keys.SESSION, again=True)
    assert len(panel.members) == 2, "the duration and the exercise that was done"


def test_erasure_leaves_nothing() -> None:
    history = history_of([pain(1, 8), *session(10)])
    done = body(erasure={"stage": "ERASURE_STAGE_DONE"})
    (erased,) = facts([event(90, BEGIN, done)])
    assert history.step(erased) == frozenset()
    assert history.erased
    assert history.keys() == frozenset()
    (after,) = facts([pain(91, 2)])
    assert history.step(after) == frozenset()
    assert history.keys() == frozenset()


def test_a_request_for_erasure_erases_nothing() -> None:
    asked = body(erasure={"stage": "ERASURE_STAGE_REQUESTED"})
    history = history_of([pain(1, 8), event(2, BEGIN, asked)])
    assert not history.erased
    assert only(history, keys.PAIN).content["valueQuantity"]["value"] == 8


def test_an_event_of_no_resource_touches_none() -> None:
    history = History.empty()
    (told,) = facts([event(1, BEGIN, body(message={"message_id": "m", "read": {}}))])
    assert history.step(told) == frozenset()
    assert history.keys() == frozenset()


def test_a_plan_that_cannot_be_changes_nothing() -> None:
    history = history_of(session(1))
    before = history.keys()
    wrong = body(
        plan={
            "plan_id": "p",
            "version": 1,
            "prescribed": {"effective_from": "2026-02-31", "zone": "Europe/Berlin", "items": []},
        }
    )
    (told,) = facts([event(9, BEGIN + timedelta(days=1), wrong)])
    with pytest.raises(ValueError, match="day is out of range"):
        history.step(told)
    assert history.keys() == before
    assert only(history, keys.SESSION).content["status"] == "final"


def _of_another_kind(number: int, corrects: int) -> list[event_pb2.Event]:
    reading = {"value": 80, "unit": "kg", "canonical_value": 80, "ucum": "kg"}
    told = {"metric": "weight", "samples": [{"start": BEGIN.isoformat(), "quantity": reading}]}
    return [event(number, BEGIN, body(health_samples=told), corrects=event_id(corrects))]
