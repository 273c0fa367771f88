from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from rehab_emr.domain import keys
from rehab_emr.domain.links import Options
from rehab_emr.domain.mapping import resource
from rehab_emr.domain.resource import Status
from rehab_emr.domain.validation import problems
from tests.emr.domain.given import (
    BEGIN,
    LINKS,
    history_of,
    of_kind,
    only,
    pressure,
    quantity,
    sample,
    samples,
    sleep,
    spread,
    workout,
)
from tests.emr.domain.test_session_resources import components
from tests.projections.given import at, body, event, event_id

MINUTE = timedelta(minutes=1)


def test_a_blood_pressure_is_a_panel_of_two_components_without_a_value() -> None:
    made = only(
        history_of([samples(1, "blood_pressure", sample(BEGIN, **pressure(128.5, 82)))]), keys.VITAL
    )
    assert made.content["meta"]["profile"] == ["http://hl7.org/fhir/StructureDefinition/bp"]
    assert components(made) == {"8480-6": 128.5, "8462-4": 82}
    assert not any(name.startswith("value") or name == "hasMember" for name in made.content)
    assert made.content["effectiveDateTime"] == "2026-03-02T08:00:00+01:00"


@pytest.mark.parametrize(
    ("metric", "ucum", "code"),
    [
        ("weight", "kg", "29463-7"),
        ("weight_body_mass", "[lb_av]", "29463-7"),
        ("body_temperature", "Cel", "8310-5"),
        ("blood_oxygen_saturation", "%", "2708-6"),
        ("resting_heart_rate", "/min", "40443-4"),
    ],
)
def test_a_single_reading_is_an_observation(metric: str, ucum: str, code: str) -> None:
    made = only(history_of([samples(1, metric, sample(BEGIN, **quantity(36.6, ucum)))]), keys.VITAL)
    assert made.content["code"]["coding"][0]["code"] == code
    assert made.content["valueQuantity"]["value"] == 36.6
    assert made.content["valueQuantity"]["code"] == ucum
    assert problems(made.content) == ()


@pytest.mark.parametrize("ucum", ["", "Hz", "[degF]"])
def test_a_reading_in_a_unit_that_may_not_be_is_not_sent(ucum: str) -> None:
    history = history_of([samples(1, "weight", sample(BEGIN, **quantity(80, ucum)))])
    assert resource(history, *of_kind(history, keys.VITAL), LINKS) is None


def test_a_reading_told_again_in_a_unit_that_may_not_be_is_entered_in_error() -> None:
    told = [
        samples(1, "weight", sample(BEGIN, **quantity(80, "kg"))),
        samples(2, "weight", sample(BEGIN, **quantity(80, ""))),
    ]
    assert only(history_of(told[:1]), keys.VITAL).status is Status.FINAL
    made = only(history_of(told), keys.VITAL, again=True)
    assert made.status is Status.ENTERED_IN_ERROR


def test_a_metric_without_a_code_has_no_key() -> None:
    history = history_of([samples(1, "handwashing", sample(BEGIN, **quantity(20, "s")))])
    assert history.keys() == frozenset()


def test_the_same_reading_told_twice_is_one_resource() -> None:
    told = sample(BEGIN, **quantity(80, "kg"))
    history = history_of([samples(1, "weight", told), samples(2, "body_mass", told)])
    assert only(history, keys.VITAL).event_ids == (event_id(1), event_id(2))


def test_of_several_values_of_one_reading_the_last_received_counts() -> None:
    history = history_of(
        [
            samples(1, "weight", sample(BEGIN, **quantity(80, "kg"))),
            samples(2, "weight", sample(BEGIN, **quantity(81, "kg"))),
        ]
    )
    assert only(history, keys.VITAL, again=True).content["valueQuantity"]["value"] == 81


def test_heart_rate_is_told_by_the_day_with_its_spread() -> None:
    history = history_of(
        [
            samples(
                1,
                "heart_rate",
                sample(BEGIN, **spread(58, 60, 66)),
                sample(BEGIN + MINUTE, **spread(60, 70, 90)),
                sample(BEGIN + timedelta(days=1), **spread(50, 50, 50)),
            )
        ]
    )
    first, second = (resource(history, key, LINKS) for key in of_kind(history, keys.DAY))
    assert first is not None
    assert second is not None
    made = min(first, second, key=lambda one: str(one.content["effectiveDateTime"]))
    assert made.content["effectiveDateTime"] == "2026-03-02"
    assert made.content["valueQuantity"]["value"] == 65
    assert components(made) == {"lowest": 58, "highest": 90}


def test_steps_are_told_as_the_total_of_a_day() -> None:
    history = history_of(
        [
            samples(
                1,
                "step_count",
                sample(BEGIN, end=BEGIN + MINUTE, **quantity(40, "{count}")),
                sample(BEGIN + MINUTE, end=BEGIN + 2 * MINUTE, **quantity(60.5, "{count}")),
            )
        ]
    )
    made = only(history, keys.DAY)
    assert made.content["valueQuantity"] == {
        "value": 100.5,
        "unit": "steps",
        "system": "http://unitsofmeasure.org",
        "code": "{steps}",
    }
    assert made.content["effectivePeriod"] == {"start": "2026-03-02", "end": "2026-03-02"}


def test_a_day_is_the_local_one_and_ready_when_it_is_over() -> None:
    late = at("2026-03-02T23:30:00-10:00")
    told = samples(1, "step_count", sample(late, **quantity(5, "{count}")), zone="Pacific/Honolulu")
    history = history_of([told])
    made = only(history, keys.DAY)
    assert made.content["effectivePeriod"]["start"] == "2026-03-02"
    assert history.ready_at(made.key) == at("2026-03-03T00:00:00-10:00")


def test_a_reading_by_the_minute_is_sent_only_where_it_was_asked_for() -> None:
    history = history_of([samples(1, "heart_rate", sample(BEGIN, **spread(58, 60, 66)))])
    assert keys.READING not in LINKS.options.kinds
    links = replace(LINKS, options=Options(readings=True))
    assert keys.READING in links.options.kinds
    made = only(history, keys.READING, links)
    assert made.content["code"]["coding"][0]["code"] == "8867-4"
    assert components(made) == {"lowest": 58, "highest": 66}


def test_a_night_is_told_with_its_stages_in_minutes() -> None:
    history = history_of([sleep(1)])
    made = only(history, keys.SLEEP)
    assert made.content["valueQuantity"]["value"] == 7.25 * 60
    told = {"93831-6": 75, "93830-8": 270, "93829-0": 90, "awake-time": 45}
    assert components(made) == told
    assert made.content["effectivePeriod"]["start"] == "2026-03-01T23:00:00+01:00"


def test_a_workout_tells_what_is_known_and_no_route() -> None:
    made = only(history_of([workout(1)]), keys.WORKOUT)
    assert made.content["valueCodeableConcept"] == {"text": "walking"}
    assert components(made) == {
        "55411-3": 32,
        "55424-6": 121.5,
        "distance": 2.4,
        "55425-3": 104,
        "55426-1": 120,
    }


def test_the_heart_rate_of_a_recovery_is_none_of_the_workout() -> None:
    told = workout(1)
    told.body.workout.heart_rate_is_recovery = True
    assert "55426-1" not in components(only(history_of([told]), keys.WORKOUT))


def test_an_activity_of_control_characters_is_a_workout() -> None:
    told = workout(1)
    told.body.workout.activity = "\x00\n "
    made = only(history_of([told]), keys.WORKOUT)
    assert made.content["valueCodeableConcept"] == {"text": "workout"}
    assert problems(made.content) == ()


def test_no_name_of_a_source_leaves() -> None:
    told = sample(BEGIN, **quantity(80, "kg"))
    told["sources"] = ["Ottoline's Watch"]
    history = history_of([samples(1, "weight", told)])
    assert "Ottoline" not in str(only(history, keys.VITAL).content)


def test_a_reading_of_an_impossible_time_is_left_out_and_spoils_no_other() -> None:
    impossible = {**sample(BEGIN, **quantity(80, "kg")), "start": "9999-12-31T23:59:59Z"}
    told = sample(BEGIN, **quantity(79, "kg"))
    made = only(history_of([samples(1, "weight", impossible, told)]), keys.VITAL)
    assert made.content["valueQuantity"]["value"] == 79


def test_a_day_of_readings_that_were_corrected_away_is_entered_in_error() -> None:
    wrong = samples(1, "step_count", sample(BEGIN, **quantity(9000, "{count}")))
    right = body(
        health_samples={"metric": "weight", "samples": [sample(BEGIN, **quantity(80, "kg"))]}
    )
    history = history_of([wrong, event(2, BEGIN, right, corrects=event_id(1))])
    made = only(history, keys.DAY, again=True)
    assert made.status is Status.ENTERED_IN_ERROR
    assert made.content["dataAbsentReason"]["coding"][0]["code"] == "error"
    assert "9000" not in str(made.content)
