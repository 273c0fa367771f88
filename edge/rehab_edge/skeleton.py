"""The canonical skeleton that every source gives and everything else reads.

Axes: x to the body's left at the recording's start where that is known, y up, z as the sensor has
it (right-handed). Lengths are metres, or a body-relative unit where the sensor knows no metres;
nothing here depends on it. Unseen joints are NaN with visibility 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

Float32s = NDArray[np.float32]
Floats = NDArray[np.float64]


class Joint(IntEnum):
    """In the order of the columns of `xyz`."""

    HEAD = 0
    NECK = 1
    CHEST = 2
    MID_HIP = 3
    SHOULDER_L = 4
    SHOULDER_R = 5
    ELBOW_L = 6
    ELBOW_R = 7
    WRIST_L = 8
    WRIST_R = 9
    HIP_L = 10
    HIP_R = 11
    KNEE_L = 12
    KNEE_R = 13
    ANKLE_L = 14
    ANKLE_R = 15
    HEEL_L = 16
    HEEL_R = 17
    TOE_L = 18
    TOE_R = 19


JOINTS = len(Joint)
MIRROR = tuple(
    Joint[one.name[:-1] + {"L": "R", "R": "L"}[one.name[-1]]] if one.name[-2:-1] == "_" else one
    for one in Joint
)
"""Each joint's partner on the other side; itself where it is in the middle."""


@dataclass(frozen=True)
class Pose:
    """One frame. `t_ns` is of a monotonic clock, nanoseconds."""

    t_ns: int
    xyz: Float32s
    visibility: Float32s


@dataclass(frozen=True)
class Sequence:
    """Frames in order: `t_s` [n] in seconds, rising; `xyz` [n, JOINTS, 3]; `visibility`
    [n, JOINTS] from 0 to 1."""

    t_s: Floats
    xyz: Float32s
    visibility: Float32s

    def __len__(self) -> int:
        return len(self.t_s)

    def __getitem__(self, frames: slice) -> Sequence:
        return Sequence(self.t_s[frames], self.xyz[frames], self.visibility[frames])

    def pose(self, frame: int) -> Pose:
        return Pose(round(1e9 * self.t_s[frame]), self.xyz[frame], self.visibility[frame])


def sequence(poses: list[Pose]) -> Sequence:
    """At least one pose."""
    return Sequence(
        np.array([1e-9 * pose.t_ns for pose in poses]),
        np.stack([pose.xyz for pose in poses]),
        np.stack([pose.visibility for pose in poses]),
    )
