"""What is usual for one person: the mean of three repetitions done well.

Three, because a clinician watches a patient's first few repetitions anyway, and because a mean of
three has most of what a mean of ten has against the spread within one person.
"""

from __future__ import annotations

import io
import warnings
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rehab_edge.errors import Uncalibrated
from rehab_edge.scoring.channels import CHANNELS
from rehab_edge.scoring.window import MOMENTS, SUMMARY, Window

REPETITIONS = 3
LEAST_SEEN = 0.6
"""Share of the channels that each repetition of a baseline must show."""


@dataclass(frozen=True)
class PatientBaseline:
    """Of one exercise. `right` is the side that worked: the other side's form is its own."""

    exercise: str
    right: bool
    window: Window
    repetitions: int

    def to_bytes(self) -> bytes:
        """It tells how a person moves: keep it as PHI."""
        held = io.BytesIO()
        np.savez_compressed(
            held,
            exercise=np.array(self.exercise),
            right=np.array(self.right),
            repetitions=np.array(self.repetitions),
            curve=self.window.curve,
            summary=self.window.summary,
        )
        return held.getvalue()

    @classmethod
    def from_bytes(cls, held: bytes) -> PatientBaseline:
        """Raises Uncalibrated for anything else than what to_bytes gives."""
        try:
            with np.load(io.BytesIO(held), allow_pickle=False) as read:
                window = Window(read["curve"], read["summary"])
                found = cls(str(read["exercise"]), bool(read["right"]), window,
                            int(read["repetitions"]))  # fmt: skip
        except (ValueError, KeyError, OSError, EOFError, zipfile.BadZipFile) as error:
            raise Uncalibrated("the bytes hold no baseline") from error
        if window.curve.shape != (MOMENTS, CHANNELS) or window.summary.shape != (SUMMARY,):
            raise Uncalibrated("the baseline is of another version")
        return found


def baseline(exercise: str, windows: Sequence[Window], *, right: bool) -> PatientBaseline:
    """Of at least three repetitions. Raises Uncalibrated when they are fewer or too little of the
    body was seen."""
    if len(windows) < REPETITIONS:
        raise Uncalibrated(f"a baseline takes {REPETITIONS} repetitions, not {len(windows)}")
    if min(one.seen for one in windows) < LEAST_SEEN:
        raise Uncalibrated(f"a repetition shows less than {LEAST_SEEN:.0%} of the body")
    return PatientBaseline(exercise, right, mean_of(windows), len(windows))


def mean_of(windows: Sequence[Window]) -> Window:
    """Of those that saw it, moment by moment and channel by channel."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of channels that nobody saw
        return Window(
            np.nanmean([one.curve for one in windows], axis=0),
            np.nanmean([one.summary for one in windows], axis=0),
        )
