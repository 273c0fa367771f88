"""What a report tells. It names no person: who keeps it knows whose it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median

from rehab_edge.observed import Observed
from rehab_edge.skeleton import Float32s, Floats


@dataclass(frozen=True)
class Stage:
    """Time that one stage took per frame or repetition, in microseconds."""

    name: str
    count: int
    p50_us: float
    p99_us: float


@dataclass(frozen=True)
class Summary:
    """`t_s` [n] and `angles` [n, ANGLES] in degrees are of all frames; `primary` are the columns of
    `angles` by which repetitions were counted. `notes` are what somebody should know of it."""

    exercise: str
    source: str
    t_s: Floats
    angles: Float32s
    primary: Sequence[int]
    reps: Sequence[Observed]
    stages: Sequence[Stage] = ()
    notes: Sequence[str] = ()
    made_by: str = ""
    truncated_s: float = 0.0
    facts: dict[str, str] = field(default_factory=dict)

    @property
    def duration_s(self) -> float:
        return float(self.t_s[-1] - self.t_s[0]) if len(self.t_s) else 0.0

    @property
    def scores(self) -> list[float]:
        return [rep.score for rep in self.reps if rep.score is not None]

    @property
    def median_score(self) -> float | None:
        return median(self.scores) if self.scores else None

    @property
    def median_rom_deg(self) -> float | None:
        told = [rep.rom_deg for rep in self.reps if rep.rom_deg is not None]
        return median(told) if told else None
