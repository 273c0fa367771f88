"""Which of several told values counts, whatever the order and however often they are told."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from rehab_clinical.facts import Fact
from rehab_clinical.vitals import Counted, Reading, counted, readings_of, united

from rehab.events.v1 import event_pb2
from tests.projections.given import at, body, event, facts
from tests.projections.given_care import heart_rate, iso, pressure, sample, samples, segment, slept

NOON = at("2026-03-02T12:00")


def told(*contents: event_pb2.Body) -> list[Counted]:
    events = [event(n, NOON, content) for n, content in enumerate(contents, 1)]
    return counted(folded(facts(events)).values())


def folded(these: list[Fact], known: Any = None) -> Any:
    return united((one for fact in these for one in readings_of(fact)), known)


def test_of_a_growing_bucket_the_greatest_value_counts_and_the_drop_is_told():
    grown = [samples(sample(NOON, value, minutes=60)) for value in (100, 250, 180)]
    (one,) = told(*grown)
    assert (one.reading.value, one.versions, one.dropped) == (250, 3, True)
    (rising,) = told(*grown[:2])
    assert not rising.dropped


def test_of_a_gauge_the_last_received_value_counts():
    (one,) = told(
        samples(sample(NOON, 62, ucum="/min"), metric="resting_heart_rate"),
        samples(sample(NOON, 58, ucum="/min"), metric="resting_heart_rate"),
    )
    assert (one.reading.value, one.versions, one.dropped) == (58, 2, False)


def test_a_value_that_is_told_again_later_is_the_last_received():
    weights = [
        samples(sample(NOON, kg, ucum="kg"), metric="weight_body_mass") for kg in (80, 81, 80)
    ]
    (one,) = told(*weights)
    assert (one.reading.value, one.versions) == (80, 2)
    assert (one.reading.first_position, one.reading.position) == (1, 3)


def test_two_values_of_one_source_at_one_time_but_of_other_length_are_two_readings():
    found = told(
        samples(sample(NOON, 10, minutes=1), sample(NOON, 20, minutes=60)),
    )
    assert [one.reading.value for one in found] == [10, 20]


def test_sources_are_a_set_whatever_their_order():
    (one,) = told(
        samples(sample(NOON, 10, minutes=1, sources=["iPhone", "Watch"])),
        samples(sample(NOON, 12, minutes=1, sources=["Watch", " iPhone", "Watch"])),
    )
    assert (one.reading.key.sources, one.reading.value) == ("Watch|iPhone", 12)


def test_sources_that_an_export_joined_by_a_pipe_are_the_same_set():
    found = told(
        samples(sample(NOON, 10, minutes=1, sources=["Watch|iPhone"])),
        samples(sample(NOON, 12, minutes=1, sources=["iPhone", "Watch\0"])),
    )
    assert [one.reading.key.sources for one in found] == ["Watch|iPhone"]


def test_very_long_sources_make_a_short_key_that_still_tells_them_apart():
    many = [f"{n} " + "ü" * 120 for n in range(16)]
    keys = [
        told(samples(sample(NOON, 10, sources=names)))[0].reading.key.sources
        for names in (many, list(reversed(many)), many[1:])
    ]
    assert keys[0] == keys[1] != keys[2]
    assert max(len(key.encode()) for key in keys) < 400


def test_values_in_different_units_do_not_compare_so_the_last_counts():
    energy = [sample(NOON, 418, minutes=60, ucum="kJ"), sample(NOON, 100, minutes=60, ucum="kcal")]
    (one,) = told(*(samples(each, metric="active_energy") for each in energy))
    assert (one.reading.value, one.reading.ucum) == (100, "kcal")


def test_a_drifted_name_is_the_same_metric():
    found = told(
        samples(sample(NOON, 10, minutes=1), metric="active_energy_burned"),
        samples(sample(NOON, 12, minutes=1), metric="active_energy"),
    )
    assert [one.reading.key.metric for one in found] == ["active_energy"]


def test_an_unknown_unit_is_kept_as_sent_and_not_converted():
    (one,) = told(samples(sample(NOON, 8.5, ucum=""), metric="walking_asymmetry"))
    assert (one.reading.value, one.reading.ucum) == (8.5, "")


def test_ranges_and_pressures_keep_all_their_values():
    pulse, cuff = (
        told(samples(heart_rate(NOON, 50, 60, 90), metric="heart_rate"))[0].reading,
        told(samples(pressure(NOON, 120, 80), metric="blood_pressure"))[0].reading,
    )
    assert (pulse.low, pulse.value, pulse.high, pulse.ucum) == (50, 60, 90, "/min")
    assert (cuff.value, cuff.low, cuff.high, cuff.ucum) == (120, 80, None, "mm[Hg]")


def test_asleep_of_zero_beside_stages_means_the_stages():
    stages = [{"stage": "asleep", "hours": 0}, {"stage": "deep", "hours": 1.5}]
    (one,) = told(slept(NOON, 8, *stages, {"stage": "core", "hours": 4}))
    assert one.reading.value == 5.5
    (whole,) = told(slept(NOON, 8, {"stage": "asleep", "hours": 7}))
    assert whole.reading.value == 7


def test_a_workout_told_again_with_more_in_it_is_one_workout():
    workout = {
        "workout_id": "w1",
        "activity": "walking",
        "start": iso(NOON),
        "end": iso(NOON + timedelta(minutes=30)),
    }
    more = {**workout, "scalars": {"distance": {"value": 2, "unit": "km"}}}
    (one,) = told(body(workout=workout), body(workout=more))
    assert (one.reading.value, one.versions, one.reading.position) == (30, 2, 2)


times = st.integers(0, 5).map(lambda n: NOON + timedelta(minutes=15 * n))
metrics = st.sampled_from(["step_count", "heart_rate_variability", "steps"])
anything = st.one_of(
    st.builds(
        lambda start, values, length, metric, ucum: samples(
            *(sample(start, value, minutes=length, ucum=ucum) for value in values), metric=metric
        ),
        times,
        st.lists(st.integers(0, 3), min_size=1, max_size=3),
        st.sampled_from([0, 15, 30]),
        metrics,
        st.sampled_from(["{count}", ""]),
    ),
    st.builds(
        lambda start, hours: slept(start, hours, segment("deep", start, 1)),
        times,
        st.integers(1, 3),
    ),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(anything, max_size=20), st.lists(st.integers(1, 5), min_size=1), st.randoms())
def test_no_cut_into_batches_no_order_and_no_repetition_changes_what_is_kept(
    contents: list[event_pb2.Body], sizes: list[int], random: Any
):
    these = facts(event(n, NOON, content) for n, content in enumerate(contents, 1))
    at_once = folded(these)
    shuffled = random.sample(these, len(these)) + these[: len(these) // 2]
    known: dict[Any, Reading] = {}
    turn = 0
    while shuffled:
        size = sizes[turn % len(sizes)]
        known = folded(shuffled[:size], known)
        shuffled, turn = shuffled[size:], turn + 1
    assert known == at_once
    assert counted(known.values()) == counted(at_once.values())
