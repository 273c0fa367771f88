"""What is usual for one person, kept sealed on their device by exercise."""

from __future__ import annotations

import base64
from collections.abc import Sequence

from rehab_edge.errors import Uncalibrated
from rehab_edge.exercises import Exercise
from rehab_edge.outbox import Home
from rehab_edge.performing import Seen
from rehab_edge.scoring.calibration import REPETITIONS, PatientBaseline, baseline
from rehab_edge.scoring.window import window


def kept_baseline(home: Home, exercise: Exercise) -> PatientBaseline | None:
    """None before somebody watched three repetitions. Raises EdgeError."""
    held = home.remembered(_name(exercise)).load()
    return PatientBaseline.from_bytes(base64.b64decode(held["baseline"])) if held else None


def keep_baseline(home: Home, exercise: Exercise, seen: Sequence[Seen]) -> PatientBaseline:
    """Of the first three repetitions, done well, all with the same side. Raises Uncalibrated."""
    first = seen[:REPETITIONS]
    if len({one.rep.side for one in first}) > 1:
        raise Uncalibrated("a baseline's repetitions are all of the same side")
    right = any(one.rep.side == "right" for one in first)
    made = baseline(exercise.id, [window(one.frames, right=right) for one in first], right=right)
    encoded = base64.b64encode(made.to_bytes()).decode()
    home.remembered(_name(exercise)).save({"baseline": encoded})
    return made


def _name(exercise: Exercise) -> str:
    return f"baseline-{exercise.exercise_id}"
