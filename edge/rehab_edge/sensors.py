"""What a sensor is: a camera with a pose model, a depth camera, a recording, a strap.

Others bring theirs by an entry point of the group `rehab_edge.sensors`; see `rehab_edge.plugins`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar, Protocol

import numpy as np

from rehab_edge.skeleton import JOINTS, Pose

API_VERSION = 1
"""Of this module's interface. A sensor of another version is not loaded."""
WRONG_FRAMES = 10
"""In a row, before a sensor is switched off."""


class Capability(StrEnum):
    """What its frames carry."""

    LANDMARKS = "landmarks"
    HEART_RATE = "heart_rate"


@dataclass(frozen=True)
class SensorFrame:
    """`t_ns` is of the sensor's monotonic clock, nanoseconds, rising from frame to frame."""

    t_ns: int
    pose: Pose | None = None
    heart_rate_bpm: float | None = None


@dataclass(frozen=True)
class SensorHealth:
    """`problem` is empty while all is well."""

    frames: int = 0
    wrong_frames: int = 0
    problem: str = ""


class SensorPlugin(Protocol):
    api_version: ClassVar[int]

    @property
    def id(self) -> str: ...

    @property
    def capabilities(self) -> frozenset[Capability]: ...

    def self_test(self) -> str:
        """What is missing to open it, empty when nothing is. Opens nothing."""
        ...

    def open(self, settings: Mapping[str, str]) -> None: ...

    def frames(self) -> Iterator[SensorFrame]:
        """Until the sensor ends or is closed."""
        ...

    def close(self) -> None:
        """More than once does nothing more."""
        ...


@dataclass
class Watched:
    """A sensor that cannot hurt the session: its frames without the wrong ones, and an end in place
    of an error. `told` hears why it was switched off: failed or wrong_frames."""

    sensor: SensorPlugin
    told: Callable[[str, str], None] = lambda _id, _why: None
    health: SensorHealth = field(default_factory=SensorHealth)

    def frames(self, settings: Mapping[str, str]) -> Iterator[SensorFrame]:
        last_ns, in_a_row = -1, 0
        try:
            self.sensor.open(settings)
            for frame in self.sensor.frames():
                good = _is_right(frame, last_ns)
                in_a_row = 0 if good else in_a_row + 1
                self._count(good=good)
                if in_a_row >= WRONG_FRAMES:
                    self._switch_off("wrong_frames")
                    return
                if good:
                    last_ns = frame.t_ns
                    yield frame
        except Exception:
            self._switch_off("failed")
        finally:
            self._close()

    def _count(self, *, good: bool) -> None:
        health = self.health
        self.health = SensorHealth(health.frames + good, health.wrong_frames + (not good))

    def _switch_off(self, why: str) -> None:
        self.health = SensorHealth(self.health.frames, self.health.wrong_frames, why)
        self.told(self.sensor.id, why)

    def _close(self) -> None:
        try:
            self.sensor.close()
        except Exception:
            self.health = SensorHealth(self.health.frames, self.health.wrong_frames, "failed")


def _is_right(frame: object, last_ns: int) -> bool:
    """A joint may be unseen; a frame out of order or of another shape is of no use."""
    if not isinstance(frame, SensorFrame) or frame.t_ns <= last_ns:
        return False
    if frame.pose is None:
        return True
    shapes = frame.pose.xyz.shape, frame.pose.visibility.shape
    return shapes == ((JOINTS, 3), (JOINTS,)) and not bool(np.isinf(frame.pose.xyz).any())
