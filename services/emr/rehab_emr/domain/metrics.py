"""Which metrics of health apps and sensors are sent, in which codes and units."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from rehab_emr.domain import codes
from rehab_emr.domain.codes import Code

_CORE = "http://hl7.org/fhir/StructureDefinition/"


class Metric(NamedTuple):
    """`units` are those that may be sent: a reading in another one is not. `profile` is the vital
    signs' profile of R4 that it meets, empty for none."""

    codes: tuple[Code, ...]
    units: frozenset[str]
    categories: tuple[Code, ...]
    profile: str = ""
    text: str = ""


def _vital(told: tuple[Code, ...], units: set[str], profile: str, text: str) -> Metric:
    categories = (codes.VITAL_SIGNS,)
    return Metric(told, frozenset(units), categories, _CORE + profile if profile else "", text)


_OXYGEN = _vital(
    (codes.OXYGEN_SATURATION, codes.PULSE_OXIMETRY), {"%"}, "oxygensat", "Oxygen saturation"
)
_MOVED = (codes.ACTIVITY, codes.PHYSICAL_ACTIVITY)

SINGLE: Mapping[str, Metric] = MappingProxyType(
    {
        "blood_pressure": _vital((codes.BLOOD_PRESSURE,), {"mm[Hg]"}, "bp", "Blood pressure"),
        "resting_heart_rate": _vital(
            (codes.RESTING_HEART_RATE,), {"/min"}, "", "Resting heart rate"
        ),
        "blood_oxygen_saturation": _OXYGEN,
        "oxygen_saturation": _OXYGEN,
        "body_temperature": _vital(
            (codes.BODY_TEMPERATURE,), {"Cel", "[degF]"}, "bodytemp", "Body temperature"
        ),
        "weight_body_mass": _vital(
            (codes.BODY_WEIGHT,), {"kg", "g", "[lb_av]"}, "bodyweight", "Body weight"
        ),
    }
)
"""Metrics of which every reading is an Observation."""

READINGS: Mapping[str, Metric] = MappingProxyType(
    {
        "heart_rate": _vital((codes.HEART_RATE,), {"/min"}, "heartrate", "Heart rate"),
        "heart_rate_variability": _vital(
            (codes.HEART_RATE_VARIABILITY,), {"ms"}, "", "Heart rate variability (SDNN)"
        ),
        "respiratory_rate": _vital(
            (codes.RESPIRATORY_RATE,), {"/min"}, "resprate", "Respiratory rate"
        ),
        "step_count": Metric((codes.STEPS,), frozenset({"{count}"}), _MOVED, text="Steps"),
        "active_energy": Metric(
            (codes.CALORIES,), frozenset({"kcal", "kJ"}), _MOVED, text="Active energy burned"
        ),
        "apple_exercise_time": Metric(
            (codes.EXERCISE_DURATION,), frozenset({"min", "s", "h"}), _MOVED, text="Exercise time"
        ),
    }
)
"""The same metrics as BY_DAY, one reading at a time, for who asked for fine-grained data."""

BY_DAY: Mapping[str, Metric] = MappingProxyType(
    {
        "heart_rate": _vital(
            (codes.HEART_RATE, codes.HEART_RATE_OF_DAY),
            {"/min"},
            "heartrate",
            "Heart rate, mean of the day",
        ),
        "heart_rate_variability": _vital(
            (codes.HEART_RATE_VARIABILITY, codes.VARIABILITY_OF_DAY),
            {"ms"},
            "",
            "Heart rate variability (SDNN), mean of the day",
        ),
        "respiratory_rate": _vital(
            (codes.RESPIRATORY_RATE, codes.RESPIRATION_OF_DAY),
            {"/min"},
            "resprate",
            "Respiratory rate, mean of the day",
        ),
        "step_count": Metric(
            (codes.STEPS_OF_DAY,), frozenset({"{count}"}), _MOVED, text="Steps of the day"
        ),
        "active_energy": Metric(
            (codes.CALORIES, codes.ENERGY_OF_DAY),
            frozenset({"kcal", "kJ"}),
            _MOVED,
            text="Active energy burned, of the day",
        ),
        "apple_exercise_time": Metric(
            (codes.EXERCISE_DURATION, codes.EXERCISE_OF_DAY),
            frozenset({"min", "s", "h"}),
            _MOVED,
            text="Time of exercise, of the day",
        ),
    }
)
"""Metrics that are told by the minute: a day of them is an Observation."""

SHOWN_UNIT: Mapping[str, str] = MappingProxyType({"{count}": "{steps}"})
"""Units that are sent by another name of the same: annotations carry no meaning in UCUM."""
