"""What the learned scorer sees of each frame: 43 channels of posture, independent of where the
person stands, which way they face, how tall they are and which side works.

`w` is the working side and `o` the other. Angles are those of `rehab_edge.angles`. The upper arm
and the forearm are told as directions in the trunk's own axes (left or right turned outward, up,
forward), thigh and shank as directions against the vertical and the line of the hips: a direction
has no jump at 180 degrees, an angle in a plane has. Distances are shares of the legs' length. All
are scaled to run through about as many units as an angle does degrees.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from rehab_edge.angles import completed
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
DIRECTION = 90.0
"""Of a unit vector's component, so that a quarter turn counts about as much as its degrees."""
LENGTH = 50.0
"""Of a distance in legs' lengths."""
J = Joint
_BONES = (
    (J.HIP_L, J.KNEE_L), (J.HIP_R, J.KNEE_R), (J.KNEE_L, J.ANKLE_L), (J.KNEE_R, J.ANKLE_R),
    (J.ANKLE_L, J.TOE_L), (J.ANKLE_R, J.TOE_R),
    (J.SHOULDER_L, J.ELBOW_L), (J.SHOULDER_R, J.ELBOW_R),
    (J.ELBOW_L, J.WRIST_L), (J.ELBOW_R, J.WRIST_R),
    (J.NECK, J.HEAD), (J.MID_HIP, J.NECK), (J.HIP_R, J.HIP_L), (J.SHOULDER_R, J.SHOULDER_L),
)  # fmt: skip
_FROM, _TO = (np.array(ends) for ends in zip(*_BONES, strict=True))
_LEGS, _ARMS = slice(0, 4), slice(6, 10)
_NECK, _TRUNK, _HIPS, _SHOULDERS = 10, 11, 12, 13
_PAIRS = (
    (0, 2, 1), (1, 3, 1),  # knees: thigh and shank
    (0, _TRUNK, -1), (1, _TRUNK, -1),  # hips
    (6, _TRUNK, -1), (7, _TRUNK, -1),  # shoulders
    (6, 8, 1), (7, 9, 1),  # elbows
    (2, 4, 1), (3, 5, 1),  # ankles: shank and foot
    (_NECK, _TRUNK, 1),
)  # fmt: skip
_ONE, _OTHER = ([pair[at] for pair in _PAIRS] for at in (0, 1))
_SIGNS = np.array([sign for *_, sign in _PAIRS], dtype=np.float32)
_ANKLES = slice(8, 10)
_DEGREES = np.float32(180 / np.pi)
_NEXT, _LAST = [1, 2, 0], [2, 0, 1]
_DISTANCES = [0, 3, 5, 4, 7, 6, 8]
_MIRRORED = np.array(MIRROR)
_ACROSS = np.array([-1, 1, 1], dtype=np.float32)
_OUTWARD = np.array([1, -1, 1, -1], dtype=np.float32)


def mirrored(xyz: Float32s) -> Float32s:
    """The body's mirror image: sides exchanged, and x with its sign."""
    return xyz[..., _MIRRORED, :] * _ACROSS


def channels(xyz: Float32s, *, right: bool) -> Float32s:
    """[n, JOINTS, 3] becomes [n, CHANNELS], NaN where a joint is unseen. `right` says that the
    right side works."""
    placed = completed(mirrored(xyz) if right else xyz)
    with np.errstate(invalid="ignore", divide="ignore"):
        spans = placed[:, _TO] - placed[:, _FROM]
        lengths = np.sqrt(np.einsum("nij,nij->ni", spans, spans))
        bones = spans / lengths[..., None]
        both = bones[:, _HIPS] + bones[:, _SHOULDERS]
        body, chest = _pair(_axes, both, bones[:, _SHOULDERS], bones[:, _TRUNK])
        level, hips = _pair(_level, both, bones[:, _HIPS])
        parts = (
            _angles(bones, body, level),
            _arms(bones, chest),
            *_lower(placed, bones, lengths[:, _LEGS], hips),
        )
        return np.concatenate(parts, axis=1).astype(np.float32, copy=False)


def _angles(bones: Float32s, own: Float32s, level: Float32s) -> Float32s:
    """Those of `rehab_edge.angles` with these names, in a third of the time: the others are not
    worked out. A test holds them to it."""
    cosines = _dot(bones[:, _ONE], bones[:, _OTHER]) * _SIGNS
    between = np.arccos(np.clip(cosines, -1, 1, out=cosines), out=cosines)
    between[:, _ANKLES] -= np.float32(np.pi / 2)
    up = bones[:, _TRUNK]
    lean = np.arctan2((level @ up[:, :, None])[:, 2::-2, 0], up[:, 1:2])
    across = bones[:, _HIPS : _SHOULDERS + 1]
    drop = np.arcsin(np.clip(across[:, :, 1], -1, 1))
    hips, shoulders = np.moveaxis((across @ own.swapaxes(-1, -2))[:, :, ::2], 1, 0)
    twist = np.arctan2(
        shoulders[:, 1] * hips[:, 0] - shoulders[:, 0] * hips[:, 1],
        shoulders[:, 0] * hips[:, 0] + shoulders[:, 1] * hips[:, 1],
    )
    return _DEGREES * np.concatenate(
        [between[:, :10], lean, drop, twist[:, None], between[:, 10:]], axis=1
    )


def _arms(bones: Float32s, own: Float32s) -> Float32s:
    seen = bones[:, _ARMS] @ own.swapaxes(-1, -2)
    seen[..., 0] *= _OUTWARD
    return DIRECTION * seen.reshape(len(bones), -1)


def _lower(
    xyz: Float32s, bones: Float32s, lengths: Float32s, axes: Float32s
) -> tuple[Float32s, Float32s]:
    level = axes.swapaxes(-1, -2)
    seen = (bones[:, _LEGS] @ level)[..., ::2]
    seen[..., 0] *= _OUTWARD
    knees = xyz[:, J.KNEE_L] - xyz[:, J.KNEE_R]
    ankles = xyz[:, J.ANKLE_L] - xyz[:, J.ANKLE_R]
    feet = (xyz[:, J.ANKLE_L] + xyz[:, J.ANKLE_R]) / 2
    apart = np.stack([knees, ankles, xyz[:, J.MID_HIP] - feet], axis=1)
    shares = (LENGTH / _leg(lengths)) * (apart @ level)
    distances = shares.reshape(len(xyz), -1)[:, _DISTANCES]
    return DIRECTION * seen.reshape(len(xyz), -1), distances


def _leg(lengths: Float32s) -> np.float32:
    """Of thighs and shanks over time: the median length of both legs; a sensor's bones are not of
    constant length."""
    seen = np.isfinite(lengths)
    if seen.all():
        ordered, middle = np.sort(lengths, axis=0), len(lengths) // 2
        return np.float32((ordered[(len(lengths) - 1) // 2] + ordered[middle]).sum() / 4)
    known = [one[there] for one, there in zip(lengths.T, seen.T, strict=True) if there.any()]
    return np.float32(2 * np.mean([np.median(one) for one in known]) if known else np.nan)


def _dot(one: Float32s, other: Float32s) -> Float32s:
    return np.einsum("...i,...i->...", one, other)


def _pair(
    axes: Callable[..., Float32s], one: Float32s, other: Float32s, up: Float32s | None = None
) -> tuple[Float32s, Float32s]:
    """Axes for two sides at once: most of what numpy takes for so few frames is being called."""
    ups = () if up is None else (np.concatenate([up, up]),)
    found = axes(np.concatenate([one, other]), *ups)
    return found[: len(one)], found[len(one) :]


def _axes(side: Float32s, up: Float32s) -> Float32s:
    """Left, up and forward as rows, [n, 3, 3]; `up` is of length one."""
    across = side - _dot(side, up)[:, None] * up
    axes = np.empty((len(up), 3, 3), dtype=np.float32)
    left = axes[:, 0]
    np.divide(across, np.sqrt(_dot(across, across))[:, None], out=left)
    axes[:, 1] = up
    axes[:, 2] = left[:, _NEXT] * up[:, _LAST] - left[:, _LAST] * up[:, _NEXT]
    return axes


def _level(side: Float32s) -> Float32s:
    """As _axes, with the vertical up."""
    axes = np.zeros((len(side), 3, 3), dtype=np.float32)
    left = axes[:, 0]
    left[:] = side
    left[:, 1] = 0
    left /= np.sqrt(_dot(left, left))[:, None]
    axes[:, 1, 1] = 1
    axes[:, 2, 0], axes[:, 2, 2] = -left[:, 2], left[:, 0]
    return axes
