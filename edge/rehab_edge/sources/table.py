"""Our own format of a recording: a CSV file of joints, one line a frame.

    # exercise: deep_squat
    t_s,hip_l_x,hip_l_y,hip_l_z,hip_l_visibility,knee_l_x,…
    0.000,0.09,0.92,2.41,0.98,0.10,…

`t_s` in seconds, rising; for each joint of `rehab_edge.skeleton.Joint`, in lower case, x, y and z
(y up; metres or any other unit) and, where it is known, its visibility from 0 to 1. Joints that are
left out are never seen; an empty cell is unseen in that frame.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np

from rehab_edge.errors import Unreadable
from rehab_edge.skeleton import JOINTS, Floats, Joint
from rehab_edge.skeleton import Sequence as Frames

AXES = ("x", "y", "z")
EXERCISE = "# exercise:"
MOST_BYTES = 256 * 1024 * 1024


def read_table(path: Path) -> tuple[Frames, str]:
    """The frames, and the exercise as the file tells it, empty where it does not. Raises
    Unreadable, which names the line."""
    try:
        if path.stat().st_size > MOST_BYTES:
            raise Unreadable(f"{path} is larger than {MOST_BYTES // 1024**2} MiB")
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except OSError as error:
        raise Unreadable(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise Unreadable(f"{path} is no text") from None
    notes = [line for line in lines if line.startswith("#")]
    told = [line.removeprefix(EXERCISE).strip() for line in notes if line.startswith(EXERCISE)]
    return _frames(path, [line for line in lines if line and line not in notes]), "".join(told[:1])


def write_table(path: Path, frames: Frames, exercise: str = "") -> None:
    """Joints that are never seen are left out."""
    joints = [one for one in Joint if np.isfinite(frames.xyz[:, one]).any()]
    with path.open("w", newline="", encoding="utf-8") as file:
        if exercise:
            file.write(f"{EXERCISE} {exercise}\n")
        writer = csv.writer(file)
        writer.writerow(
            ["t_s", *(f"{one.name.lower()}_{part}" for one in joints for part in PARTS)]
        )
        for number, t_s in enumerate(frames.t_s):
            cells = [f"{t_s:.6f}"]
            for one in joints:
                seen = frames.xyz[number, one]
                cells += ["" if np.isnan(value) else f"{value:.5f}" for value in seen]
                cells.append(f"{frames.visibility[number, one]:.3f}")
            writer.writerow(cells)


PARTS = (*AXES, "visibility")


def _frames(path: Path, lines: Sequence[str]) -> Frames:
    rows = list(csv.reader(lines))
    if len(rows) < 2:
        raise Unreadable(f"{path} holds no frames")
    heads, told = [name.strip().lower() for name in rows[0]], rows[1:]
    if heads[0] != "t_s" or len(set(heads)) != len(heads):
        raise Unreadable(f"{path}: the first line names columns, each once, from t_s on")
    values = np.array([_numbers(path, heads, row, line) for line, row in enumerate(told, start=2)])
    times = values[:, 0]
    for line, (before, after) in enumerate(pairwise(times), start=3):
        if not before < after:
            raise Unreadable(f"{path}, line {line}: t_s does not rise")
    xyz = np.full((len(told), JOINTS, 3), np.nan, dtype=np.float32)
    visibility = np.ones((len(told), JOINTS), dtype=np.float32)
    for column, name in enumerate(heads[1:], start=1):
        joint, part = _place(path, name)
        if part == "visibility":
            visibility[:, joint] = np.clip(np.nan_to_num(values[:, column]), 0, 1)
        else:
            xyz[:, joint, AXES.index(part)] = values[:, column]
    xyz[~np.isfinite(xyz).all(axis=-1)] = np.nan
    return Frames(times, xyz, np.where(np.isnan(xyz[..., 0]), np.float32(0), visibility))


def _place(path: Path, name: str) -> tuple[Joint, str]:
    joint, _, part = name.rpartition("_")
    if part not in PARTS or joint.upper() not in Joint.__members__:
        raise Unreadable(f"{path}: there is no column {name}; such as knee_l_x is known")
    return Joint[joint.upper()], part


def _numbers(path: Path, heads: Sequence[str], row: Iterable[str], line: int) -> Floats:
    cells = list(row)
    if len(cells) != len(heads):
        raise Unreadable(f"{path}, frame {line - 1}: {len(cells)} cells, not {len(heads)}")
    try:
        found = np.array([float(cell) if cell.strip() else np.nan for cell in cells])
    except ValueError:
        raise Unreadable(f"{path}, frame {line - 1}: not all cells are numbers") from None
    if not np.isfinite(found[0]) or np.isinf(found).any():
        raise Unreadable(f"{path}, frame {line - 1}: not all cells are numbers")
    return found
