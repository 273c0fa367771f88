"""Days and nights: no moment counts twice, and nothing is mixed that does not belong together."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st
from rehab_clinical.nights import Night, nights
from rehab_clinical.vital_days import VitalDay, vital_days
from rehab_clinical.vitals import counted, readings_of, united

from rehab.events.v1 import event_pb2
from tests.projections.given import at, event, facts
from tests.projections.given_care import heart_rate, pressure, sample, samples, segment, slept

BERLIN = ZoneInfo("Europe/Berlin")
EIGHT = at("2026-03-02T08:00")
HOUR = timedelta(hours=1)


def readings(*contents: event_pb2.Body):
    events = [event(n, EIGHT, content) for n, content in enumerate(contents, 1)]
    return counted(united(one for fact in facts(events) for one in readings_of(fact)).values())


def days(*contents: event_pb2.Body, zone: ZoneInfo = BERLIN) -> list[VitalDay]:
    return vital_days(readings(*contents), zone)


def night_of(*contents: event_pb2.Body) -> Night:
    (night,) = nights(readings(*contents), BERLIN)
    return night


def steps(*told: tuple[datetime, float, float, str]) -> event_pb2.Body:
    """Start, minutes, steps, source."""
    return samples(
        *(sample(start, value, minutes=length, sources=[who]) for start, length, value, who in told)
    )


def test_buckets_that_follow_each_other_add_up():
    (day,) = days(steps((EIGHT, 60, 500, "Watch"), (EIGHT + HOUR, 60, 700, "Watch")))
    assert (day.total, day.readings, day.mean) == (1200, 2, None)


def test_the_same_bucket_of_two_sources_counts_once_with_the_greater_value():
    (day,) = days(steps((EIGHT, 60, 500, "Watch"), (EIGHT, 60, 620, "iPhone")))
    assert day.total == 620


def test_what_only_the_lesser_source_saw_is_added_and_what_overlaps_is_not():
    (day,) = days(
        steps(
            (EIGHT, 60, 500, "Watch"),
            (EIGHT + HOUR / 2, 60, 300, "iPhone"),
            (EIGHT + 3 * HOUR, 60, 200, "iPhone"),
        )
    )
    assert day.total == 700


def test_the_same_day_exported_by_minutes_and_by_hours_counts_once():
    minutes = steps((EIGHT, 30, 250, "Watch"), (EIGHT + HOUR / 2, 30, 200, "Watch"))
    hours = samples(sample(EIGHT, 470, minutes=60), aggregation="hours")
    (day,) = days(minutes, hours)
    assert day.total == 470


def test_a_gauge_has_spread_and_latest_and_no_total():
    (day,) = days(
        samples(heart_rate(EIGHT, 50, 60, 95), metric="heart_rate"),
        samples(heart_rate(EIGHT + HOUR, 55, 70, 80), metric="heart_rate"),
    )
    assert (day.total, day.mean, day.lowest, day.highest) == (None, 65, 50, 95)
    assert day.latest.value == 70


def test_a_diastolic_is_not_a_low_systolic():
    (day,) = days(samples(pressure(EIGHT, 120, 80), pressure(EIGHT + HOUR, 130, 85), metric="bp"))
    assert (day.lowest, day.highest, day.latest.low) == (120, 130, 85)


def test_units_are_never_mixed():
    told = days(
        samples(sample(EIGHT, 80, ucum="kg"), sample(EIGHT + HOUR, 176, ucum=""), metric="weight")
    )
    assert [(day.ucum, day.mean) for day in told] == [("", 176), ("kg", 80)]


def test_days_are_those_of_the_zone():
    evening = at("2026-03-02T23:30")
    told = days(samples(sample(evening, 5, minutes=1)))
    assert [day.day.isoformat() for day in told] == ["2026-03-03"]
    (utc,) = days(samples(sample(evening, 5, minutes=1)), zone=ZoneInfo("UTC"))
    assert utc.day.isoformat() == "2026-03-02"


spans = st.tuples(
    st.integers(0, 12), st.integers(0, 4), st.integers(1, 50), st.sampled_from(["a", "b"])
)


@settings(max_examples=200, deadline=None)
@given(st.lists(spans, min_size=1, max_size=12))
def test_a_total_lies_between_the_greatest_reading_and_the_sum_of_all(told):
    (day,) = days(
        steps(*((EIGHT + timedelta(minutes=5 * n), 5 * m, v, who) for n, m, v, who in told))
    )
    assert day.total is not None
    assert 0 < day.total <= sum(value for _, _, value, _ in told)
    alone = days(
        steps(*((EIGHT + HOUR * n, 30, v, "a") for n, (_, _, v, _) in enumerate(told[:8])))
    )
    assert alone[0].total == sum(value for _, _, value, _ in told[:8])


BED = at("2026-03-02T22:00")


def test_a_night_belongs_to_the_day_it_ends_on():
    assert night_of(slept(BED, 8, {"stage": "core", "hours": 7})).day.isoformat() == "2026-03-03"


def test_segments_that_overlap_count_once():
    told = slept(
        BED,
        8,
        segment("core", BED, 4),
        segment("deep", BED + HOUR, 2),
        segment("awake", BED + 4 * HOUR, 1),
        segment("rem", BED + 5 * HOUR, 2),
    )
    night = night_of(told)
    assert night.asleep_h == 6
    assert dict(night.stages_h) == {"core": 4, "deep": 2, "rem": 2, "awake": 1}


def test_a_night_told_again_while_it_goes_on_is_not_two_nights():
    early = slept(BED, 5, {"stage": "core", "hours": 4})
    late = slept(BED, 8, {"stage": "core", "hours": 7})
    night = night_of(early, late)
    assert (night.asleep_h, night.positions) == (7, (2,))


def test_of_two_apps_the_one_with_stages_counts_and_the_other_is_named():
    ring = slept(BED, 9, {"stage": "asleep", "hours": 9}, sources=["Ring"])
    watch = slept(BED, 8, {"stage": "deep", "hours": 2}, {"stage": "core", "hours": 5})
    night = night_of(ring, watch)
    assert (night.source, night.sources, night.asleep_h) == ("Watch", ("Ring",), 7)


def test_a_nap_after_the_night_adds_to_the_day():
    night = slept(BED, 6, {"stage": "core", "hours": 5})
    nap = slept(BED + 16 * HOUR, 1, {"stage": "core", "hours": 1})
    told = night_of(night, nap)
    assert (told.asleep_h, told.positions) == (6, (1, 2))
