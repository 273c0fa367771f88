"""What is usual in the squats that one network was trained on, and which those were."""

from __future__ import annotations

import io
from dataclasses import dataclass, fields

import numpy as np

from rehab_edge.evaluation.squats import Squats
from rehab_edge.skeleton import Float32s

LIMIT = 5.0


@dataclass(frozen=True)
class SquatScales:
    """`trained_on` are keys of Squats. `score` is (median, spread): the network answers in
    spreads from the median, and a constant guess is the median."""

    curve_mean: Float32s
    curve_spread: Float32s
    summary_mean: Float32s
    summary_spread: Float32s
    score: Float32s
    trained_on: np.ndarray

    def inputs(self, squats: Squats, rows: np.ndarray) -> dict[str, Float32s]:
        curve = (squats.curve[rows] - self.curve_mean) / self.curve_spread
        summary = (squats.summary[rows] - self.summary_mean) / self.summary_spread
        return {
            "curve": np.clip(curve, -LIMIT, LIMIT).astype(np.float32),
            "summary": np.clip(summary, -LIMIT, LIMIT).astype(np.float32),
        }

    def scored(self, answer: Float32s) -> Float32s:
        return self.score[0] + self.score[1] * answer

    def to_bytes(self) -> bytes:
        held = io.BytesIO()
        np.savez_compressed(held, **{one.name: getattr(self, one.name) for one in fields(self)})
        return held.getvalue()

    @classmethod
    def from_bytes(cls, held: bytes) -> SquatScales:
        with np.load(io.BytesIO(held), allow_pickle=False) as read:
            return cls(**{one.name: read[one.name] for one in fields(cls)})


def squat_scales(squats: Squats, rows: np.ndarray) -> SquatScales:
    """Floors keep columns that do not move from being blown up: half a degree, and 0.2."""
    curve, summary, score = squats.curve[rows], squats.summary[rows], squats.score[rows]
    mean = curve.mean(axis=0)
    return SquatScales(
        curve_mean=mean,
        curve_spread=np.sqrt(((curve - mean) ** 2).mean(axis=(0, 1))) + np.float32(0.5),
        summary_mean=summary.mean(axis=0),
        summary_spread=summary.std(axis=0) + np.float32(0.2),
        score=np.array([np.median(score), score.std()], dtype=np.float32),
        trained_on=np.sort(squats.keys[rows]),
    )
