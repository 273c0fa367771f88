"""Everything that is measured of the learned scorers, as plain figures for a table or a file."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from rehab_edge.errors import Unreadable
from rehab_edge.evaluation import paper, squats
from rehab_edge.evaluation.counting import counting
from rehab_edge.evaluation.following import after_pose
from rehab_edge.evaluation.people import Row, rows
from rehab_edge.evaluation.speed import speeds
from rehab_edge.evaluation.tables import tables
from rehab_edge.evaluation.unseen import answers, trained_on
from rehab_edge.exercises import Exercise
from rehab_edge.interpreter import self_test, usable
from rehab_edge.scoring.learned import unfit
from rehab_edge.scoring.network import VARIANTS
from rehab_edge.segment import segment
from rehab_edge.skeleton import Sequence as Frames

CALLS = 2000
AFTER_POSE_FRAMES = 5000
Figures = dict[str, Any]


def report(folder: Path, *, calls: int = CALLS) -> Figures:
    """Raises Unreadable when the folder has no Kinect recordings. Squats are told of when they are
    there."""
    recorded = list(rows(folder))
    seen = [one for one in recorded if not unfit(one.attempt)]
    runtimes = usable()
    return {
        "runtimes": {one: self_test(one).version for one in runtimes},
        "subjects": _subjects(seen),
        "unfit": len(recorded) - len(seen),
        "form": {
            f"{runtime} {variant}": [
                _rounded(asdict(one))
                for one in tables(answers(folder, variant=variant, runtime=runtime))
            ]
            for runtime in runtimes
            for variant in VARIANTS
            if _complete(seen, variant)
        },
        "counting": [_rounded(asdict(one)) for one in counting(folder, _number)],
        "squat": _squats(folder, runtimes),
        "speed": [_rounded(asdict(one), 1) for one in speeds(_sample(seen), calls)],
        "after_pose": [_rounded(asdict(one), 1) for one in after_pose(folder, AFTER_POSE_FRAMES)],
    }


def _number(frames: Frames, of: Exercise) -> int:
    return len(segment(frames, of))


def _subjects(seen: Sequence[Row]) -> Mapping[str, list[int]]:
    """Who is scored by what."""
    subjects, known = {one.subject for one in seen}, trained_on()
    return {
        "left_out_of_a_fold": sorted(subjects & known),
        "shipped_network": sorted(subjects - known),
    }


def _complete(seen: Sequence[Row], variant: str) -> bool:
    """The folds are shipped as int8 alone."""
    return variant == "int8" or not {one.subject for one in seen} & trained_on()


def _sample(seen: Sequence[Row]) -> list[Row]:
    """Some of every movement."""
    return list(seen[:: max(1, len(seen) // 100)])


def _squats(folder: Path, runtimes: Sequence[str]) -> list[Figures]:
    try:
        recorded = squats.read(folder)
    except Unreadable:
        return []
    found = []
    for unseen in (False, True):
        for runtime in runtimes:
            for variant in VARIANTS:
                told = paper.deviations(recorded, variant=variant, runtime=runtime, unseen=unseen)
                if told:
                    found.append(
                        {
                            "people": "unseen" if unseen else "paper's split",
                            "runtime": runtime,
                            "variant": variant,
                            "splits": len(told),
                            "rows": told[0].rows,
                            "mad": round(float(np.mean([one.mad for one in told])), 5),
                            "lowest": round(min(one.mad for one in told), 5),
                            "highest": round(max(one.mad for one in told), 5),
                            "rms": round(float(np.mean([one.rms for one in told])), 5),
                            "constant_mad": round(
                                float(np.mean([one.constant_mad for one in told])), 5
                            ),
                        }
                    )
    return found


def _rounded(figures: Mapping[str, Any], digits: int = 3) -> Figures:
    """Numbers that are none become None: JSON has no NaN."""
    return {
        name: (round(value, digits) if math.isfinite(value) else None)
        if isinstance(value, float)
        else value
        for name, value in figures.items()
    }
