"""KERAAL's recordings of one exercise each, as they lie on disk: BlazePose's landmarks (`.json`,
pictures' shares) and a Kinect's joints (`.txt`, metres), gzipped or not. Nguyen et al. 2024, The
Keraal dataset; BSD-2-Clause. 30 frames a second are taken as given."""

from __future__ import annotations

import gzip
import json
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rehab_edge.errors import Unreadable
from rehab_edge.pose import BLAZEPOSE, KINECT, Convention, pose_of
from rehab_edge.skeleton import Sequence, sequence

FRAMES_PER_S = 30.0
VALUES = 7
"""Of each of the Kinect's joints: position and orientation."""
SUFFIXES = frozenset({".json", ".txt"})


def is_keraal(path: Path) -> bool:
    return Path(path.name.removesuffix(".gz")).suffix in SUFFIXES


def read(path: Path) -> Sequence:
    """Raises Unreadable, which says what is wrong with it."""
    try:
        held = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        text = held.decode()
    except (OSError, EOFError, zlib.error, UnicodeDecodeError):
        raise Unreadable(f"{path} cannot be read") from None
    if ".json" in path.suffixes:
        return _sequence(_landmarks(path, text), BLAZEPOSE)
    return _sequence(_joints(path, text), KINECT)


def _sequence(frames: NDArray, convention: Convention) -> Sequence:
    return sequence(
        [
            pose_of(round(1e9 * number / FRAMES_PER_S), points, None, convention)
            for number, points in enumerate(frames)
        ]
    )


def _landmarks(path: Path, text: str) -> NDArray:
    """[frames, 33, 3]: the names come in BlazePose's order, a frame without a body is NaN."""
    try:
        told: dict[str, dict[str, Any]] = json.loads(text)["positions"]
        frames = [told[key] for key in sorted(told, key=float)]
        found = [list(one.values()) or [[np.nan] * 3] * BLAZEPOSE.count for one in frames]
        landmarks = np.array(found, dtype=np.float32)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise Unreadable(f"{path} holds no landmarks by frame and name") from None
    if landmarks.ndim != 3 or landmarks.shape[1:] != (BLAZEPOSE.count, 3):
        raise Unreadable(f"{path} holds {landmarks.shape}, not 33 landmarks a frame")
    return landmarks


def _joints(path: Path, text: str) -> NDArray:
    """[frames, 25, 3]."""
    rows = [line.split() for line in text.splitlines() if line.strip()]
    wanted = KINECT.count * VALUES
    kept = [row[:wanted] for row in rows]
    if not kept or any(len(row) < wanted for row in kept):
        raise Unreadable(f"{path} has not {wanted} values a line")
    try:
        values = np.array(kept, dtype=np.float32)
    except ValueError:
        raise Unreadable(f"{path} holds values that are not numbers") from None
    return values.reshape(len(values), KINECT.count, VALUES)[..., :3]
