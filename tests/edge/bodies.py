"""Recordings made for tests, of bodies that are whole."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from tests.support.recordings import make_recordings


def whole_bodies(folder: Path, **more: Any) -> Path:
    """As `make_recordings`, of bodies of usual lengths: those have no trunk."""
    made = make_recordings(folder, **more)
    for path in (made / "kinect").iterdir():
        with np.load(path) as held:
            kept = {name: held[name] for name in ("angles_cdeg", "index")}
        np.savez(path, **kept)
    return made
