"""Drift over days and restarts: what one device saw of one exercise, kept sealed on the device."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from rehab_edge.drift.features import FEATURES
from rehab_edge.drift.monitor import Finding, Monitor
from rehab_edge.drift.reference import Feature, Reference, TooFew
from rehab_edge.drift.statistics import Floats
from rehab_edge.outbox.sealed import SealedFile

REFERENCE_SAMPLES = 600
"""Repetitions held for normal: with as many a shift by half a standard deviation is found in nine
windows of ten."""
MOST_REFERENCE = 2 * REFERENCE_SAMPLES
"""After as many it is taken for normal however few sessions they came in."""


class Watch:
    """First it learns what is normal here, then it compares. A person is compared with themselves:
    beside a reference of other people every patient drifts. Use `save` when a session ends."""

    def __init__(
        self, memory: SealedFile | None = None, features: Sequence[Feature] = FEATURES
    ) -> None:
        """Raises DamagedFile."""
        self._memory = memory
        self._features = features
        held = memory.load() if memory is not None else {}
        if held.get("features") != [one.name for one in features]:
            held = {}  # of a version that looked at other things
        self._samples: list[list[float]] = held.get("samples", [])
        self._sessions: list[int] = held.get("sessions", [])
        self._monitor: Monitor | None = None
        self._begin()
        if self._monitor is not None:
            self._monitor.resume(held.get("window", []), held.get("runs", {}))
        self._session = self._sessions[-1] + 1 if self._sessions else 0

    def push(self, sample: Floats) -> list[Finding]:
        """One repetition; see Monitor.push."""
        if self._monitor is not None:
            return self._monitor.push(sample)
        self._samples.append(sample.tolist())
        self._sessions.append(self._session)
        return []

    @property
    def learning(self) -> bool:
        return self._monitor is None

    def save(self) -> None:
        """A session ended."""
        self._session += 1
        if self._monitor is None:
            self._begin()
        if self._memory is None:
            return
        held: dict[str, Any] = {
            "features": [one.name for one in self._features],
            "samples": self._samples,
            "sessions": self._sessions,
        }
        if self._monitor is not None:
            held |= {
                "window": [one.tolist() for one in self._monitor.waiting],
                "runs": self._monitor.runs,
            }
        self._memory.save(held)

    def _begin(self) -> None:
        """Compare, once there is enough to compare with."""
        if len(self._samples) < REFERENCE_SAMPLES:
            return
        samples, sessions = np.array(self._samples), self._sessions
        try:
            reference = Reference.of(self._features, samples, sessions)
        except TooFew:
            if len(self._samples) >= MOST_REFERENCE:  # one endless session: begin anew
                self._samples, self._sessions = [], []
            return
        self._monitor = Monitor(self._features, reference)
