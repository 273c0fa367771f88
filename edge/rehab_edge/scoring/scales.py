"""What is usual in each movement, so that the network sees deviations in place of degrees.

For each of the ten movements: the mean curve of the training repetitions, well done or not, and how
far people spread about it; and how far one person's good repetitions spread about their own mean,
which is the scale for a calibrated comparison. Unknown values become 0: nothing unusual was seen.
"""

from __future__ import annotations

import io
from dataclasses import dataclass, fields

import numpy as np

from rehab_edge.scoring.window import Window
from rehab_edge.skeleton import Float32s

PLAIN_LIMIT = 4.0
OWN_LIMIT = 6.0
OWN_SCALE = 1.5
"""Keeps both comparisons within the same numbers: 6 spreads are as 4."""


@dataclass(frozen=True)
class Inputs:
    """Of the networks: [MOMENTS, CHANNELS or twice that] and [SUMMARY or three times that]."""

    curve: Float32s
    summary: Float32s
    movement: Float32s

    def named(self) -> dict[str, Float32s]:
        return {"curve": self.curve, "summary": self.summary, "movement": self.movement}


@dataclass(frozen=True)
class Scales:
    """First axis: the movement. Curves' spreads are one a channel, [movements, 1, CHANNELS]."""

    curve_mean: Float32s
    curve_spread: Float32s
    curve_own: Float32s
    summary_mean: Float32s
    summary_spread: Float32s
    summary_own: Float32s

    def plain(self, window: Window, movement: int) -> Inputs:
        """Without a baseline."""
        curve = (window.curve - self.curve_mean[movement]) / self.curve_spread[movement]
        summary = (window.summary - self.summary_mean[movement]) / self.summary_spread[movement]
        return Inputs(
            _known(curve, PLAIN_LIMIT), _known(summary, PLAIN_LIMIT), self._which(movement)
        )

    def calibrated(self, window: Window, own: Window, movement: int) -> Inputs:
        """Beside the person's own mean: curves of both kinds, the summary, its differences and
        their sizes."""
        plain = self.plain(window, movement)
        curve = (window.curve - own.curve) / self.curve_own[movement]
        summary = (window.summary - own.summary) / self.summary_own[movement]
        differences = _known(summary, OWN_LIMIT) / np.float32(OWN_SCALE)
        return Inputs(
            np.concatenate(
                [plain.curve, _known(curve, OWN_LIMIT) / np.float32(OWN_SCALE)], axis=-1
            ),
            np.concatenate([plain.summary, differences, np.abs(differences)], axis=-1),
            plain.movement,
        )

    def _which(self, movement: int) -> Float32s:
        return np.eye(len(self.curve_mean), dtype=np.float32)[movement]

    def to_bytes(self) -> bytes:
        held = io.BytesIO()
        np.savez_compressed(held, **{one.name: getattr(self, one.name) for one in fields(self)})
        return held.getvalue()

    @classmethod
    def from_bytes(cls, held: bytes) -> Scales:
        with np.load(io.BytesIO(held), allow_pickle=False) as read:
            return cls(**{one.name: read[one.name] for one in fields(cls)})


def _known(values: Float32s, limit: float) -> Float32s:
    clipped = np.clip(values, -limit, limit).astype(np.float32, copy=False)
    clipped[np.isnan(clipped)] = 0
    return clipped
