from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from rehab_emr.domain import keys
from rehab_emr.domain.links import Options
from rehab_emr.domain.mapping import resource
from rehab_emr.domain.resource import Resource, Status
from tests.emr.domain.given import (
    BEGIN,
    HEEL_SLIDE,
    LINKS,
    by_phone,
    history_of,
    of_kind,
    only,
    session,
)
from tests.projections.given import at, body, event, observed, rep, set_completed, started

HOUR = timedelta(hours=1)


def components(made: Resource) -> dict[str, object]:
    """Values of components by our own code."""
    told: dict[str, object] = {}
    for one in made.content["component"]:
        value = one.get("valueQuantity", {}).get("value")
        if value is None:
            value = one["valueCodeableConcept"]["coding"][0]["code"]
        told[one["code"]["coding"][-1]["code"]] = value
    return told


def test_a_session_is_a_panel_of_its_duration_and_its_exercises() -> None:
    history = history_of(session(1))
    made = only(history, keys.SESSION)
    assert made.members == (
        *of_kind(history, keys.SESSION_DURATION),
        *of_kind(history, keys.SESSION_EXERCISE),
    )
    assert [one["identifier"]["value"] for one in made.content["hasMember"]] == [
        key.id for key in made.members
    ]
    assert not any(name.startswith("value") for name in made.content)
    assert made.content["effectivePeriod"] == {
        "start": "2026-03-02T08:00:00+01:00",
        "end": "2026-03-02T08:03:00+01:00",
    }
    assert components(made) == {"session-status": "completed"}


def test_a_session_rests_on_all_of_its_events() -> None:
    events = session(1)
    made = only(history_of(events), keys.SESSION)
    assert made.event_ids == tuple(one.envelope.event_id for one in events)
    assert made.event_kinds == {"exercise_session", "rep_observation"}


def test_a_duration_is_told_in_minutes() -> None:
    made = only(history_of(session(1)), keys.SESSION_DURATION)
    assert made.content["valueQuantity"]["value"] == 10
    assert made.content["valueQuantity"]["code"] == "min"


def test_an_exercise_tells_its_amount_and_form() -> None:
    made = only(history_of(session(1)), keys.SESSION_EXERCISE)
    assert made.content["valueCodeableConcept"]["coding"][0]["code"] == HEEL_SLIDE
    assert components(made) == {
        "sets": 1,
        "side": "left",
        "repetitions": 3,
        "scored-repetitions": 3,
        "good-repetitions": 3,
        "form-score": 80,
    }


def test_a_range_of_motion_is_the_90th_percentile_of_the_joint_on_its_side() -> None:
    made = only(history_of(session(1)), keys.ROM)
    codings = made.content["code"]["coding"]
    assert [one["code"] for one in codings] == ["41343-5", "range-of-motion"]
    assert made.content["valueQuantity"]["value"] == 92.8
    assert made.content["bodySite"]["coding"][0]["code"] == "82169009"
    told = components(made)
    assert told["range-of-motion-median"] == 92
    assert (told["lowest-angle"], told["highest-angle"]) == (5, 98)
    assert made.content["derivedFrom"][0]["identifier"]["value"] == (
        only(history_of(session(1)), keys.SESSION).key.id
    )


def test_codes_of_secondary_sources_are_left_out_when_only_checked_ones_are_wanted() -> None:
    links = replace(LINKS, options=Options(checked_codes_only=True))
    made = only(history_of(session(1)), keys.ROM, links)
    assert [one["code"] for one in made.content["code"]["coding"]] == ["range-of-motion"]
    assert made.content["bodySite"] == {"text": "left knee"}


def test_a_squat_measures_no_flexion_of_the_knee() -> None:
    seen = [rep(1, joints=[{"joint": "knee_left", "min_deg": 0, "max_deg": 60, "rom_deg": 60}])]
    history = history_of([event(1, BEGIN, observed("s", seen, exercise="mini_squat"))])
    made = only(history, keys.ROM)
    assert [one["code"] for one in made.content["code"]["coding"]] == ["range-of-motion"]


def test_a_series_has_one_sample_a_repetition_and_an_e_where_none_was_measured() -> None:
    unmeasured = {"index": 2, "duration_ms": 900, "confidence": 0.5, "score": 71}
    seen = [
        rep(1, rom_deg=91.257, start_ms=0),
        {**unmeasured, "start_ms": 4000},
        rep(4, rom_deg=88.0, start_ms=12000),
    ]
    history = history_of([event(1, BEGIN, observed("s", seen))])
    told = only(history, keys.REP_SERIES).content["valueSampledData"]
    assert told["data"] == "91.26 E E 88"
    assert told["period"] == 6000
    assert told["dimensions"] == 1


def test_a_session_that_nobody_ended_is_ready_a_day_after_its_last_event() -> None:
    events = session(1)[:-1]
    history = history_of(events)
    (key,) = of_kind(history, keys.SESSION)
    assert history.ready_at(key) == BEGIN + timedelta(minutes=2, hours=24)
    assert components(only(history, keys.SESSION)) == {"session-status": "open"}
    assert resource(history, *of_kind(history, keys.SESSION_DURATION), LINKS) is None


def test_a_session_that_ended_is_ready_at_once() -> None:
    history = history_of(session(1))
    for kind in (keys.SESSION, keys.SESSION_EXERCISE, keys.ROM):
        (key,) = of_kind(history, kind)
        assert history.ready_at(key) == BEGIN + timedelta(minutes=3)


def test_a_session_that_was_told_afterwards_lasts_as_long_as_its_sets() -> None:
    sets = [{"exercise_id": HEEL_SLIDE, "set_index": 1, "reps": 10, "duration_s": 90}]
    told = {"started_at": "2026-03-02T07:00:00Z", "sets": sets}
    content = body(exercise_session={"session_id": "s", "self_reported": told})
    made = only(history_of([event(1, BEGIN + timedelta(hours=9), content)]), keys.SESSION)
    assert made.content["effectivePeriod"] == {
        "start": "2026-03-02T08:00:00+01:00",
        "end": "2026-03-02T08:01:30+01:00",
    }
    assert components(made) == {"session-status": "self-reported"}


def test_the_device_is_told_once_and_referred_to() -> None:
    history = history_of([*session(1), *session(10, "s2", BEGIN + timedelta(days=1))])
    device = only(history, keys.DEVICE)
    assert device.content["deviceName"][0] == {"name": "RehabTrack Phone", "type": "other"}
    assert [one["value"] for one in device.content["version"]] == ["1.4.2", "Android 16"]
    for key in of_kind(history, keys.SESSION):
        made = resource(history, key, LINKS)
        assert made is not None
        assert made.content["device"]["identifier"]["value"] == device.key.id
        assert device.key in made.references


def test_no_device_is_told_of_where_none_is_wanted() -> None:
    links = replace(LINKS, options=Options(devices=False))
    made = only(history_of(session(1)), keys.SESSION, links)
    assert "device" not in made.content
    assert keys.DEVICE not in links.options.kinds


def test_the_same_events_give_the_same_bytes() -> None:
    first, second = history_of(session(1)), history_of(session(1))
    assert only(first, keys.SESSION).json == only(second, keys.SESSION).json


def test_what_comes_late_amends_a_session_that_may_have_arrived() -> None:
    events = session(1)
    history = history_of(events)
    before = only(history, keys.SESSION_EXERCISE)
    late = by_phone(
        event(
            9, BEGIN + timedelta(hours=2), set_completed("s1", 2, 8, HEEL_SLIDE, side="SIDE_LEFT")
        )
    )
    after = only(history_of([*events, late]), keys.SESSION_EXERCISE, again=True)
    assert (before.status, after.status) == (Status.FINAL, Status.AMENDED)
    assert before.key == after.key
    assert before.digest != after.digest
    assert components(after)["repetitions"] == 11


def test_a_session_told_again_word_for_word_is_no_news() -> None:
    history = history_of(session(1))
    first, second = only(history, keys.SESSION), only(history, keys.SESSION, again=True)
    assert first.digest == second.digest
    assert first.json != second.json


def test_a_session_of_nothing_but_a_start_has_no_members() -> None:
    made = only(history_of([event(1, BEGIN, started("s"))]), keys.SESSION)
    assert "hasMember" not in made.content


def test_times_are_told_with_the_offset_of_where_it_happened() -> None:
    begin = at("2026-07-01T23:30:00Z")
    history = history_of([event(1, begin, started("s"), zone="Pacific/Honolulu")])
    made = only(history, keys.SESSION)
    assert made.content["effectivePeriod"]["start"] == "2026-07-01T13:30:00-10:00"
