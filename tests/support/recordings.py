"""Recordings of human movement for tests: the real ones where they are, small ones made here."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

REPOSITORY = Path(__file__).parents[2]
JOINTS = 22
THIGH_CM = SHANK_CM = 40.0
FRAMES_PER_S = 30


def real_recordings() -> Path | None:
    """UI-PRMD beside the repository, or where REHAB_RECORDINGS says."""
    told = os.environ.get("REHAB_RECORDINGS")
    folder = Path(told) if told else REPOSITORY.parent / "shared" / "data" / "uiprmd"
    return folder if (folder / "kinect").is_dir() else None


def make_recordings(folder: Path, *, subjects: tuple[int, ...] = (91, 92), reps: int = 4) -> Path:
    """A squat, an abduction and a rotation, the last subject's with the left arm, in the format of
    UI-PRMD's Kinect files."""
    (folder / "kinect").mkdir(parents=True)
    for name, pose in (("m01", _squat), ("m07", _abduction), ("m09", _rotation)):
        for take, reach in (("correct", 1.0), ("incorrect", 0.7)):
            chance = np.random.default_rng([ord(letter) for letter in name + take])
            angles, positions, index = [], [], []
            first = 0
            for subject in subjects:
                for episode in range(1, reps + 1):
                    share = _there_and_back(chance)
                    pace = reach * chance.uniform(0.9, 1.1) * share
                    turned, placed = pose(pace, left=subject == subjects[-1])
                    turned += chance.normal(0, 0.3, turned.shape)
                    index.append((subject, episode, first, len(share)))
                    first += len(share)
                    angles.append(turned)
                    positions.append(placed)
            np.savez_compressed(
                folder / "kinect" / f"{name}_{take}.npz",
                angles_cdeg=np.round(100 * np.concatenate(angles)).astype(np.int16).reshape(-1, 66),
                positions_x50=np.round(50 * np.concatenate(positions))
                .astype(np.int16)
                .reshape(-1, 66),
                index=np.array(index, dtype=np.int32),
            )
    return folder


def _there_and_back(chance: np.random.Generator) -> np.ndarray:
    """From 0 to 1 and back, with rests."""
    out, hold, back = (round(FRAMES_PER_S * chance.uniform(*s)) for s in ((0.8, 1.2),) * 3)
    still = np.zeros(6)
    way = (1 - np.cos(np.pi * np.linspace(0, 1, out))) / 2
    home = (1 + np.cos(np.pi * np.linspace(0, 1, back))) / 2
    return np.concatenate([still, way, np.ones(hold // 4), home, still])


def _standing(frames: int) -> tuple[np.ndarray, np.ndarray]:
    """Arms hanging, legs straight: angles in degrees and offsets from the parent joint in cm."""
    angles, positions = np.zeros((frames, JOINTS, 3)), np.zeros((frames, JOINTS, 3))
    angles[:, 7, 2], angles[:, 11, 2] = -78, 78
    positions[:, 0] = (0, THIGH_CM + SHANK_CM, -240)
    for hip, outward in ((14, 1), (18, -1)):
        positions[:, hip] = (8 * outward, 0, 0)
        positions[:, hip + 1] = (0, -THIGH_CM, 0)
        positions[:, hip + 2] = (0, -SHANK_CM, 0)
    return angles, positions


def _squat(share: np.ndarray, *, left: bool) -> tuple[np.ndarray, np.ndarray]:
    """Both knees bend and open to the sides; the waist sinks so that the ankles stay down."""
    angles, positions = _standing(len(share))
    for hip, outward in ((14, 1), (18, -1)):
        bend = 100 * share * (1.05 if (outward == 1) == left else 1)
        angles[:, hip] = np.stack([-0.8 * bend, 0.4 * outward * bend, 0.3 * outward * bend], -1)
        angles[:, hip + 1] = np.stack([bend, -0.3 * outward * bend, 0 * bend], -1)
    legs = [_leg_height(angles, positions, hip) for hip in (14, 18)]
    positions[:, 0, 1] = -np.mean(legs, axis=0)
    return angles, positions


def _leg_height(angles: np.ndarray, positions: np.ndarray, hip: int) -> np.ndarray:
    shank = turned(positions[:, hip + 2], angles[:, hip + 1])
    return turned(positions[:, hip + 1] + shank, angles[:, hip])[:, 1]


def _abduction(share: np.ndarray, *, left: bool) -> tuple[np.ndarray, np.ndarray]:
    angles, positions = _standing(len(share))
    shoulder, outward = (7, 1) if left else (11, -1)
    angles[:, shoulder, 2] = outward * (-78 + 120 * share)
    return angles, positions


def _rotation(share: np.ndarray, *, left: bool) -> tuple[np.ndarray, np.ndarray]:
    """The upper arm to the side, the forearm from upright forward and down."""
    angles, positions = _standing(len(share))
    shoulder, outward = (7, 1) if left else (11, -1)
    angles[:, shoulder] = 0
    angles[:, shoulder, 0] = 110 * share
    angles[:, shoulder + 1, 2] = 80 * outward
    return angles, positions


def turned(
    vectors: np.ndarray, angles_deg: np.ndarray, order: tuple[int, ...] = (2, 0, 1)
) -> np.ndarray:
    """Vectors of a joint's frame in its parent's. `order` names the axes of the matrices from left
    to right, so that the last one turns first. Written without matrices, to check those by."""
    found = vectors
    for axis in reversed(order):
        first, second = (axis + 1) % 3, (axis + 2) % 3
        angle = np.radians(angles_deg[..., axis])
        moved = found.copy()
        moved[..., first] = np.cos(angle) * found[..., first] - np.sin(angle) * found[..., second]
        moved[..., second] = np.sin(angle) * found[..., first] + np.cos(angle) * found[..., second]
        found = moved
    return found
