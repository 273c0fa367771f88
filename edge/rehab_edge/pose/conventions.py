"""Three conventions of landmarks, and what each of our joints is in them.

COCO's 17 points, as MoveNet gives them (Lin et al. 2014, arXiv 1405.0312), BlazePose's 33
(Bazarevsky et al. 2020, arXiv 2006.10204) and the 25 joints of Microsoft's Kinect v2. A joint that
is the middle of several points is seen as well as the worst of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from rehab_edge.skeleton import JOINTS, Float32s, Joint, Pose

SEEN = 0.2
"""Below this score a point is a guess: it is unseen."""


@dataclass(frozen=True)
class Convention:
    """`points` are those whose middle is a joint; `axes` turn the source's x, y, z into ours: x to
    the body's left, y up."""

    name: str
    count: int
    points: Mapping[Joint, tuple[int, ...]]
    axes: tuple[float, float, float]


MOVENET = Convention(
    "MoveNet",
    17,
    {
        Joint.HEAD: (3, 4), Joint.NECK: (5, 6), Joint.MID_HIP: (11, 12),
        Joint.CHEST: (5, 6, 11, 12),
        Joint.SHOULDER_L: (5,), Joint.SHOULDER_R: (6,), Joint.ELBOW_L: (7,), Joint.ELBOW_R: (8,),
        Joint.WRIST_L: (9,), Joint.WRIST_R: (10,), Joint.HIP_L: (11,), Joint.HIP_R: (12,),
        Joint.KNEE_L: (13,), Joint.KNEE_R: (14,), Joint.ANKLE_L: (15,), Joint.ANKLE_R: (16,),
    },
    (1, -1, 1),
)  # fmt: skip
"""Pixels grow downward; there is no depth."""
BLAZEPOSE = Convention(
    "BlazePose",
    33,
    {
        Joint.HEAD: (7, 8), Joint.NECK: (11, 12), Joint.MID_HIP: (23, 24),
        Joint.CHEST: (11, 12, 23, 24),
        Joint.SHOULDER_L: (11,), Joint.SHOULDER_R: (12,), Joint.ELBOW_L: (13,),
        Joint.ELBOW_R: (14,), Joint.WRIST_L: (15,), Joint.WRIST_R: (16,), Joint.HIP_L: (23,),
        Joint.HIP_R: (24,), Joint.KNEE_L: (25,), Joint.KNEE_R: (26,), Joint.ANKLE_L: (27,),
        Joint.ANKLE_R: (28,), Joint.HEEL_L: (29,), Joint.HEEL_R: (30,), Joint.TOE_L: (31,),
        Joint.TOE_R: (32,),
    },
    (1, -1, -1),
)  # fmt: skip
"""y grows downward, z away from the camera."""
KINECT = Convention(
    "Kinect v2",
    25,
    {
        Joint.HEAD: (3,), Joint.NECK: (2,), Joint.CHEST: (1,), Joint.MID_HIP: (0,),
        Joint.SHOULDER_L: (4,), Joint.ELBOW_L: (5,), Joint.WRIST_L: (6,),
        Joint.SHOULDER_R: (8,), Joint.ELBOW_R: (9,), Joint.WRIST_R: (10,),
        Joint.HIP_L: (12,), Joint.KNEE_L: (13,), Joint.ANKLE_L: (14,), Joint.TOE_L: (15,),
        Joint.HIP_R: (16,), Joint.KNEE_R: (17,), Joint.ANKLE_R: (18,), Joint.TOE_R: (19,),
    },
    (-1, 1, -1),
)  # fmt: skip
"""Metres of the camera: x to its left, which is the right of who faces it, z away from it."""


def pose_of(t_ns: int, points: Float32s, score: Float32s | None, convention: Convention) -> Pose:
    """Of points [count, 2 or 3] as the source has them; `score` [count] from 0 to 1, or None where
    it tells none. A point that is NaN or scored below SEEN makes its joints unseen."""
    placed = np.zeros((convention.count, 3), dtype=np.float32)
    placed[:, : points.shape[1]] = points[: convention.count]
    placed *= np.array(convention.axes, dtype=np.float32)
    sure = np.ones(convention.count, dtype=np.float32) if score is None else score.copy()
    sure[~np.isfinite(placed).all(axis=1)] = 0
    xyz = np.full((JOINTS, 3), np.nan, dtype=np.float32)
    visibility = np.zeros(JOINTS, dtype=np.float32)
    for joint, of in convention.points.items():
        own = list(of)
        visibility[joint] = sure[own].min()
        if visibility[joint] >= SEEN:
            xyz[joint] = placed[own].mean(axis=0)
    return Pose(t_ns, xyz, visibility)
