"""The clock of a service that is told to believe a file."""

from __future__ import annotations

from pathlib import Path

from rehab_runtime.clock import WRONG_BY


def set_wrong(path: Path, seconds: float) -> None:
    """From now on it is wrong by so much: written in place, for it is mapped into memory."""
    path.touch()
    with path.open("r+b") as file:
        file.write(WRONG_BY.pack(seconds))
