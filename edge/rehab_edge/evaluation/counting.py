"""How exactly repetitions are counted: all of a person's repetitions of a take in one go, and
nobody tells the counter where they were cut."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from statistics import mean

import numpy as np

from rehab_edge.exercises import Exercise
from rehab_edge.metrics.rep import measured
from rehab_edge.segment import Counter, Repetition, segment
from rehab_edge.skeleton import Sequence as Frames
from rehab_edge.sources.uiprmd import Take, chosen_movements, joined, read

ALL = "all"
OFTEN = 10
"""Repetitions in a take of the recordings: what a constant guess says."""


@dataclass(frozen=True)
class Counted:
    """Of one movement. `takes` is how many sequences there are, the others are shares of them, and
    the mean absolute error."""

    movement: str
    takes: int
    exact: float
    within_one: float
    error: float
    guess_exact: float


@dataclass(frozen=True)
class Taken:
    movement: str
    subject: int
    take: str
    frames: Frames
    repetitions: int


def takes(folder: Path, movements: Sequence[str] = ()) -> Iterator[Taken]:
    """Raises Unreadable."""
    for movement in chosen_movements(folder, movements):
        for take in Take:
            if not (folder / "kinect" / f"{movement.id}_{take}.npz").exists():
                continue
            every = read(folder, movement, take).repetitions
            for subject, own in groupby(every, key=lambda one: one.subject):
                reps = list(own)
                yield Taken(movement.id, subject, str(take), joined(reps), len(reps))


def counted(folder: Path) -> list[Counted]:
    """One for each movement that is there, and all together. Raises Unreadable."""
    off: dict[str, list[int]] = {}
    guess: dict[str, list[int]] = {}
    known = {one.id: one for one in chosen_movements(folder, ())}
    for one in takes(folder):
        found = len(segment(one.frames, known[one.movement]))
        for name in (one.movement, ALL):
            off.setdefault(name, []).append(found - one.repetitions)
            guess.setdefault(name, []).append(OFTEN - one.repetitions)
    names = [name for name in off if name != ALL] + [ALL]
    return [_counted(name, off[name], guess[name]) for name in names]


def _counted(name: str, off: Sequence[int], guess: Sequence[int]) -> Counted:
    return Counted(
        name,
        len(off),
        mean(one == 0 for one in off),
        mean(abs(one) <= 1 for one in off),
        mean(abs(one) for one in off),
        mean(one == 0 for one in guess),
    )


def frame_times(frames: Frames, exercise: Exercise) -> tuple[list[float], list[float]]:
    """Microseconds of each frame until it is counted, and of measuring each repetition."""
    counter = Counter(exercise)
    of_frames, of_reps = [], []
    for number in range(len(frames)):
        pose = frames.pose(number)
        began = time.perf_counter_ns()
        rep = counter.push(pose)
        of_frames.append((time.perf_counter_ns() - began) / 1000)
        if rep is not None:
            of_reps.append(_measuring(rep, exercise))
    return of_frames, of_reps


def _measuring(rep: Repetition, exercise: Exercise) -> float:
    began = time.perf_counter_ns()
    measured(rep.frames, exercise)
    return (time.perf_counter_ns() - began) / 1000


def after_pose(folder: Path, frames: int) -> list[tuple[str, int, float, float]]:
    """Stage, calls, p50 and p99 in microseconds, over so many frames of every movement in turn.
    Raises Unreadable."""
    follow: list[float] = []
    measure: list[float] = []
    known = {one.id: one for one in chosen_movements(folder, ())}
    seen: set[str] = set()
    for one in takes(folder):
        if one.movement in seen:
            continue
        seen.add(one.movement)
        of_frames, of_reps = frame_times(one.frames[: frames // len(known)], known[one.movement])
        follow += of_frames
        measure += of_reps
    told = (("follow and count, a frame", follow), ("measure, a repetition", measure))
    return [
        (name, len(times), *(float(cut) for cut in np.percentile(times, [50, 99])))
        for name, times in told
        if times
    ]
