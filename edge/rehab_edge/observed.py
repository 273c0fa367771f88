"""A repetition as it is told to others: in the words of the contract, whatever measured it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from rehab_sdk.events import SideName, UnscoredName


@dataclass(frozen=True)
class Compensated:
    """A movement that stood in for the intended one; `magnitude_deg` at its worst."""

    code: str
    magnitude_deg: float
    frames: int = 0


@dataclass(frozen=True)
class Observed:
    """Times in seconds of the session, angles in degrees, shares from 0 to 1. `phases_s` are
    eccentric, pause, concentric, pause, or none. `joints` are least and largest angle by joint.
    Without a score `unscored` says why."""

    index: int
    start_s: float
    end_s: float
    side: SideName = ""
    phases_s: tuple[float, ...] = ()
    rom_deg: float | None = None
    peak_velocity_deg_s: float | None = None
    smoothness: float | None = None
    symmetry_pct: float | None = None
    joints: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    compensations: tuple[Compensated, ...] = ()
    score: float | None = None
    unscored: UnscoredName = ""
    confidence: float = 0.0
    usable: float = 1.0
    model_id: str = ""
    faults: tuple[str, ...] = ()

    @property
    def duration_s(self) -> float:
        return self.end_s - self.start_s
