"""UI-PRMD's Kinect recordings as they lie on disk: `kinect/m01_correct.npz` and so on."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rehab_cli.errors import SuiteError
from rehab_cli.recorded.movements import MOVEMENTS, Movement, movement
from rehab_cli.recorded.skeleton import JOINT_COUNT, Floats

CENTI = 100
"""Angles are stored as hundredths of a degree."""


class Take(StrEnum):
    """`INCORRECT` is deliberately sub-optimal, recorded in a take of its own."""

    CORRECT = "correct"
    INCORRECT = "incorrect"


@dataclass(frozen=True)
class Repetition:
    """`angles_deg` are [frames, 22 joints, 3] Euler angles at 30 frames per second."""

    subject: int
    episode: int
    angles_deg: Floats


@dataclass(frozen=True)
class Recording:
    movement: Movement
    take: Take
    repetitions: Sequence[Repetition]
    """By subject, in the order of their episodes."""


def recorded_movements(folder: Path) -> list[Movement]:
    """Those that the folder has anything of. Raises SuiteError when that is nothing."""
    kinect = _kinect(folder)
    found = [
        one
        for one in MOVEMENTS.values()
        if any((kinect / f"{one.id}_{take}.npz").exists() for take in Take)
    ]
    if not found:
        raise SuiteError(f"{kinect} holds no recordings such as m01_correct.npz")
    return found


def chosen_movements(folder: Path, names: Sequence[str]) -> list[Movement]:
    """The named ones, or all that are there. Raises SuiteError."""
    if not names:
        return recorded_movements(folder)
    return [movement(name) for name in sorted(set(names))]


def read(folder: Path, of: Movement, take: Take) -> Recording:
    """Raises SuiteError, which names the file and what is wrong with it."""
    path = _kinect(folder) / f"{of.id}_{take}.npz"
    angles, index = _arrays(path)
    angles_deg = angles.reshape(-1, JOINT_COUNT, 3) / CENTI
    repetitions = [
        Repetition(int(subject), int(episode), angles_deg[first : first + count])
        for subject, episode, first, count in index
    ]
    repetitions.sort(key=lambda one: (one.subject, one.episode))
    return Recording(of, take, repetitions)


def _kinect(folder: Path) -> Path:
    kinect = folder / "kinect"
    if not kinect.is_dir():
        raise SuiteError(f"{kinect} is not there; give the folder that holds kinect/")
    return kinect


def _arrays(path: Path) -> tuple[NDArray, NDArray]:
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as held:
            angles, index = held["angles_cdeg"], held["index"]
    except FileNotFoundError:
        raise SuiteError(f"{path} is not there") from None
    except KeyError as error:
        raise SuiteError(f"{path} has no array {error.args[0].split()[0]}") from None
    except (OSError, ValueError, TypeError, EOFError, zipfile.BadZipFile):
        raise SuiteError(f"{path} cannot be read as an .npz file") from None
    wrong = _wrong_with(angles, index)
    if wrong:
        raise SuiteError(f"{path}: {wrong}")
    return angles, index


def _wrong_with(angles: NDArray, index: NDArray) -> str:
    """Why nothing can be read from the arrays, empty when it can."""
    if angles.ndim != 2 or angles.shape[1] != 3 * JOINT_COUNT:
        return f"angles_cdeg has the shape {angles.shape}, not [frames, {3 * JOINT_COUNT}]"
    if index.ndim != 2 or index.shape[1] != 4:
        return f"index has the shape {index.shape}, not [repetitions, 4]"
    if not np.issubdtype(index.dtype, np.integer):
        return "index does not hold whole numbers"
    if angles.dtype.kind not in "iuf" or not np.isfinite(angles).all():
        return "angles_cdeg holds values that are not numbers"
    first, count = index[:, 2], index[:, 3]
    if (first < 0).any() or (count < 1).any() or (first + count > len(angles)).any():
        return f"index points outside the {len(angles)} frames"
    return ""
