"""Recorded sessions: somebody did one exercise for a while, and the frames of it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np

from rehab_edge.errors import Unreadable
from rehab_edge.exercises import Exercise
from rehab_edge.exercises import exercise as named
from rehab_edge.skeleton import Sequence as Frames
from rehab_edge.sources import keraal
from rehab_edge.sources.table import read_table
from rehab_edge.sources.uiprmd import Take, chosen_movements, joined, read

NOT_IN_IDS = re.compile(r"[^A-Za-z0-9-]+")


@dataclass(frozen=True)
class Recorded:
    """`name` tells it apart from the person's other sessions; `person` is who it is in the
    recording, 0 where nobody is told apart. `count` is how many repetitions it is known to hold,
    None where nobody knows."""

    name: str
    exercise: Exercise
    person: int
    frames: Frames
    count: int | None = None

    @property
    def duration_s(self) -> float:
        return float(self.frames.t_s[-1] - self.frames.t_s[0]) if len(self.frames) else 0.0

    @property
    def fingerprint(self) -> str:
        """Of the frames: the same recording has the same one."""
        digest = hashlib.sha256(np.ascontiguousarray(self.frames.t_s, dtype="<f8").tobytes())
        digest.update(np.ascontiguousarray(self.frames.xyz, dtype="<f4").tobytes())
        return digest.hexdigest()[:12]


def of_uiprmd(
    folder: Path,
    movements: Sequence[str] = (),
    subject: int | None = None,
    takes: Sequence[Take] = tuple(Take),
) -> Iterator[Recorded]:
    """One session a movement, take and subject. Raises Unreadable."""
    for movement in chosen_movements(folder, movements):
        for take in takes:
            if not (folder / "kinect" / f"{movement.id}_{take}.npz").exists():
                continue
            repetitions = read(folder, movement, take).repetitions
            for person, own in groupby(repetitions, key=lambda one: one.subject):
                if subject in (None, person):
                    reps = list(own)
                    name = f"{movement.id}-{take}-s{person:02}"
                    yield Recorded(name, movement, person, joined(reps), len(reps))


def of_files(paths: Sequence[Path], exercise: str = "") -> Iterator[Recorded]:
    """Each by what its name ends with; `exercise` is of those that do not tell. Raises
    Unreadable, UnknownExercise."""
    for path in paths:
        if path.suffix == ".npz":
            yield from _of_npz(path)
        elif path.suffix == ".csv" or keraal.is_keraal(path):
            frames, told = (keraal.read(path), "") if keraal.is_keraal(path) else read_table(path)
            if not (told or exercise):
                raise Unreadable(f"{path} does not tell its exercise, and no --exercise does")
            name = NOT_IN_IDS.sub("-", path.stem)
            yield Recorded(name, named(told or exercise), 0, frames)
        else:
            raise Unreadable(f"{path} is of no format that is known here")


def _of_npz(path: Path) -> Iterator[Recorded]:
    movement, _, take = path.stem.partition("_")
    if path.parent.name != "kinect" or take not in tuple(Take):
        raise Unreadable(f"{path}: UI-PRMD's files are kinect/m01_correct.npz and so on")
    yield from of_uiprmd(path.parent.parent, [movement], takes=[Take(take)])
