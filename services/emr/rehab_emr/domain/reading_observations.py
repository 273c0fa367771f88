"""Readings of health apps and sensors: one at a time, a day of them, a night, a workout."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from types import MappingProxyType

from rehab_clinical.nights import Night, nights
from rehab_clinical.vital_days import VitalDay, vital_day
from rehab_clinical.vitals import CUMULATIVE, Counted, Reading, counted, united

from rehab.events.v1 import common_pb2, health_pb2
from rehab_emr.domain import codes, elements, keys
from rehab_emr.domain.metrics import BY_DAY, READINGS, SHOWN_UNIT, SINGLE, Metric
from rehab_emr.domain.observing import ACTIVITY, Asked, Observed, at, during, zone_of
from rehab_emr.domain.resource import Json
from rehab_emr.domain.subjects import DaySubject, ReadingSubject

_STAGES: Mapping[str, codes.Code] = MappingProxyType(
    {
        "deep": codes.DEEP_SLEEP,
        "core": codes.LIGHT_SLEEP,
        "rem": codes.REM_SLEEP,
        "awake": codes.AWAKE_TIME,
        "in_bed": codes.IN_BED_TIME,
    }
)
"""Apple's "core" is taken for light sleep."""
_ENERGY = ("active_energy_burned", "active_energy")
_DISTANCE_UNITS = frozenset({"m", "km", "[mi_i]"})


def _counted(asked: Asked, *, void: bool, units: frozenset[str] | None = None) -> list[Counted]:
    """What counts of each key; with `units` of what was told in one of them, which may have been
    sent before something else came to count."""
    readings = asked.history.readings(asked.key, void=void)
    told = (one for one in readings if units is None or one.ucum in units)
    return counted(united(told).values())


def reading(asked: Asked, subject: ReadingSubject, *, void: bool) -> Observed | None:
    """One reading. Of several versions the one that counts."""
    metrics = SINGLE if asked.key.kind == keys.VITAL else READINGS
    metric = metrics.get(subject.key.metric)
    if metric is None:
        return None
    units = metric.units if void else None
    told = _counted(asked, void=void, units=units)
    if not told or told[0].reading.ucum not in metric.units:
        return None
    one = told[0].reading
    zone = zone_of(asked, one.zone)
    start, end = one.key.start, one.key.end
    effective = (
        at(elements.date_time(start, zone))
        if start == end or _is_vital(metric)
        else during(elements.period(start, end, zone))
    )
    pressure = one.key.metric == "blood_pressure"
    if pressure and one.low is None:
        return None
    unit = _unit(one.ucum)
    return Observed(
        categories=metric.categories,
        code=asked.concept(*metric.codes, text=metric.text),
        effective=effective,
        value={} if pressure else {"valueQuantity": elements.quantity(one.value, unit)},
        components=_pressure(asked, one) if pressure else _range(asked, one.low, one.high, unit),
        profile=metric.profile,
    )


def day(asked: Asked, subject: DaySubject, *, void: bool) -> Observed | None:
    """A day's total of what adds up, its mean with the spread of what does not."""
    metric = BY_DAY.get(subject.metric)
    told = [one.reading for one in _counted(asked, void=void)]
    unit = _commonest_unit(told, metric)
    if metric is None or not unit:
        return None
    of_day = vital_day(subject.metric, subject.day, unit, [one for one in told if one.ucum == unit])
    value = _day_value(of_day)
    if value is None:
        return None
    shown = _unit(unit)
    return Observed(
        categories=metric.categories,
        code=asked.concept(*metric.codes, text=metric.text),
        effective=_of_day(metric, subject.day),
        value={"valueQuantity": elements.quantity(value, shown)},
        components=()
        if subject.metric in CUMULATIVE
        else _range(asked, of_day.lowest, of_day.highest, shown),
        profile=metric.profile,
    )


def sleep(asked: Asked, subject: DaySubject, *, void: bool) -> Observed | None:
    """The sleep that ended on a local day."""
    told = _counted(asked, void=void)
    if not told:
        return None
    zone = zone_of(asked, *(one.reading.zone for one in told))
    found = nights(told, zone)
    night = next((one for one in found if one.day == subject.day), found[-1])
    if not night.asleep_h and not night.stages_h:
        return None
    return Observed(
        categories=(codes.ACTIVITY,),
        code=asked.concept(codes.SLEEP_DURATION),
        effective=during(elements.period(night.start, night.end, zone)),
        value={"valueQuantity": elements.quantity(night.asleep_h * 60, "min")},
        components=_stages(asked, night),
    )


def workout(asked: Asked, subject: ReadingSubject, *, void: bool) -> Observed | None:
    """A workout as the app recorded it; its route is not sent."""
    told = _counted(asked, void=void)
    if not told:
        return None
    one = told[0].reading
    message = health_pb2.Workout.FromString(one.told)
    zone = zone_of(asked, one.zone)
    return Observed(
        categories=ACTIVITY,
        code=asked.concept(codes.EXERCISE_ACTIVITY, codes.WORKOUT, text=codes.WORKOUT.display),
        effective=during(elements.period(subject.key.start, subject.key.end, zone)),
        value={"valueCodeableConcept": {"text": _activity(message)}},
        components=_workout_components(asked, one, message),
    )


def _is_vital(metric: Metric) -> bool:
    """Vital signs are told at a time: R4's invariant vs-1 is no invariant of periods, and receivers
    that apply it to them refuse what is right."""
    return codes.VITAL_SIGNS in metric.categories


def _of_day(metric: Metric, told: date) -> Json:
    day = told.isoformat()
    return at(day) if _is_vital(metric) else during({"start": day, "end": day})


def _activity(message: health_pb2.Workout) -> str:
    """Control characters and outer blanks are none that FHIR's strings may have."""
    printed = "".join(c if c.isprintable() else " " for c in message.activity)
    return " ".join(printed.split()) or "workout"


def _unit(ucum: str) -> str:
    return SHOWN_UNIT.get(ucum, ucum)


def _commonest_unit(told: Sequence[Reading], metric: Metric | None) -> str:
    """Of the units that may be sent the one with the most readings; empty when there is none."""
    if metric is None:
        return ""
    units = [one.ucum for one in told if one.ucum in metric.units]
    return max(sorted(set(units)), key=units.count, default="")


def _day_value(of_day: VitalDay) -> float | None:
    return of_day.total if of_day.metric in CUMULATIVE else of_day.mean


def _pressure(asked: Asked, one: Reading) -> tuple[Json, ...]:
    assert one.low is not None
    return (
        elements.component(asked.concept(codes.SYSTOLIC), elements.quantity(one.value, "mm[Hg]")),
        elements.component(asked.concept(codes.DIASTOLIC), elements.quantity(one.low, "mm[Hg]")),
    )


def _range(asked: Asked, low: float | None, high: float | None, unit: str) -> tuple[Json, ...]:
    if low is None or high is None:
        return ()
    return (
        elements.component(asked.concept(codes.LOWEST), elements.quantity(low, unit)),
        elements.component(asked.concept(codes.HIGHEST), elements.quantity(high, unit)),
    )


def _stages(asked: Asked, night: Night) -> tuple[Json, ...]:
    return tuple(
        elements.component(asked.concept(_STAGES[name]), elements.quantity(hours * 60, "min"))
        for name, hours in night.stages_h
        if name in _STAGES
    )


def _workout_components(
    asked: Asked, one: Reading, message: health_pb2.Workout
) -> tuple[Json, ...]:
    told = [(codes.EXERCISE_DURATION, elements.quantity(one.value, "min"))]
    energy = next((message.scalars[name] for name in _ENERGY if name in message.scalars), None)
    if energy is not None and energy.ucum in ("kcal", "kJ"):
        told.append((codes.CALORIES, _canonical(energy)))
    if "distance" in message.scalars and message.scalars["distance"].ucum in _DISTANCE_UNITS:
        told.append((codes.DISTANCE, _canonical(message.scalars["distance"])))
    rates = [s.range for s in message.heart_rate if s.WhichOneof("value") == "range"]
    rates = [rate for rate in rates if rate.ucum == "/min"]
    if rates and not message.heart_rate_is_recovery:
        mean = sum(rate.avg for rate in rates) / len(rates)
        highest = max(rate.max for rate in rates)
        told.append((codes.WORKOUT_HR_MEAN, elements.quantity(mean, "/min")))
        told.append((codes.WORKOUT_HR_MAX, elements.quantity(highest, "/min")))
    return tuple(elements.component(asked.concept(code), value) for code, value in told)


def _canonical(told: common_pb2.Quantity) -> Json:
    value = told.canonical_value if told.HasField("canonical_value") else told.value
    return elements.quantity(value, told.ucum)
