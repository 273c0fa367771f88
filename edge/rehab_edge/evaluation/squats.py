"""Deep squats by Vicon with the paper's scores: reading, the paper's split, the network's inputs.

Liao, Vakanski and Xian 2020, doi 10.1109/TNSRE.2020.2966249: 90 pairs of a correct and an incorrect
repetition, 62 of each drawn at random for training and 28 for validation. So repetitions of one
person stand on both sides; unseen people are measured apart. Their networks stopped training by the
validation part that they report; ours does not look at it.
"""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rehab_edge.errors import Unreadable
from rehab_edge.skeleton import Float32s

COLUMNS = 117
FRAMES = 240
MOMENTS = 60
STATISTICS = 8
SUMMARY = COLUMNS * STATISTICS
TRAINING_SHARE = 62 / 90
PATH = Path("vicon_m01") / "m01_aligned240.npz"


@dataclass(frozen=True)
class Squats:
    """A row for each repetition. `curve` is [n, MOMENTS, COLUMNS] degrees, `score` 0..1."""

    subject: np.ndarray
    episode: np.ndarray
    correct: np.ndarray
    score: Float32s
    curve: Float32s
    summary: Float32s

    def __len__(self) -> int:
        return len(self.subject)

    @property
    def keys(self) -> np.ndarray:
        """A number for each repetition that stays the same whatever else the file holds."""
        return (self.subject * 1000 + self.episode) * 2 + self.correct


def read(folder: Path) -> Squats:
    """Raises Unreadable."""
    path = folder / PATH
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as held:
            both = [held["correct_cdeg"], held["incorrect_cdeg"]]
            scores = [held["score_correct"], held["score_incorrect"]]
            subject, episode = held["subject"].astype(int), held["episode"].astype(int)
    except FileNotFoundError:
        raise Unreadable(f"{path} is not there") from None
    except KeyError as error:
        raise Unreadable(f"{path} has no array {error.args[0].split()[0]}") from None
    except (OSError, ValueError, EOFError, zipfile.BadZipFile):
        raise Unreadable(f"{path} cannot be read as an .npz file") from None
    pairs = len(subject)
    if any(one.shape != (pairs, FRAMES, COLUMNS) for one in both):
        raise Unreadable(f"{path}: the angles are not [{pairs}, {FRAMES}, {COLUMNS}]")
    degrees = np.concatenate(both).astype(np.float32) / 100
    curve = degrees.reshape(2 * pairs, MOMENTS, FRAMES // MOMENTS, COLUMNS).mean(axis=2)
    return Squats(
        subject=np.tile(subject, 2),
        episode=np.tile(episode, 2),
        correct=np.repeat([True, False], pairs),
        score=np.concatenate(scores).astype(np.float32),
        curve=curve,
        summary=summaries(curve),
    )


def summaries(curve: Float32s) -> Float32s:
    """[n, SUMMARY]."""
    low, high = curve.min(axis=1), curve.max(axis=1)
    step = np.abs(np.diff(curve, axis=1)).mean(axis=1)
    parts = (curve.std(axis=1), high - low, curve.mean(axis=1), low, high, step)
    return np.concatenate([*parts, curve[:, 0], curve[:, MOMENTS // 2]], axis=1)


def split(squats: Squats, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows to train on and rows to report, drawn apart from the correct and the incorrect ones as
    in the paper."""
    chance = np.random.default_rng(seed)
    training = []
    for taken in (True, False):
        rows = np.flatnonzero(squats.correct == taken)
        training.append(chance.permutation(rows)[: round(TRAINING_SHARE * len(rows))])
    chosen = np.sort(np.concatenate(training))
    return chosen, np.setdiff1d(np.arange(len(squats)), chosen)
