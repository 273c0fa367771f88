"""Recordings as sets: one person's repetitions of one take, measured, with the side they worked."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

import numpy as np

from rehab_cli.errors import SuiteError
from rehab_edge.exercises import Exercise
from rehab_edge.kinematics import HALVES, Floats, joint_angles
from rehab_edge.metrics.measures import Measures, measure, symmetry_pct
from rehab_edge.metrics.smoothing import Unmeasurable
from rehab_edge.sources.uiprmd import Recording, Repetition, Take

Side = Literal["left", "right", "both"]
SIGNED = ("shoulder_extension", "shoulder_rotation")
"""Angles in a plane: noise where the arm does not move in it, so told for the primary one alone."""


@dataclass(frozen=True)
class MeasuredRep:
    """`primary` is of the movement's path, `joints` of every joint that is told."""

    episode: int
    primary: Measures
    joints: Mapping[str, Measures]
    symmetry_pct: float | None


@dataclass(frozen=True)
class RecordedSet:
    """`fingerprint` is of the frames: the same recording has the same one."""

    subject: int
    movement: Exercise
    take: Take
    side: Side
    reps: Sequence[MeasuredRep]
    fingerprint: str


def sets(recording: Recording) -> Iterator[RecordedSet]:
    """One per subject. Raises SuiteError for a repetition that cannot be measured."""
    for subject, repetitions in groupby(recording.repetitions, key=lambda one: one.subject):
        yield _set(recording, subject, list(repetitions))


def _set(recording: Recording, subject: int, repetitions: Sequence[Repetition]) -> RecordedSet:
    movement, digest = recording.movement, hashlib.sha256()
    paths = []
    for one in repetitions:
        digest.update(np.ascontiguousarray(one.angles_deg, dtype="<f8").tobytes())
        digest.update(f":{one.episode}:".encode())
        paths.append(joint_angles(one.angles_deg))
    try:
        side = _side(movement, paths)
        reps = [
            _measured(movement, side, one.episode, path)
            for one, path in zip(repetitions, paths, strict=True)
        ]
    except Unmeasurable as error:
        which = f"{movement.id}_{recording.take}, subject {subject}"
        raise SuiteError(f"a repetition of {which} cannot be measured: {error}") from None
    return RecordedSet(subject, movement, recording.take, side, reps, digest.hexdigest()[:12])


def _side(movement: Exercise, paths: Sequence[Mapping[str, Floats]]) -> Side:
    """Where the telling joint moves more, by the median over the set."""
    if movement.both_sides:
        return "both"
    left, right = (
        np.median([measure(path[f"{movement.telling}_{half.name}"]).rom_deg for path in paths])
        for half in HALVES
    )
    return "left" if left > right else "right"


def _measured(
    movement: Exercise, side: Side, episode: int, path: Mapping[str, Floats]
) -> MeasuredRep:
    names = [f"{movement.joint}_{half.name}" for half in HALVES if side in ("both", half.name)]
    told = {
        name: measure(angle)
        for name, angle in path.items()
        if name in names or not name.startswith(SIGNED)
    }
    primary = measure(np.mean([path[name] for name in names], axis=0))
    even = None
    if movement.both_sides:
        even = symmetry_pct(*(told[name].rom_deg for name in names))
    return MeasuredRep(episode, primary, told, even)
