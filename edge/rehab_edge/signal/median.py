"""A running median over a short time: takes out jumps of a tracker of one or two frames."""

from __future__ import annotations

from collections import deque

import numpy as np

from rehab_edge.skeleton import Float32s

SPAN_S = 0.15
"""Five frames at 30 a second; it delays by half of it."""
MOST_FRAMES = 9


class RunningMedian:
    def __init__(self, span_s: float = SPAN_S) -> None:
        self._span_s = span_s
        self._frames: deque[tuple[float, Float32s]] = deque(maxlen=MOST_FRAMES)

    def push(self, at_s: float, values: Float32s) -> Float32s:
        """The median of what was seen within the span; what is unseen now stays unseen."""
        frames = self._frames
        frames.append((at_s, values))
        while at_s - frames[0][0] > self._span_s:
            frames.popleft()
        if len(frames) < 3:
            return values
        held = np.stack([one for _, one in frames])
        unseen = np.isnan(held)
        if not unseen.any():
            return np.sort(held, axis=0)[len(frames) // 2]
        found = _middle(held, unseen)
        found[unseen[-1]] = np.nan
        return found


def _middle(held: Float32s, unseen: np.ndarray) -> Float32s:
    """NaN sorts last, so the middle of the seen ones is known by their number."""
    ordered = np.sort(held, axis=0)
    middle = np.maximum((~unseen).sum(axis=0) - 1, 0) // 2
    return np.take_along_axis(ordered, middle[None], axis=0)[0]
