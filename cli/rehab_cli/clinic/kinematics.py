"""How a repetition goes: a joint that follows minimum-jerk paths, with tremor, fatigue and noise.

Flash and Hogan 1985 (doi 10.1523/JNEUROSCI.05-07-01688.1985): unhindered movement over a range A
in a time T follows A (10 s^3 - 15 s^4 + 6 s^5), s = t / T. Each phase of a repetition is such a
path and tremor is a sine on top of it. All that is reported follows from these paths in closed
form, so that a set costs microseconds.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from rehab.events.v1 import exercise_pb2

FRAMES_PER_S = 30
PEAK_OF_MEAN = 1.875
"""Peak velocity of a minimum-jerk path as a multiple of its mean A / T: 15 / 8."""
JERK_OF_PATH = 720.0
"""Integral of squared jerk of a minimum-jerk path in units of A^2 / T^5."""
TREMOR_RAD_S = 2 * math.pi * 6.0
"""6 Hz, within the 4 to 12 Hz of physiologic and enhanced tremor."""
SHORTEST_S = 0.2
WORTH_TELLING_DEG = 6.0
"""Compensation below this is not told."""

Unscored = exercise_pb2.UnscoredReason
SCORED = exercise_pb2.UNSCORED_REASON_UNSPECIFIED
NO_MODEL = exercise_pb2.UNSCORED_REASON_NO_MODEL
OCCLUDED = exercise_pb2.UNSCORED_REASON_OCCLUDED
_ABSTAINED = (
    exercise_pb2.UNSCORED_REASON_LOW_CONFIDENCE,
    OCCLUDED,
    exercise_pb2.UNSCORED_REASON_TOO_FEW_FRAMES,
)
ABSTAINS = 0.03


class Path(NamedTuple):
    """A repetition's course: out over `rom_deg`, pause, back, pause; times in seconds.

    Out is the eccentric phase. Where the concentric one leads, the figures are the same."""

    rom_deg: float
    out_s: float
    out_pause_s: float
    back_s: float
    back_pause_s: float
    tremor_deg: float

    @property
    def duration_s(self) -> float:
        return self.out_s + self.out_pause_s + self.back_s + self.back_pause_s

    @property
    def peak_velocity_deg_s(self) -> float:
        quickest = min(self.out_s, self.back_s)
        return PEAK_OF_MEAN * self.rom_deg / quickest + TREMOR_RAD_S * self.tremor_deg

    @property
    def smoothness(self) -> float:
        """Log dimensionless jerk of the velocity, -ln(T^3 / v_peak^2 x integral of jerk^2).

        Balasubramanian et al. 2015 (doi 10.1186/s12984-015-0090-9), higher is smoother; -5.3 is a
        single minimum-jerk movement. Paths and tremor add up in the integral: their product
        averages out over the many periods of the tremor.
        """
        of_paths = JERK_OF_PATH * self.rom_deg**2 * (self.out_s**-5 + self.back_s**-5)
        of_tremor = 0.5 * self.tremor_deg**2 * TREMOR_RAD_S**6 * self.duration_s
        scale = self.duration_s**3 / self.peak_velocity_deg_s**2
        return -math.log(scale * (of_paths + of_tremor))

    def angle_deg(self, at_s: float) -> float:
        """The angle above rest, for checks of the closed forms above."""
        tremor = self.tremor_deg * math.sin(TREMOR_RAD_S * at_s)
        back_at = at_s - self.out_s - self.out_pause_s
        if back_at <= 0:
            return self.rom_deg * _minimum_jerk(at_s / self.out_s) + tremor
        return self.rom_deg * (1 - _minimum_jerk(back_at / self.back_s)) + tremor


def _minimum_jerk(share: float) -> float:
    s = min(1.0, max(0.0, share))
    return s * s * s * (10 + s * (6 * s - 15))


class Motion(NamedTuple):
    """What the device tells of one repetition. Angles in degrees, times in milliseconds."""

    duration_ms: int
    phases_ms: tuple[int, int, int, int]
    rom_deg: float | None
    peak_velocity_deg_s: float
    smoothness: float
    symmetry_pct: float | None
    compensation_deg: float
    score: float | None
    unscored: Unscored
    confidence: float
    usable_frames_pct: float
    joints: tuple[tuple[str, float, float], ...]
    """Joint with its smallest and largest angle."""


@dataclass(frozen=True)
class Limb:
    """One exercise as one person does it at present.

    `reach` is the range when fresh as a share of the target, `fatigue` its loss per repetition.
    """

    joints: tuple[str, ...]
    rest_deg: float
    target_deg: float
    tempo_s: tuple[float, ...]
    scored: bool
    reach: float
    pace: float
    fatigue: float
    tremor_deg: float

    def repetition(self, chance: random.Random, tiredness: float) -> Motion:
        """One repetition after `tiredness` others, weighed down by earlier sets."""
        gauss, uniform = chance.gauss, chance.random
        worn = self.fatigue * tiredness
        rom = max(3.0, self.target_deg * (self.reach * (1 - worn) + gauss(0, 0.025)))
        path = self._path(uniform, rom, worn)
        smoothness = path.smoothness
        joints, symmetry = self._joints(rom, rom * (1.06 - 0.06 * self.reach + gauss(0, 0.03)))
        compensation = max(0.0, 9 * (1 - self.reach) + 60 * worn + gauss(0, 1.5))
        score, unscored = self._score(chance, path, smoothness, symmetry or 0.0, compensation)
        clear = unscored in (SCORED, NO_MODEL)
        phases = (
            int(1000 * path.out_s),
            int(1000 * path.out_pause_s),
            int(1000 * path.back_s),
            int(1000 * path.back_pause_s),
        )
        return Motion(
            duration_ms=sum(phases),
            phases_ms=phases,
            rom_deg=round(rom, 1) if unscored != OCCLUDED else None,
            peak_velocity_deg_s=round(path.peak_velocity_deg_s, 1),
            smoothness=round(smoothness, 3),
            symmetry_pct=symmetry,
            compensation_deg=round(compensation, 1),
            score=score,
            unscored=unscored,
            confidence=round(0.8 + 0.19 * uniform() if clear else 0.1 + 0.4 * uniform(), 2),
            usable_frames_pct=round(92 + 8 * uniform() if clear else 15 + 45 * uniform(), 1),
            joints=joints,
        )

    def _path(self, uniform: Callable[[], float], rom: float, worn: float) -> Path:
        """Phases vary by up to a fifth; who is tired is slower and trembles."""
        slower = self.pace * (1 + 2 * worn)
        out, out_pause, back, back_pause = self.tempo_s
        return Path(
            rom,
            max(SHORTEST_S, out * slower * (0.8 + 0.4 * uniform())),
            out_pause * slower * (0.8 + 0.4 * uniform()),
            max(SHORTEST_S, back * slower * (0.8 + 0.4 * uniform())),
            back_pause * slower * (0.8 + 0.4 * uniform()),
            self.tremor_deg * (1 + 12 * worn),
        )

    def _joints(
        self, rom: float, other: float
    ) -> tuple[tuple[tuple[str, float, float], ...], float | None]:
        """Every watched joint with its angles, and the symmetry 100 (L - R) / mean of the ranges;
        None for the symmetry where one side is worked."""
        rest, first = self.rest_deg, self.joints[0]
        moved = (first, rest, round(rest + rom, 1))
        if len(self.joints) == 1:
            return (moved,), None
        symmetry = 200 * (rom - other) / (rom + other)
        if first.endswith("_right"):
            symmetry = -symmetry
        return (moved, (self.joints[1], rest, round(rest + other, 1))), round(symmetry, 1)

    def _score(
        self,
        chance: random.Random,
        path: Path,
        smoothness: float,
        symmetry: float,
        compensation: float,
    ) -> tuple[float | None, Unscored]:
        """Form from 0 to 100: mostly range, then tempo and compensation, then the rest."""
        if not self.scored:
            return None, NO_MODEL
        if chance.random() < ABSTAINS:
            return None, chance.choice(_ABSTAINED)
        prescribed = sum(self.tempo_s)
        reached = min(1.0, path.rom_deg / self.target_deg)
        in_time = 1 - min(1.0, abs(path.duration_s - prescribed) / prescribed)
        clean = 1 - min(1.0, compensation / 20)
        smooth = min(1.0, max(0.0, (smoothness + 20) / 12))
        even = 1 - min(1.0, abs(symmetry) / 50)
        form = 48 * reached + 18 * in_time + 18 * clean + 10 * smooth + 6 * even
        return round(min(100.0, max(0.0, form + chance.gauss(0, 3))), 1), SCORED
