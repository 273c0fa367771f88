"""The exercises the clinic prescribes and the conditions it treats.

Doses, ranges and tempos are plausible figures for a simulation, not clinical advice.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from rehab.events.v1 import common_pb2

ICD10 = "http://hl7.org/fhir/sid/icd-10-cm"
LEFT, RIGHT = common_pb2.SIDE_LEFT, common_pb2.SIDE_RIGHT
BOTH, NO_SIDE = common_pb2.SIDE_BOTH, common_pb2.SIDE_UNSPECIFIED
SIDE_NAMES = {LEFT: "left", RIGHT: "right"}

Range = tuple[float, float]
Side = common_pb2.Side


class Dose(Enum):
    """What an exercise is counted in."""

    REPS = "reps"
    HOLD = "hold"
    DURATION = "duration"


@dataclass(frozen=True)
class Exercise:
    """`rest_deg` is the joint's angle between repetitions, `target_deg` where targets lie.

    `one_side` is worked on the affected side only. `tempo_s` is eccentric phase, pause, concentric
    phase, pause. `observed` says that the camera sees it, `scored` that a model scores it.
    """

    id: str
    dose: Dose
    joint: str = ""
    one_side: bool = False
    rest_deg: float = 0.0
    target_deg: Range | None = None
    tempo_s: tuple[float, ...] = ()
    compensation: str = ""
    observed: bool = True
    scored: bool = True

    def side(self, affected: Side) -> Side:
        """The side that is prescribed to someone whose `affected` side is treated."""
        if self.one_side:
            return affected
        return BOTH if self.joint else NO_SIDE

    def joints(self, affected: Side) -> tuple[str, ...]:
        """The joints that are watched, the affected side first."""
        if not self.joint:
            return ()
        named = f"{self.joint}_{SIDE_NAMES[affected]}"
        other = f"{self.joint}_{SIDE_NAMES[LEFT if affected == RIGHT else RIGHT]}"
        return (named,) if self.one_side else (named, other)


@dataclass(frozen=True)
class Condition:
    """Why someone is treated. `codes` are ICD-10-CM for the left and the right side."""

    codes: tuple[str, str]
    display: str
    site: str
    surgery: bool
    exercises: tuple[str, ...]

    def code(self, affected: Side) -> str:
        return self.codes[0] if affected == LEFT else self.codes[1]


_ALL = (
    Exercise("heel_slide", Dose.REPS, "knee", True, 5, (105, 125), (2, 1, 2, 1), "hip_hike"),
    Exercise("straight_leg_raise", Dose.REPS, "hip", True, 0, (50, 70), (2, 1, 2, 1), "knee_bend"),
    Exercise("sit_to_stand", Dose.REPS, "knee", False, 5, (85, 95), (2, 1, 1.5, 1), "trunk_lean"),
    Exercise("mini_squat", Dose.REPS, "knee", False, 5, (55, 70), (3, 1, 2, 1), "knee_valgus"),
    Exercise(
        "heel_raise",
        Dose.REPS,
        "ankle",
        False,
        0,
        (25, 35),
        (2, 0, 1, 1),
        "knee_bend",
        scored=False,
    ),
    Exercise(
        "shoulder_abduction", Dose.REPS, "shoulder", True, 8, (115, 155), (3, 1, 2, 1), "trunk_lean"
    ),
    Exercise(
        "shoulder_external_rotation",
        Dose.REPS,
        "shoulder",
        True,
        0,
        (45, 70),
        (2, 1, 2, 1),
        "trunk_rotation",
    ),
    Exercise("wall_sit", Dose.HOLD, "knee", False, 60),
    Exercise("plank", Dose.HOLD, observed=False, scored=False),
    Exercise("walk", Dose.DURATION, observed=False, scored=False),
)
EXERCISES = {exercise.id: exercise for exercise in _ALL}

CONDITIONS = (
    Condition(
        ("Z96.652", "Z96.651"),
        "Presence of artificial knee joint",
        "knee",
        True,
        ("heel_slide", "straight_leg_raise", "sit_to_stand", "mini_squat", "walk"),
    ),
    Condition(
        ("M17.12", "M17.11"),
        "Unilateral primary osteoarthritis of knee",
        "knee",
        False,
        ("mini_squat", "straight_leg_raise", "wall_sit", "sit_to_stand", "walk"),
    ),
    Condition(
        ("M75.122", "M75.121"),
        "Complete rotator cuff tear, not traumatic",
        "shoulder",
        True,
        ("shoulder_abduction", "shoulder_external_rotation", "plank", "walk"),
    ),
    Condition(
        ("S93.402A", "S93.401A"),
        "Sprain of ligament of ankle",
        "ankle",
        False,
        ("heel_raise", "mini_squat", "sit_to_stand", "walk"),
    ),
    Condition(
        ("M54.50", "M54.50"),
        "Low back pain",
        "lower_back",
        False,
        ("sit_to_stand", "plank", "mini_squat", "wall_sit", "walk"),
    ),
)
