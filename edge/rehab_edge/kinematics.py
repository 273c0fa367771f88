"""UI-PRMD's skeleton: from Euler angles to positions, and to the angles a clinician measures.

Axes of a body that stands upright: x to its left, y up, z forward. At zero angles the legs hang
down and the arms point to the sides.

The order in which the three rotations apply does not come with the arrays. It is R = Rz Rx Ry: the
angle about x never leaves -90 to 90 degrees while the others go to 180, so x is the middle axis;
and of all six orders this one alone leaves the feet on the floor. During squats the height of the
ankles varies by 3 cm, in any other order by 11 and more. tests/suite holds the recordings to it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

JOINT_COUNT = 22
WAIST = 0
PARENTS = (-1, 0, 1, 2, 3, 4, 2, 6, 7, 8, 2, 10, 11, 12, 0, 14, 15, 16, 0, 18, 19, 20)
"""Waist, spine, chest, neck, head and its tip; left arm, right arm from the collar to the hand;
left leg, right leg from the hip to the toes."""


@dataclass(frozen=True)
class Half:
    """Columns of one half of the body. `outward` is 1 where the arm points to +x at rest."""

    name: str
    collar: int
    hip: int
    outward: int

    @property
    def shoulder(self) -> int:
        return self.collar + 1

    @property
    def elbow(self) -> int:
        return self.collar + 2

    @property
    def knee(self) -> int:
        return self.hip + 1


HALVES = (Half("left", 6, 14, 1), Half("right", 10, 18, -1))


def rotations(angles_deg: Floats) -> Floats:
    """Rotation of each joint's frame in its parent's: [..., 3] angles become [..., 3, 3]."""
    x, y, z = np.moveaxis(np.radians(angles_deg), -1, 0)
    return _about(2, z) @ _about(0, x) @ _about(1, y)


def _about(axis: int, radians: Floats) -> Floats:
    first, second = (axis + 1) % 3, (axis + 2) % 3
    matrix = np.zeros((*radians.shape, 3, 3))
    matrix[..., axis, axis] = 1
    matrix[..., first, first] = matrix[..., second, second] = np.cos(radians)
    matrix[..., second, first] = np.sin(radians)
    matrix[..., first, second] = -np.sin(radians)
    return matrix


def positions(angles_deg: Floats, offsets: Floats) -> Floats:
    """Where the joints are: [frames, 22, 3] in the unit of `offsets`, which hold each joint in its
    parent's frame and the waist in the room's. What hangs on an unknown (NaN) joint is unknown."""
    turned, placed = rotations(angles_deg), np.array(offsets, dtype=float)
    for joint, parent in enumerate(PARENTS):
        if parent >= 0:
            placed[:, joint] = placed[:, parent] + np.einsum(
                "fij,fj->fi", turned[:, parent], placed[:, joint]
            )
            turned[:, joint] = turned[:, parent] @ turned[:, joint]
    return placed


def joint_angles(angles_deg: Floats) -> Mapping[str, Floats]:
    """Angles in degrees over time, by joint; of [frames, 22, 3] Euler angles in degrees.

    knee, elbow: between the two bones, 0 when straight. hip: between the thigh and the pelvis'
    own vertical, 0 when standing. shoulder: between the upper arm and the trunk's downward axis.
    trunk: of the pelvis from the vertical. Those have no sign. The two that have:
    shoulder_extension is the upper arm's angle in the sagittal plane, positive to the front, and
    shoulder_rotation that of the forearm about the axis through both shoulders, 0 forward and 90
    upward. They mean something only while the arm moves in that plane.
    """
    turned = rotations(angles_deg)
    found = {"trunk": _arccos(turned[:, WAIST, 1, 1])}
    for half in HALVES:
        collar = turned[:, half.collar]
        upper = collar @ turned[:, half.shoulder]
        arm = half.outward * upper[:, :, 0]
        forearm = half.outward * (upper @ turned[:, half.elbow])[:, :, 0]
        found |= {
            f"hip_{half.name}": _arccos(turned[:, half.hip, 1, 1]),
            f"knee_{half.name}": _arccos(turned[:, half.knee, 1, 1]),
            f"shoulder_{half.name}": _arccos(-arm[:, 1]),
            f"elbow_{half.name}": _arccos(turned[:, half.elbow, 0, 0]),
            f"shoulder_extension_{half.name}": _direction(arm[:, 2], -arm[:, 1]),
            f"shoulder_rotation_{half.name}": _direction(forearm[:, 1], forearm[:, 2]),
        }
    return found


def _arccos(cosine: Floats) -> Floats:
    return np.degrees(np.arccos(np.clip(cosine, -1, 1)))


def _direction(rise: Floats, run: Floats) -> Floats:
    """Angle in a plane, -180 to 180 degrees."""
    return np.degrees(np.arctan2(rise, run))
