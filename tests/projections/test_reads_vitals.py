"""Vitals over a real channel, from a real log."""

from __future__ import annotations

from datetime import timedelta

from rehab.projections.v1 import projections_service_pb2 as pb
from rehab_projections.messages import stamped
from rehab_runtime.auth import Principal
from rehab_runtime.errors import InvalidArgument, NotFound
from tests.projections.asking import asking
from tests.projections.given import CLINIC, PATIENT, at, body, event, prescribed
from tests.projections.given_care import (
    heart_rate,
    iso,
    pressure,
    sample,
    samples,
    segment,
    slept,
)
from tests.projections.service import Clinic, refused, rules_of, since

NOON = at("2026-03-02T12:00")
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
AS_OF = stamped(at("2026-03-06T12:00"))
ASKED = {"patient_id": PATIENT, "as_of": AS_OF}


async def test_readings_come_newest_first_with_unit_source_and_position(running: Clinic):
    position = await running.log.append(
        event(1, NOON, samples(heart_rate(NOON, 50, 62, 90), metric="heart_rate")),
        event(2, NOON, samples(heart_rate(NOON + HOUR, 55, 70, 99), metric="heart_rate")),
        event(3, NOON, samples(pressure(NOON, 121, 79), metric="blood_pressure")),
        event(4, NOON, samples(sample(NOON, 8.5, ucum=""), metric="walking_asymmetry")),
    )
    async with asking(running) as ask:
        told = await ask(
            "Vitals", "ListReadings", metric="heart_rate", consistency=since(position), **ASKED
        )
        newest, oldest = told.readings
        assert (newest.low, newest.value, newest.high, newest.ucum) == (55, 70, 99, "/min")
        assert (newest.sample.range.unit, list(newest.sources)) == ("count/min", ["Watch"])
        assert (oldest.start, oldest.position) == (stamped(NOON), 1)
        assert told.freshness.position >= position
        (cuff,) = (await ask("Vitals", "ListReadings", metric="blood_pressure", **ASKED)).readings
        assert (cuff.value, cuff.low, cuff.ucum) == (121, 79, "mm[Hg]")
        (odd,) = (await ask("Vitals", "ListReadings", metric="walking_asymmetry", **ASKED)).readings
        assert (odd.value, list(odd.flags)) == (8.5, ["unknown_unit"])


async def test_a_revised_bucket_shows_what_counts_and_what_did_not(running: Clinic):
    grown = [
        event(n, NOON, samples(sample(NOON, value, minutes=60)))
        for n, value in enumerate((100, 250, 180), 1)
    ]
    position = await running.log.append(*grown)
    asked = {**ASKED, "metric": "steps", "include_superseded": True}
    async with asking(running) as ask:
        told = await ask("Vitals", "ListReadings", consistency=since(position), **asked)
    (bucket,) = told.readings
    assert (bucket.metric, bucket.value, bucket.versions) == ("step_count", 250, 3)
    assert list(bucket.flags) == ["dropped_lower", "revised"]
    assert [(one.value, one.position) for one in bucket.superseded] == [(100, 1), (180, 3)]


async def test_pages_of_readings_lose_nothing_and_repeat_nothing(running: Clinic):
    told = samples(*(sample(NOON + n * HOUR, n, minutes=60) for n in range(7)))
    position = await running.log.append(event(1, NOON, told), event(2, NOON, told))
    asked = {**ASKED, "metric": "step_count", "page_size": 3}
    async with asking(running) as ask:
        await ask("Vitals", "ListReadings", consistency=since(position), **asked)
        pages = await ask.pages("Vitals", "ListReadings", "readings", **asked)
        assert [[one.value for one in page] for page in pages] == [[6, 5, 4], [3, 2, 1], [0]]
        first = await ask("Vitals", "ListReadings", **asked)
        other = {**asked, "metric": "heart_rate", "page_token": first.next_page_token}
        error = await refused(ask("Vitals", "ListReadings", **other))
    assert isinstance(error, InvalidArgument)
    assert rules_of(error) == [("page_token", "page_token.of_this_request")]


async def test_days_are_those_of_the_patients_zone_and_windows_may_be_calendar_weeks(
    running: Clinic,
):
    late = at("2026-03-01T23:30")  # Monday the 2nd in Berlin
    told = samples(
        *(sample(late + n * DAY, 100 + n, minutes=20) for n in range(-2, 4)),
        sample(late + HOUR, 50, minutes=20),
    )
    plan = event(1, at("2026-02-01T00:00"), prescribed())
    position = await running.log.append(plan, event(2, NOON, told))
    week = pb.Window(calendar=pb.CALENDAR_UNIT_WEEK)
    asked = {**ASKED, "metrics": ["step_count"], "window": week}
    async with asking(running) as ask:
        answer = await ask("Vitals", "ListVitalDays", consistency=since(position), **asked)
        pages = await ask.pages("Vitals", "ListVitalDays", "days", page_size=2, **asked)
    assert (answer.from_date, answer.to_date, answer.zone) == (
        "2026-03-02",
        "2026-03-08",
        "Europe/Berlin",
    )
    assert [(day.local_date, day.total) for day in answer.days] == [
        ("2026-03-05", 103),
        ("2026-03-04", 102),
        ("2026-03-03", 101),
        ("2026-03-02", 150),
    ]
    assert [day.local_date for page in pages for day in page] == [
        day.local_date for day in answer.days
    ]


async def test_nothing_after_the_asked_time_is_told(running: Clinic):
    told = samples(*(sample(NOON + n * HOUR, n + 1, minutes=30) for n in range(5)))
    position = await running.log.append(event(1, NOON, told))
    asked = {"patient_id": PATIENT, "as_of": stamped(NOON + 2 * HOUR)}
    async with asking(running) as ask:
        answer = await ask(
            "Vitals", "ListReadings", metric="step_count", consistency=since(position), **asked
        )
        (day,) = (await ask("Vitals", "ListVitalDays", metrics=["steps"], **asked)).days
    assert [one.value for one in answer.readings] == [3, 2, 1]
    assert day.total == 6


async def test_nights_and_workouts_are_told_as_such(running: Clinic):
    bed = at("2026-03-02T22:00")
    walk = {
        "workout_id": "w1",
        "activity": "walking",
        "start": iso(NOON),
        "end": iso(NOON + HOUR / 2),
        "heart_rate_is_recovery": True,
    }
    night = slept(bed, 8, segment("deep", bed, 2), segment("core", bed + HOUR, 4))
    position = await running.log.append(event(1, NOON, night), event(2, NOON, body(workout=walk)))
    async with asking(running) as ask:
        nights = await ask("Vitals", "ListNights", consistency=since(position), **ASKED)
        (one,) = nights.nights
        assert (one.local_date, one.asleep_h, one.source) == ("2026-03-03", 5, "Watch")
        assert list(one.positions) == [1]
        (walked,) = (await ask("Vitals", "ListReadings", metric="workout", **ASKED)).readings
        assert (walked.value, walked.ucum, walked.workout.activity) == (30, "min", "walking")
        assert list(walked.flags) == ["recovery_heart_rate"]
        metrics = await ask("Vitals", "ListVitalMetrics", patient_id=PATIENT)
        assert [(one.metric, one.cumulative) for one in metrics.metrics] == [
            ("sleep", False),
            ("workout", False),
        ]
        long = {**ASKED, "window": pb.Window(days=367)}
        error = await refused(ask("Vitals", "ListNights", **long))
    assert rules_of(error) == [("window", "window.nights")]


async def test_only_those_who_may_read_a_patient_read_vitals(running: Clinic):
    position = await running.log.append(event(1, NOON, samples(sample(NOON, 5))))
    asked = {**ASKED, "metric": "step_count"}
    for principal in (
        Principal("eve", "therapist", "clinic-2"),
        Principal("patient-2", "patient", CLINIC),
    ):
        async with asking(running, principal) as ask:
            error = await refused(
                ask("Vitals", "ListReadings", consistency=since(position), **asked)
            )
            assert isinstance(error, NotFound)
    async with asking(running, Principal(PATIENT, "patient", CLINIC)) as ask:
        assert len((await ask("Vitals", "ListReadings", **asked)).readings) == 1
