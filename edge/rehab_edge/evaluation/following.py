"""How long a frame and a repetition take after the pose, on takes as they were recorded."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np

from rehab_edge.exercises import Exercise
from rehab_edge.metrics.rep import measured
from rehab_edge.segment import Counter, Repetition
from rehab_edge.skeleton import Sequence as Frames
from rehab_edge.sources.uiprmd import Take, chosen_movements, joined, read

WARM_UP = 2


@dataclass(frozen=True)
class Taken:
    """All of a person's repetitions of one movement and take, in one go."""

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


@dataclass(frozen=True)
class After:
    """Microseconds of so many calls."""

    stage: str
    calls: int
    p50_us: float
    p99_us: float


def after_pose(folder: Path, frames: int) -> list[After]:
    """Over so many frames of all movements together. Raises Unreadable."""
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
    told = (("follow and count, a frame", follow), ("measure, a repetition", measure[WARM_UP:]))
    return [_after(name, times) for name, times in told if times]


def _after(stage: str, times: Sequence[float]) -> After:
    p50, p99 = np.percentile(times, [50, 99])
    return After(stage, len(times), float(p50), float(p99))
