"""Joint angles from positions, in degrees; the same for every sensor and way a body is turned.

Angles between bones have no sign: 0 is the anatomical position, so a knee reads its flexion. Those
of a plane are measured in the trunk's own axes (Wu et al. 2005, doi 10.1016/j.jbiomech.2004.05.042,
2.3.3: y up the spine, z along the shoulders, x forward; here named left, up, forward), positive
forward and outward. Neutral-zero convention throughout (Ryf and Weymann 1995; Norkin and White,
Measurement of Joint Motion): flexion grows from 0.

A joint that is unseen makes its angles NaN, except where the body's build tells it: neck and middle
of the hips from their two sides, and a side from the middle and the other side.
"""

from __future__ import annotations

import numpy as np

from rehab_edge.skeleton import Float32s, Joint, Pose, Sequence

NAMES = (
    "knee_l", "knee_r",  # thigh to shank, 0 straight
    "hip_l", "hip_r",  # thigh to the trunk's downward axis, 0 standing
    "hip_flexion_l", "hip_flexion_r",  # of it the part seen from the side
    "hip_abduction_l", "hip_abduction_r",  # thigh out of the sagittal plane
    "ankle_l", "ankle_r",  # shank to foot, 0 at a right angle, positive with the toes up
    "shoulder_l", "shoulder_r",  # upper arm to the trunk's downward axis
    "shoulder_flexion_l", "shoulder_flexion_r",  # of it the part seen from the side
    "shoulder_abduction_l", "shoulder_abduction_r",  # and from the front
    "shoulder_rotation_l", "shoulder_rotation_r",  # forearm from the side, 0 forward, 90 up
    "elbow_l", "elbow_r",  # upper arm to forearm, 0 straight
    "knee_valgus_l", "knee_valgus_r",  # frontal projection angle, positive inward
    "thigh_l", "thigh_r",  # thigh to the vertical
    "trunk", "trunk_forward", "trunk_left",  # trunk to the vertical; its parts
    "pelvis_drop",  # line of the hips to the horizontal, positive with the left higher
    "shoulder_drop",  # line of the shoulders likewise
    "trunk_twist",  # shoulders against hips about the spine
    "neck",  # head to the trunk's upward axis
    "reach_l", "reach_r",  # wrist ahead of the shoulder, as a straight arm's angle, 0 hanging
)  # fmt: skip
ANGLES = len(NAMES)
AT = {name: column for column, name in enumerate(NAMES)}
VERTICAL = np.array([0, 1, 0], dtype=np.float32)
_LEFT = np.array([Joint.SHOULDER_L, Joint.HIP_L])
_RIGHT = np.array([Joint.SHOULDER_R, Joint.HIP_R])
_MIDDLE = np.array([Joint.NECK, Joint.MID_HIP])


def angles(of: Pose | Sequence) -> Float32s:
    """[..., ANGLES] in the order of NAMES."""
    return of_positions(of.xyz)


def completed(xyz: Float32s) -> Float32s:
    """With the joints that the body's build tells, where they were unseen."""
    found = xyz.copy()
    left, right, middle = found[..., _LEFT, :], found[..., _RIGHT, :], found[..., _MIDDLE, :]
    middle = _first(middle, np.float32(0.5) * (left + right))
    found[..., _MIDDLE, :] = middle
    found[..., _LEFT, :] = _first(left, 2 * middle - right)
    found[..., _RIGHT, :] = _first(right, 2 * middle - left)
    chest = np.float32(0.5) * (found[..., Joint.NECK, :] + found[..., Joint.MID_HIP, :])
    found[..., Joint.CHEST, :] = _first(found[..., Joint.CHEST, :], chest)
    return found


def _first(seen: Float32s, otherwise: Float32s) -> Float32s:
    return np.where(np.isnan(seen), otherwise, seen)


J = Joint
_BONES = (
    (J.HIP_L, J.KNEE_L), (J.HIP_R, J.KNEE_R), (J.KNEE_L, J.ANKLE_L), (J.KNEE_R, J.ANKLE_R),
    (J.ANKLE_L, J.TOE_L), (J.ANKLE_R, J.TOE_R),
    (J.SHOULDER_L, J.ELBOW_L), (J.SHOULDER_R, J.ELBOW_R), (J.ELBOW_L, J.WRIST_L),
    (J.ELBOW_R, J.WRIST_R), (J.MID_HIP, J.NECK), (J.NECK, J.HEAD),
    (J.HIP_R, J.HIP_L), (J.SHOULDER_R, J.SHOULDER_L),
)  # fmt: skip
_FROM = np.array([start for start, _ in _BONES])
_TO = np.array([end for _, end in _BONES])
THIGH, SHANK, FOOT, UPPER, FOREARM = (slice(at, at + 2) for at in range(0, 10, 2))
TRUNK, NECK, HIPS, SHOULDERS = 10, 11, 12, 13
_OUTWARD = np.array([1, -1], dtype=np.float32)


def of_positions(xyz: Float32s) -> Float32s:
    """Of [..., JOINTS, 3], as `angles`."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return _angles(_bones(completed(xyz)))


def _bones(xyz: Float32s) -> Float32s:
    """Unit vectors [..., bones, 3]; unknown where the two joints fall together."""
    return _unit(xyz[..., _TO, :] - xyz[..., _FROM, :])


def _unit(vectors: Float32s) -> Float32s:
    return vectors / np.sqrt(np.einsum("...i,...i->...", vectors, vectors))[..., None]


def _angles(bones: Float32s) -> Float32s:
    up, side = bones[..., TRUNK, :], bones[..., HIPS, :] + bones[..., SHOULDERS, :]
    own = _axes(up, side)
    level = _axes(np.broadcast_to(VERTICAL, up.shape), side)
    left, rise, ahead = np.moveaxis(bones @ np.swapaxes(own, -1, -2), -1, 0)
    found = np.empty((*bones.shape[:-2], ANGLES), dtype=np.float32)
    found[..., 0:2] = _between(bones[..., THIGH, :], bones[..., SHANK, :])
    found[..., 2:4] = _arccos(-rise[..., THIGH])
    found[..., 4:6] = np.arctan2(ahead[..., THIGH], -rise[..., THIGH])
    found[..., 6:8] = np.arcsin(np.clip(_OUTWARD * left[..., THIGH], -1, 1))
    found[..., 8:10] = _between(bones[..., SHANK, :], bones[..., FOOT, :]) - np.pi / 2
    found[..., 10:12] = _arccos(-rise[..., UPPER])
    found[..., 12:14] = np.arctan2(ahead[..., UPPER], -rise[..., UPPER])
    found[..., 14:16] = np.arctan2(_OUTWARD * left[..., UPPER], -rise[..., UPPER])
    found[..., 16:18] = np.arctan2(rise[..., FOREARM], ahead[..., FOREARM])
    found[..., 18:20] = _between(bones[..., UPPER, :], bones[..., FOREARM, :])
    found[..., 20:22] = _valgus(bones[..., :4, :] @ np.swapaxes(level, -1, -2))
    found[..., 22:24] = _arccos(-bones[..., THIGH, 1])
    found[..., 24] = _arccos(up[..., 1])
    sideways, upright, forward = np.moveaxis((level @ up[..., None])[..., 0], -1, 0)
    found[..., 25] = np.arctan2(forward, upright)
    found[..., 26] = np.arctan2(sideways, upright)
    found[..., 27:29] = np.arcsin(np.clip(bones[..., [HIPS, SHOULDERS], 1], -1, 1))
    found[..., 29] = np.arctan2(
        ahead[..., SHOULDERS] * left[..., HIPS] - left[..., SHOULDERS] * ahead[..., HIPS],
        left[..., SHOULDERS] * left[..., HIPS] + ahead[..., SHOULDERS] * ahead[..., HIPS],
    )
    found[..., 30] = _arccos(rise[..., NECK])
    found[..., 31:33] = np.arcsin(np.clip((ahead[..., UPPER] + ahead[..., FOREARM]) / 2, -1, 1))
    return np.degrees(found)


def _axes(up: Float32s, side: Float32s) -> Float32s:
    """Left, up and forward as rows, [..., 3, 3]."""
    left = _unit(side - np.einsum("...i,...i->...", side, up)[..., None] * up)
    return np.stack([left, up, _cross(left, up)], axis=-2)


def _cross(a: Float32s, b: Float32s) -> Float32s:
    """As np.cross, which takes five times as long for one frame."""
    return a[..., [1, 2, 0]] * b[..., [2, 0, 1]] - a[..., [2, 0, 1]] * b[..., [1, 2, 0]]


def _between(one: Float32s, other: Float32s) -> Float32s:
    return _arccos(np.einsum("...i,...i->...", one, other))


def _arccos(cosine: Float32s) -> Float32s:
    return np.arccos(np.clip(cosine, -1, 1))


def _valgus(legs: Float32s) -> Float32s:
    """Of thighs and shanks in level axes: how far the shank turns outward from the thigh, seen
    from the front (Willson and Davis 2008, doi 10.2519/jospt.2008.2706)."""
    thigh, shank = legs[..., THIGH, :], legs[..., SHANK, :]
    turn = thigh[..., 0] * shank[..., 1] - thigh[..., 1] * shank[..., 0]
    along = thigh[..., 0] * shank[..., 0] + thigh[..., 1] * shank[..., 1]
    return -_OUTWARD * np.arctan2(-turn, along)
