"""UI-PRMD's Kinect recordings as they lie on disk: `kinect/m01_correct.npz` and so on.

Beyond `angles_cdeg` and `index`, a file may hold `positions_x50` (the joints' offsets; a body of
usual lengths without) and `frames_per_s` (30 without). A joint is unseen where an angle is NaN or
its offset is nothing at all.
"""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rehab_edge import skeleton
from rehab_edge.errors import Unreadable
from rehab_edge.exercises import EXERCISES, Exercise, exercise
from rehab_edge.kinematics import JOINT_COUNT, WAIST, Floats, positions
from rehab_edge.skeleton import Joint

CENTI = 100
"""Angles are stored as hundredths of a degree."""
PER_CM = 50
FRAMES_PER_S = 30.0
USUAL_OFFSETS_CM = {
    1: (0, 27, 0), 2: (0, 20, 0), 3: (0, 1, 0), 4: (0, 6, 0), 5: (0, 14, 0),
    6: (1.5, 0, 0), 7: (13, 0, 0), 8: (24, 0, 0), 9: (24, 0, 0),
    10: (-1.5, 0, 0), 11: (-13, 0, 0), 12: (-24, 0, 0), 13: (-24, 0, 0),
    14: (7, 0, 3), 15: (0, -38, 0), 16: (0, -39, 0), 17: (0, 0, 13),
    18: (-7, 0, 3), 19: (0, -38, 0), 20: (0, -39, 0), 21: (0, 0, 13),
}  # fmt: skip
COLUMNS = {
    Joint.HEAD: 5, Joint.NECK: 3, Joint.CHEST: 1, Joint.MID_HIP: 0,
    Joint.SHOULDER_L: 7, Joint.ELBOW_L: 8, Joint.WRIST_L: 9,
    Joint.SHOULDER_R: 11, Joint.ELBOW_R: 12, Joint.WRIST_R: 13,
    Joint.HIP_L: 14, Joint.KNEE_L: 15, Joint.ANKLE_L: 16, Joint.TOE_L: 17,
    Joint.HIP_R: 18, Joint.KNEE_R: 19, Joint.ANKLE_R: 20, Joint.TOE_R: 21,
}  # fmt: skip
"""Of our joints among the recording's; a Kinect knows no heels."""


class Take(StrEnum):
    """`INCORRECT` is deliberately sub-optimal, recorded in a take of its own."""

    CORRECT = "correct"
    INCORRECT = "incorrect"


@dataclass(frozen=True)
class Repetition:
    """`angles_deg` are [frames, 22 joints, 3] Euler angles, `offsets_cm` of the same shape."""

    subject: int
    episode: int
    angles_deg: Floats
    offsets_cm: Floats
    frames_per_s: float = FRAMES_PER_S

    @property
    def sequence(self) -> skeleton.Sequence:
        """From second 0, in metres."""
        return joined([self])


@dataclass(frozen=True)
class Recording:
    movement: Exercise
    take: Take
    repetitions: Sequence[Repetition]
    """By subject, in the order of their episodes."""


def recorded_movements(folder: Path) -> list[Exercise]:
    """Those that the folder has anything of. Raises Unreadable when that is nothing."""
    kinect = _kinect(folder)
    found = [
        one
        for one in EXERCISES.values()
        if any((kinect / f"{one.id}_{take}.npz").exists() for take in Take)
    ]
    if not found:
        raise Unreadable(f"{kinect} holds no recordings such as m01_correct.npz")
    return found


def chosen_movements(folder: Path, names: Sequence[str]) -> list[Exercise]:
    """The named ones, or all that are there. Raises Unreadable."""
    if not names:
        return recorded_movements(folder)
    return [exercise(name) for name in sorted(set(names))]


def read(folder: Path, of: Exercise, take: Take) -> Recording:
    """Raises Unreadable, which names the file and what is wrong with it."""
    path = _kinect(folder) / f"{of.id}_{take}.npz"
    angles, offsets, index, rate = _arrays(path)
    angles_deg = angles.reshape(-1, JOINT_COUNT, 3) / CENTI
    offsets_cm = offsets.reshape(-1, JOINT_COUNT, 3) / PER_CM
    repetitions = [
        Repetition(
            int(subject),
            int(episode),
            angles_deg[first : first + count],
            offsets_cm[first : first + count],
            rate,
        )
        for subject, episode, first, count in index
    ]
    repetitions.sort(key=lambda one: (one.subject, one.episode))
    return Recording(of, take, repetitions)


def _kinect(folder: Path) -> Path:
    kinect = folder / "kinect"
    if not kinect.is_dir():
        raise Unreadable(f"{kinect} is not there; give the folder that holds kinect/")
    return kinect


def joined(repetitions: Sequence[Repetition]) -> skeleton.Sequence:
    """One after the other as if recorded in one go; nothing tells where they were cut."""
    angles = np.concatenate([one.angles_deg for one in repetitions])
    offsets = np.concatenate([one.offsets_cm for one in repetitions])
    placed = positions(angles, offsets) / 100
    unseen = np.all(offsets == 0, axis=-1)
    unseen[:, WAIST] = False
    placed[unseen] = np.nan
    xyz = np.full((len(placed), skeleton.JOINTS, 3), np.nan, dtype=np.float32)
    xyz[:, list(COLUMNS)] = placed[:, list(COLUMNS.values())]
    visibility: skeleton.Float32s = np.asarray(np.isfinite(xyz).all(axis=-1), dtype=np.float32)
    return skeleton.Sequence(np.arange(len(xyz)) / repetitions[0].frames_per_s, xyz, visibility)


def _arrays(path: Path) -> tuple[NDArray, NDArray, NDArray, float]:
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as held:
            angles, index = held["angles_cdeg"], held["index"]
            offsets = held["positions_x50"] if "positions_x50" in held else _usual(angles)
            rate = float(held["frames_per_s"]) if "frames_per_s" in held else FRAMES_PER_S
    except FileNotFoundError:
        raise Unreadable(f"{path} is not there") from None
    except KeyError as error:
        raise Unreadable(f"{path} has no array {error.args[0].split()[0]}") from None
    except (OSError, ValueError, TypeError, EOFError, zipfile.BadZipFile):
        raise Unreadable(f"{path} cannot be read as an .npz file") from None
    wrong = _wrong_with(angles, index)
    if not wrong and offsets.shape != angles.shape:
        wrong = f"positions_x50 has the shape {offsets.shape}, not {angles.shape}"
    if not wrong and not 1 <= rate <= 1000:
        wrong = f"frames_per_s is {rate}, not 1 to 1000"
    if wrong:
        raise Unreadable(f"{path}: {wrong}")
    return angles, offsets, index, rate


def _usual(angles: NDArray) -> NDArray:
    usual = np.zeros((JOINT_COUNT, 3))
    usual[list(USUAL_OFFSETS_CM)] = list(USUAL_OFFSETS_CM.values())
    return np.broadcast_to(usual.ravel() * PER_CM, (len(angles), usual.size))


def _wrong_with(angles: NDArray, index: NDArray) -> str:
    """Why nothing can be read from the arrays, empty when it can."""
    if angles.ndim != 2 or angles.shape[1] != 3 * JOINT_COUNT:
        return f"angles_cdeg has the shape {angles.shape}, not [frames, {3 * JOINT_COUNT}]"
    if index.ndim != 2 or index.shape[1] != 4:
        return f"index has the shape {index.shape}, not [repetitions, 4]"
    if not np.issubdtype(index.dtype, np.integer):
        return "index does not hold whole numbers"
    if angles.dtype.kind not in "iuf" or np.isinf(angles).any() or np.isnan(angles).all():
        return "angles_cdeg holds values that are not numbers"
    first, count = index[:, 2], index[:, 3]
    if (first < 0).any() or (count < 1).any() or (first + count > len(angles)).any():
        return f"index points outside the {len(angles)} frames"
    return ""
