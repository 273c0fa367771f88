"""The codes that resources are told in, with where each was read.

No release of LOINC or SNOMED CT is at hand here. What is marked SECONDARY must be compared with one
before a receiver relies on it; `Options.checked_codes_only` leaves it out. A display is given only
where it was read together with its code.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType
from typing import NamedTuple

LOINC = "http://loinc.org"
SNOMED = "http://snomed.info/sct"
UCUM = "http://unitsofmeasure.org"
CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"
ACTIVITY_TEMPORARY = "http://hl7.org/fhir/us/physical-activity/CodeSystem/pa-temporary-codes"
ABSENT = "http://terminology.hl7.org/CodeSystem/data-absent-reason"
OPERATION = "http://terminology.hl7.org/CodeSystem/v3-DataOperation"
PARTICIPANT = "http://terminology.hl7.org/CodeSystem/provenance-participant-type"
LOCAL = ""
"""Stands for our own code system, whose URL is the installation's (`Links.code_system`)."""


class Mark(Enum):
    """Where a code was read."""

    HL7 = "an HL7 implementation guide or profile"
    TABLE = "the published HealthKitOnFHIR table"
    SECONDARY = "public repositories and pages only"
    OURS = "our own code system: no other has it, as far as was found"


class Code(NamedTuple):
    system: str
    code: str
    display: str
    mark: Mark


def _hl7(code: str, display: str = "", system: str = LOINC) -> Code:
    return Code(system, code, display, Mark.HL7)


def _table(code: str, display: str = "") -> Code:
    return Code(LOINC, code, display, Mark.TABLE)


def _secondary(code: str, display: str = "", system: str = LOINC) -> Code:
    return Code(system, code, display, Mark.SECONDARY)


def _ours(code: str, display: str) -> Code:
    return Code(LOCAL, code, display, Mark.OURS)


VITAL_SIGNS = _hl7("vital-signs", "Vital Signs", CATEGORY)
SURVEY = _hl7("survey", "Survey", CATEGORY)
EXAM = _hl7("exam", "Exam", CATEGORY)
ACTIVITY = _hl7("activity", "Activity", CATEGORY)
PHYSICAL_ACTIVITY = _hl7("PhysicalActivity", "Physical Activity", ACTIVITY_TEMPORARY)

ACTIVITY_PANEL = _hl7("PAPanel", "Physical Activity Panel", ACTIVITY_TEMPORARY)
EXERCISE_DURATION = _hl7("55411-3", "Exercise duration")
EXERCISE_ACTIVITY = _hl7("73985-4", "Exercise activity")
CALORIES = _hl7("55424-6", "Calories burned in unspecified time Pedometer")
WORKOUT_HR_MAX, WORKOUT_HR_MEAN = _hl7("55426-1"), _hl7("55425-3")
STEPS_OF_DAY = _hl7("41950-7")
STEPS = _table("55423-8")

HEART_RATE = _hl7("8867-4", "Heart rate")
RESTING_HEART_RATE = _hl7("40443-4")
HEART_RATE_VARIABILITY = _table("80404-7")
BLOOD_PRESSURE = _hl7("85354-9", "Blood pressure panel with all children optional")
SYSTOLIC = _hl7("8480-6", "Systolic blood pressure")
DIASTOLIC = _hl7("8462-4", "Diastolic blood pressure")
OXYGEN_SATURATION = _hl7("2708-6", "Oxygen saturation in Arterial blood")
PULSE_OXIMETRY = _table("59408-5")
RESPIRATORY_RATE = _table("9279-1", "Respiratory rate")
BODY_TEMPERATURE = _table("8310-5", "Body temperature")
BODY_WEIGHT = _table("29463-7", "Body weight")

SLEEP_DURATION = _hl7("93832-4", "Sleep duration")
DEEP_SLEEP, LIGHT_SLEEP, REM_SLEEP = _hl7("93831-6"), _hl7("93830-8"), _hl7("93829-0")

PAIN = _secondary("72514-3", "Pain severity - 0-10 verbal numeric rating [Score] - Reported")

PAIN_RATING = _ours("pain-rating", "Pain, numeric rating 0 to 10")
EPISODE_SUMMARY = _secondary("34133-9", "Summarization of episode note")
HOME_EXERCISE_RECORD = _ours("home-exercise-record", "Record of exercise at home")
EXERCISE_SESSION = _ours("exercise-session", "Exercise session at home")
SESSION_STATUS = _ours("session-status", "How the session ended")
SIDE = _ours("side", "Side of the body worked")
SETS = _ours("sets", "Sets")
REPETITIONS = _ours("repetitions", "Repetitions")
GOOD_REPETITIONS = _ours("good-repetitions", "Repetitions with a form score of at least 70")
SCORED_REPETITIONS = _ours("scored-repetitions", "Repetitions with a form score")
FORM_SCORE = _ours("form-score", "Median form score of the repetitions, 0 to 100")
HOLD_TIME = _ours("hold-time", "Time held")
RANGE_OF_MOTION = _ours("range-of-motion", "Range of motion, 90th percentile of the repetitions")
MEDIAN_RANGE = _ours("range-of-motion-median", "Range of motion, median of the repetitions")
LOWEST_ANGLE = _ours("lowest-angle", "Smallest joint angle")
HIGHEST_ANGLE = _ours("highest-angle", "Largest joint angle")
REP_SERIES = _ours("range-of-motion-series", "Range of motion by repetition")
ADHERENCE = _ours("adherence-week", "Prescribed sessions that were begun, of one week")
DUE = _ours("sessions-due", "Prescribed sessions that were due")
BEGUN = _ours("sessions-begun", "Due sessions that were begun")
FULL = _ours("sessions-full", "Due sessions with at least four fifths of the dose")
DOSE = _ours("dose", "Mean share of the prescribed dose that was done")
SESSIONS = _ours("sessions", "Sessions held")
PAIN_PHASE = _ours("pain-phase", "When the pain was felt")
PAIN_QUALITY = _ours("pain-quality", "How the pain felt")
LOWEST, HIGHEST = _ours("lowest", "Lowest value"), _ours("highest", "Highest value")
HEART_RATE_OF_DAY = _ours("heart-rate-day", "Heart rate, mean of the day")
VARIABILITY_OF_DAY = _ours("heart-rate-variability-day", "Heart rate variability, mean of the day")
RESPIRATION_OF_DAY = _ours("respiratory-rate-day", "Respiratory rate, mean of the day")
ENERGY_OF_DAY = _ours("active-energy-day", "Active energy burned, of the day")
EXERCISE_OF_DAY = _ours("exercise-time-day", "Time of exercise, of the day")
AWAKE_TIME = _ours("awake-time", "Time awake in bed")
IN_BED_TIME = _ours("in-bed-time", "Time in bed")
WORKOUT = _ours("workout", "Workout as a health app recorded it")
DISTANCE = _ours("distance", "Distance")
VALUES: Mapping[str, str] = MappingProxyType(
    {
        "completed": "Ended as meant",
        "abandoned": "Ended early",
        "self_reported": "Told afterwards",
        "open": "Not ended",
        "left": "Left",
        "right": "Right",
        "both": "Both sides",
        "pre": "Before exercise",
        "during": "During exercise",
        "post": "After exercise",
        "24h": "Worst of the last 24 hours",
    }
)
"""Values that components have, in our own code system."""

RANGES: Mapping[tuple[str, str, str], Code] = MappingProxyType(
    {
        ("knee", "flexion", "left"): _secondary("41343-5"),
        ("knee", "flexion", "right"): _secondary("41347-6"),
        ("knee", "extension", "left"): _secondary("41345-0"),
        ("knee", "extension", "right"): _secondary("41349-2"),
        ("shoulder", "flexion", ""): _secondary("41389-8"),
        ("shoulder", "abduction", ""): _secondary("41381-5"),
        ("shoulder", "external_rotation", ""): _secondary("41387-2"),
        ("shoulder", "internal_rotation", ""): _secondary("41391-4"),
    }
)
"""By joint, movement and side; without a side where the code has none and the site tells it. For
hip, ankle, elbow and spine none were found: they go by our own code."""

SITES: Mapping[tuple[str, str], Code] = MappingProxyType(
    {
        ("knee", "left"): _secondary("82169009", system=SNOMED),
        ("knee", "right"): _secondary("6757004", system=SNOMED),
        ("shoulder", "right"): _secondary("91774008", system=SNOMED),
    }
)

MOVEMENTS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "heel_slide": ("knee", "flexion"),
        "knee_flexion": ("knee", "flexion"),
        "knee_extension": ("knee", "extension"),
        "shoulder_flexion": ("shoulder", "flexion"),
        "shoulder_abduction": ("shoulder", "abduction"),
        "shoulder_external_rotation": ("shoulder", "external_rotation"),
        "shoulder_internal_rotation": ("shoulder", "internal_rotation"),
    }
)
"""The joint and the movement that an exercise measures, where it measures one alone. A squat moves
the knee under load: its range is no measure of the knee's flexion."""


def own_codes() -> list[Code]:
    """All of our own code system, for its publication."""
    named = (one for one in globals().values() if isinstance(one, Code) and one.mark is Mark.OURS)
    return [*named, *(_ours(code.replace("_", "-"), display) for code, display in VALUES.items())]
