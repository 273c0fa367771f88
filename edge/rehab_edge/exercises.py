"""The exercises that are known: the ten movements of UI-PRMD (Vakanski et al. 2018, Data 3(1):2,
table 1), what each is for us.

The primary joint is that of the worked side which moves most in the correct takes, by the median
over the subjects; tests/suite holds the recordings to that. Sitting down, the hips move 3 % more
than the knees, and the knees are taken as in a squat: both, with their mean as the path. The arm's
two rotations have planes of their own: extension is measured in the sagittal plane, and rotation,
done with the upper arm held out to the side, as the forearm's turn about it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from rehab_edge.errors import UnknownExercise


class Out(Enum):
    """What the muscles do on the way out from rest."""

    ECCENTRIC = "eccentric"
    """The body is let down against its weight."""
    CONCENTRIC = "concentric"
    """A limb is raised."""
    NEITHER = "neither"
    """Weight does not tell the ways apart: no phases are reported."""


@dataclass(frozen=True)
class Path:
    """By what repetitions are counted: the angle (of `rehab_edge.angles`, without its side) whose
    two sides together go `away` from rest, to more (1) or less (-1), by at least `least_deg`."""

    angle: str
    away: int = 1
    least_deg: float = 15.0


@dataclass(frozen=True)
class Exercise:
    """`id` is its number in the recordings. `joint` is the primary one, without its side. The
    worked side is where it moves more, or `told_by`: in an inline lunge both knees bend, but only
    the front leg's hip."""

    id: str
    exercise_id: str
    joint: str
    out: Out
    path: Path
    told_by: str = ""
    both_sides: bool = False

    @property
    def telling(self) -> str:
        return self.told_by or self.joint

    @property
    def name(self) -> str:
        return self.exercise_id.replace("_", " ")


KNEES = Path("knee")
BACKWARD, DOWNWARD = Path("reach", -1, 8), Path("shoulder_rotation", -1)
_ALL = (
    Exercise("m01", "deep_squat", "knee", Out.ECCENTRIC, KNEES, both_sides=True),
    Exercise("m02", "hurdle_step", "knee", Out.CONCENTRIC, KNEES),
    Exercise("m03", "inline_lunge", "knee", Out.ECCENTRIC, KNEES, "hip"),
    Exercise("m04", "side_lunge", "knee", Out.ECCENTRIC, KNEES),
    Exercise("m05", "sit_to_stand", "knee", Out.ECCENTRIC, KNEES, both_sides=True),
    Exercise("m06", "standing_straight_leg_raise", "hip", Out.CONCENTRIC, Path("hip_flexion")),
    Exercise("m07", "shoulder_abduction", "shoulder", Out.CONCENTRIC, Path("shoulder")),
    Exercise(
        "m08", "shoulder_extension", "shoulder_extension", Out.CONCENTRIC, Path("reach", -1, 8)
    ),
    Exercise(
        "m09", "shoulder_rotation", "shoulder_rotation", Out.NEITHER, Path("shoulder_rotation", -1)
    ),
    Exercise("m10", "shoulder_scaption", "shoulder", Out.CONCENTRIC, Path("shoulder")),
)
EXERCISES = {one.id: one for one in _ALL}
_BY_NAME = EXERCISES | {one.exercise_id: one for one in _ALL}


def exercise(name: str) -> Exercise:
    """By its number in the recordings or its name in plans. Raises UnknownExercise."""
    try:
        return _BY_NAME[name]
    except KeyError:
        raise UnknownExercise(f"there is no movement {name}; m01 to m10 are known") from None
