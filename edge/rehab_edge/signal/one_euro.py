"""The 1-Euro filter over arrays: steady at rest, quick when something moves.

Casiez, Roussel and Vogel 2012, doi 10.1145/2207676.2208639. It goes by time stamps, so any rate and
lost frames are fine.
"""

from __future__ import annotations

import math

import numpy as np

from rehab_edge.skeleton import Float32s, Floats

MIN_CUTOFF_HZ = 2.0
"""At rest. Lower is steadier and later."""
BETA = 4.0
"""By how much the cutoff grows with speed, in Hz for each metre (or body's unit) a second."""
SPEED_CUTOFF_HZ = 1.0
LONGEST_GAP_S = 0.5
"""For so long what is not seen is where it was; after it, it is unseen, and begins anew."""


class OneEuro:
    """For positions in metres. What is unseen (NaN) for a moment stays where it was."""

    def __init__(self, min_cutoff_hz: float = MIN_CUTOFF_HZ, beta: float = BETA) -> None:
        self._min_cutoff_hz = min_cutoff_hz
        self._beta = beta
        self._at_s: float | None = None
        self._held = self._speed = np.empty(0, dtype=np.float32)
        self._seen_s: Floats = np.empty(0)

    def push(self, at_s: float, values: Float32s) -> Float32s:
        """The smoothed values. Frames that do not come later than the last are taken as they
        are."""
        if self._at_s is None:
            self._begin(at_s, values)
            return values
        passed = at_s - self._at_s
        if passed <= 0:
            return values
        self._at_s = at_s
        seen = np.isfinite(values)
        known = at_s - self._seen_s <= LONGEST_GAP_S
        self._seen_s[seen] = at_s
        speed = (values - self._held) / passed
        with np.errstate(invalid="ignore"):
            self._speed += _share(SPEED_CUTOFF_HZ, passed) * (speed - self._speed)
            cutoff = self._min_cutoff_hz + self._beta * np.abs(self._speed)
            turn = 2 * math.pi * passed * cutoff
            smooth = self._held + turn / (turn + 1) * (values - self._held)
        fresh = seen & ~known
        self._speed = np.where(fresh | ~np.isfinite(self._speed), 0, self._speed)
        smooth = np.where(fresh, values, smooth)
        self._held = np.where(seen, smooth, self._held)
        return np.where(seen | known, self._held, np.nan).astype(values.dtype)

    def _begin(self, at_s: float, values: Float32s) -> None:
        self._at_s = at_s
        self._held = values.copy()
        self._speed = np.zeros_like(values)
        self._seen_s = np.where(np.isfinite(values), at_s, -np.inf)


def _share(cutoff_hz: float, passed_s: float) -> float:
    turn = 2 * math.pi * passed_s * cutoff_hz
    return turn / (turn + 1)
