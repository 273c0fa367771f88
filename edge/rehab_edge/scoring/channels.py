"""What the learned scorer sees of each frame: 43 channels of posture, independent of where the
person stands, which way they face, how tall they are and which side works.

`w` is the working side and `o` the other. Angles are those of `rehab_edge.angles`. The upper arm
and the forearm are told as directions in the trunk's own axes (left or right turned outward, up,
forward), thigh and shank as directions against the vertical and the line of the hips: a direction
has no jump at 180 degrees, an angle in a plane has. Distances are shares of the legs' length. All
are scaled to run through about as many units as an angle does degrees.
"""

from __future__ import annotations

import numpy as np

from rehab_edge import angles
from rehab_edge.skeleton import MIRROR, Float32s, Joint

_PAIRED = ("knee", "hip", "shoulder", "elbow", "ankle")
_SINGLE = ("trunk_forward", "trunk_left", "pelvis_drop", "shoulder_drop", "trunk_twist", "neck")
NAMES = (
    *(f"{name}_{side}" for name in _PAIRED for side in "wo"),
    *_SINGLE,
    *(f"{bone}_{way}_{side}" for bone in ("upper", "fore") for side in "wo"
      for way in ("out", "up", "ahead")),
    *(f"{bone}_{way}_{side}" for bone in ("thigh", "shank") for side in "wo"
      for way in ("out", "ahead")),
    "knees_apart", "ankles_apart", "ankles_ahead", "ankles_up", "hips_up", "hips_aside",
    "hips_ahead",
)  # fmt: skip
CHANNELS = len(NAMES)
_ANGLES = [angles.AT[f"{name}_{side}"] for name in _PAIRED for side in "lr"] + [
    angles.AT[name] for name in _SINGLE
]
DIRECTION = 90.0
"""Of a unit vector's component, so that a quarter turn counts about as much as its degrees."""
LENGTH = 50.0
"""Of a distance in legs' lengths."""
J = Joint
_ARMS = (
    (J.SHOULDER_L, J.ELBOW_L), (J.SHOULDER_R, J.ELBOW_R),
    (J.ELBOW_L, J.WRIST_L), (J.ELBOW_R, J.WRIST_R),
)  # fmt: skip
_LEGS = (
    (J.HIP_L, J.KNEE_L), (J.HIP_R, J.KNEE_R),
    (J.KNEE_L, J.ANKLE_L), (J.KNEE_R, J.ANKLE_R),
)  # fmt: skip
_MIRRORED = np.array(MIRROR)
_OUTWARD = np.array([1, -1, 1, -1], dtype=np.float32)
_UP = np.array([0, 1, 0], dtype=np.float32)


def mirrored(xyz: Float32s) -> Float32s:
    """The body's mirror image: sides exchanged, and x with its sign."""
    return xyz[..., _MIRRORED, :] * np.array([-1, 1, 1], dtype=np.float32)


def channels(xyz: Float32s, *, right: bool) -> Float32s:
    """[n, JOINTS, 3] becomes [n, CHANNELS], NaN where a joint is unseen. `right` says that the
    right side works."""
    placed = angles.completed(mirrored(xyz) if right else xyz)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.concatenate(
            [angles.of_positions(placed)[:, _ANGLES], _arms(placed), *_lower(placed)], axis=1
        ).astype(np.float32, copy=False)


def _arms(xyz: Float32s) -> Float32s:
    up = xyz[:, J.NECK] - xyz[:, J.MID_HIP]
    own = _axes(up, xyz[:, J.SHOULDER_L] - xyz[:, J.SHOULDER_R])
    seen = _directions(xyz, _ARMS) @ own.swapaxes(-1, -2)
    seen[..., 0] *= _OUTWARD
    return DIRECTION * seen.reshape(len(xyz), -1)


def _lower(xyz: Float32s) -> tuple[Float32s, Float32s]:
    hips = xyz[:, J.HIP_L] - xyz[:, J.HIP_R]
    level = _axes(np.broadcast_to(_UP, hips.shape), hips)
    seen = (_directions(xyz, _LEGS) @ level.swapaxes(-1, -2))[..., ::2]
    seen[..., 0] *= _OUTWARD
    knees = xyz[:, J.KNEE_L] - xyz[:, J.KNEE_R]
    ankles = xyz[:, J.ANKLE_L] - xyz[:, J.ANKLE_R]
    feet = (xyz[:, J.ANKLE_L] + xyz[:, J.ANKLE_R]) / 2
    apart = np.stack([knees, ankles, xyz[:, J.MID_HIP] - feet], axis=1)
    shares = (LENGTH / _leg(xyz)) * (apart @ level.swapaxes(-1, -2))
    distances = shares.reshape(len(xyz), -1)[:, [0, 3, 5, 4, 7, 6, 8]]
    return DIRECTION * seen.reshape(len(xyz), -1), distances


def _leg(xyz: Float32s) -> np.float32:
    """The median length of both legs; a sensor's bones are not of constant length."""
    starts, ends = zip(*_LEGS, strict=True)
    lengths = np.linalg.norm(xyz[:, list(ends)] - xyz[:, list(starts)], axis=-1)
    seen = np.isfinite(lengths)
    if seen.all():
        return np.float32(np.median(lengths, axis=0).sum() / 2)
    middle = [np.median(one[known]) for one, known in zip(lengths.T, seen.T, strict=True)
              if known.any()]  # fmt: skip
    return np.float32(2 * np.mean(middle)) if middle else np.float32(np.nan)


def _directions(xyz: Float32s, bones: tuple[tuple[Joint, Joint], ...]) -> Float32s:
    starts, ends = zip(*bones, strict=True)
    return _unit(xyz[:, list(ends)] - xyz[:, list(starts)])


def _axes(up: Float32s, side: Float32s) -> Float32s:
    """Left, up and forward as rows, [n, 3, 3]."""
    up = _unit(up)
    left = _unit(side - (side * up).sum(-1, keepdims=True) * up)
    return np.stack([left, up, left[:, [1, 2, 0]] * up[:, [2, 0, 1]]
                     - left[:, [2, 0, 1]] * up[:, [1, 2, 0]]], axis=1)  # fmt: skip


def _unit(vectors: Float32s) -> Float32s:
    return vectors / np.sqrt((vectors * vectors).sum(-1, keepdims=True))
