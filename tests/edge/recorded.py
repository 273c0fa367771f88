"""Repetitions for tests of the scorers, of the real recordings or made here."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import numpy as np

from rehab_edge.evaluation.people import Row, rows
from rehab_edge.skeleton import Sequence
from tests.edge.bodies import whole_bodies
from tests.support.recordings import real_recordings


@cache
def made() -> list[Row]:
    """Of two made people: squats, abductions, rotations."""
    return list(rows(whole_bodies(Path(mkdtemp()), reps=6)))


@cache
def recorded() -> list[Row]:
    """Real people where the recordings are, made ones otherwise."""
    folder = real_recordings()
    return list(rows(folder)) if folder else made()


def some(movement: int = 0, *, correct: bool = True) -> list[Row]:
    """One person's repetitions of one movement."""
    found = [one for one in recorded() if one.movement == movement and one.correct == correct]
    return [one for one in found if one.subject == found[0].subject]


def turned(frames: Sequence, degrees: float) -> Sequence:
    """The body faces elsewhere, and stands elsewhere."""
    cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    about_y = np.array([[cos, 0, sin], [0, 1, 0], [-sin, 0, cos]])
    moved = (frames.xyz @ about_y.T + np.array([0.4, 0.1, -0.7])).astype(np.float32)
    return Sequence(frames.t_s, moved, frames.visibility)
