"""Readings of health apps and sensors: heart rate, blood pressure, sleep, activity, weight, ….

A reading is known by metric, aggregation of the export, start, end and the set of its sources
(DOMAIN section 0, finding 1): a key of source and date loses values, since one source may send two
for one date. Values told for the same key are its versions. All are kept; which one counts follows
finding 2: of a cumulative metric the greatest, because a bucket keeps its date while it grows and
deliveries may overtake each other; of any other metric the one that was received last.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

from rehab.events.v1 import health_pb2
from rehab_clinical.facts import Fact, moment
from rehab_clinical.sources import key_of_sources, storable

KINDS = frozenset({"health_samples", "sleep", "workout"})
"""The kinds of events that this fold reads."""
SLEEP, WORKOUT = "sleep", "workout"
MMHG, MINUTES, HOURS = "mm[Hg]", "min", "h"
_DIGEST_BYTES = 12

ALIASES: Mapping[str, str] = {
    "active_energy_burned": "active_energy",
    "basal_energy": "basal_energy_burned",
    "steps": "step_count",
    "vo2max": "vo2_max",
    "body_mass": "weight_body_mass",
    "weight": "weight_body_mass",
    "number_of_time_fallen": "number_of_times_fallen",
    "heart_rate_variability_sdnn": "heart_rate_variability",
}
"""Names that drifted between versions of exporting apps (DOMAIN section 1.3)."""

CUMULATIVE = frozenset(
    {
        "step_count",
        "active_energy",
        "basal_energy_burned",
        "apple_exercise_time",
        "apple_stand_time",
        "apple_stand_hour",
        "walking_running_distance",
        "cycling_distance",
        "swimming_distance",
        "swimming_stroke_count",
        "distance_wheelchair",
        "push_count",
        "flights_climbed",
        "mindful_minutes",
        "time_in_daylight",
        "number_of_times_fallen",
        "handwashing",
        "toothbrushing",
        "insulin_delivery",
        "dietary_water",
        "dietary_energy",
    }
)
"""Metrics whose buckets add up to a day's total. What is not named here is a gauge."""


class ReadingKey(NamedTuple):
    """An instant has its start as its end. `sources` are sorted and joined by `|`; of a workout
    `aggregation` is the activity and `sources` the id that the app gave it."""

    metric: str
    start: datetime
    end: datetime
    aggregation: str
    sources: str


@dataclass(frozen=True, slots=True)
class Reading:
    """One value told for one key.

    `value` is in `ucum` where that is known, else as sent: of a range its mean, with `low` and
    `high`; of blood pressure the systolic, with the diastolic in `low`; of sleep hours asleep; of a
    workout its minutes. `told` is the message as sent. Positions are of the first and the last
    event that told the value; the zone is of the last.
    """

    key: ReadingKey
    value: float
    low: float | None
    high: float | None
    ucum: str
    zone: str
    told: bytes
    first_position: int
    position: int

    @property
    def digest(self) -> bytes:
        return hashlib.sha256(self.told).digest()[:_DIGEST_BYTES]


Versions = Mapping[tuple[ReadingKey, bytes], Reading]


@dataclass(frozen=True, slots=True)
class Counted:
    """The version of a reading that counts, and how many different values were told.

    `dropped` says that a lower value of a cumulative metric came later and did not count.
    """

    reading: Reading
    versions: int
    dropped: bool


def metric_named(name: str) -> str:
    return ALIASES.get(name, name)


def readings_of(fact: Fact) -> list[Reading]:
    """What one event of KINDS tells. Raises ValueError for a time outside years 1 to 9999."""
    match fact.kind:
        case "health_samples":
            told = fact.body.health_samples
            metric = metric_named(told.metric)
            return [_sample(fact, metric, told.aggregation, one) for one in told.samples]
        case "sleep":
            return [_sleep(fact)]
        case "workout":
            return [_workout(fact)]
        case _:
            return []


def united(readings: Iterable[Reading], known: Versions | None = None) -> Versions:
    """One reading per key and value: a join, so that neither order nor repetition matters."""
    versions = dict(known or {})
    for one in readings:
        place = (one.key, one.digest)
        before = versions.get(place)
        versions[place] = one if before is None else _joined(before, one)
    return versions


def _joined(one: Reading, other: Reading) -> Reading:
    later = max(one, other, key=lambda reading: reading.position)
    return replace(later, first_position=min(one.first_position, other.first_position))


def counted(readings: Iterable[Reading]) -> list[Counted]:
    """What counts of each key, by key."""
    grouped: dict[ReadingKey, list[Reading]] = {}
    for one in readings:
        grouped.setdefault(one.key, []).append(one)
    return [_counted(grouped[key]) for key in sorted(grouped)]


def _counted(versions: Sequence[Reading]) -> Counted:
    # One event may tell two values: then the greater one, so that no order of reading decides.
    latest = max(versions, key=lambda one: (one.position, one.value, one.digest))
    # Values in different units do not compare: then the last one counts.
    if versions[0].key.metric not in CUMULATIVE or len({one.ucum for one in versions}) > 1:
        return Counted(latest, len(versions), dropped=False)
    greatest = max(versions, key=lambda one: (one.value, -one.first_position, one.digest))
    return Counted(greatest, len(versions), dropped=latest.value < greatest.value)


def _sample(fact: Fact, metric: str, aggregation: str, one: health_pb2.HealthSample) -> Reading:
    start = moment(one.start)
    end = max(start, moment(one.end)) if one.HasField("end") else start
    value, low, high, ucum = _value(one)
    return Reading(
        key=ReadingKey(metric, start, end, aggregation, key_of_sources(one.sources)),
        value=value,
        low=low,
        high=high,
        ucum=ucum,
        zone=fact.zone,
        told=one.SerializeToString(deterministic=True),
        first_position=fact.position,
        position=fact.position,
    )


def _value(one: health_pb2.HealthSample) -> tuple[float, float | None, float | None, str]:
    match one.WhichOneof("value"):
        case "range":
            told = one.range
            return told.avg, told.min, told.max, told.ucum
        case "blood_pressure":
            pressure = one.blood_pressure
            return pressure.systolic_mmhg, pressure.diastolic_mmhg, None, MMHG
        case "quantity":
            quantity = one.quantity
            if quantity.HasField("canonical_value"):
                return quantity.canonical_value, None, None, quantity.ucum
            return quantity.value, None, None, ""
        case _:
            raise ValueError("a sample without a value")


def _sleep(fact: Fact) -> Reading:
    told = fact.body.sleep
    start = moment(told.start)
    key = ReadingKey(SLEEP, start, max(start, moment(told.end)), "", key_of_sources(told.sources))
    return Reading(
        key=key,
        value=hours_asleep(told),
        low=None,
        high=None,
        ucum=HOURS,
        zone=fact.zone,
        told=told.SerializeToString(deterministic=True),
        first_position=fact.position,
        position=fact.position,
    )


ASLEEP_STAGES = frozenset({"core", "deep", "rem", "unspecified"})


def hours_asleep(told: health_pb2.Sleep) -> float:
    """Hours in the stages of sleep; those told as `asleep` where no stage is.

    `asleep: 0` beside stages is what exports usually say (DOMAIN section 1.3): the stages count.
    """
    staged = sum(one.hours for one in told.stages if one.stage in ASLEEP_STAGES)
    return staged or sum(one.hours for one in told.stages if one.stage == "asleep")


def _workout(fact: Fact) -> Reading:
    told = fact.body.workout
    start = moment(told.start)
    end = max(start, moment(told.end))
    return Reading(
        key=ReadingKey(WORKOUT, start, end, storable(told.activity), storable(told.workout_id)),
        value=(end - start).total_seconds() / 60,
        low=None,
        high=None,
        ucum=MINUTES,
        zone=fact.zone,
        told=told.SerializeToString(deterministic=True),
        first_position=fact.position,
        position=fact.position,
    )
