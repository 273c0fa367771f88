"""Pictures of a session, drawn without a display (matplotlib's Agg)."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import numpy as np

from rehab_edge.angles import NAMES
from rehab_edge.errors import EdgeError
from rehab_edge.observed import Observed
from rehab_edge.report.summary import Summary
from rehab_edge.skeleton import Float32s

OTHERS = 3
"""Joints shown beside the primary one: those that moved most."""
MOST_POINTS = 4000
"""Of a line; more are not told apart on a page."""
WIDTH_IN, ROW_IN, DPI = 10.0, 2.3, 110
GOOD, FAIR, POOR, UNSCORED = "#1a7f5a", "#b98900", "#b3372f", "#7a7f87"
GOOD_FROM, FAIR_FROM = 70.0, 50.0
LEFT, RIGHT, MIDDLE = "#1f5fa8", "#c2571a", "#4a4a4a"


def picture(summary: Summary) -> bytes:
    """A PNG. Raises EdgeError without the extra."""
    others = moved_most(summary.angles, summary.primary)
    rows = 1 + len(others) + bool(summary.reps)
    figure = _figure(rows)
    axes = np.atleast_1d(figure.subplots(rows, 1))
    step = max(1, len(summary.t_s) // MOST_POINTS)
    _angles(axes[0], summary, summary.primary, step)
    axes[0].set_title(f"{summary.exercise}: {len(summary.reps)} repetitions", loc="left")
    for axis, columns in zip(axes[1:], others, strict=False):
        _angles(axis, summary, columns, step)
    if summary.reps:
        _scores(axes[-1], summary.reps)
    figure.align_ylabels()
    out = io.BytesIO()
    figure.savefig(out, format="png", dpi=DPI, metadata={"Software": None})
    return out.getvalue()


def moved_most(angles: Float32s, but: Sequence[int]) -> list[list[int]]:
    """Joints by how far they went, from the 5th to the 95th of a hundred frames; both sides of one
    are together."""
    spread: dict[str, float] = {}
    columns: dict[str, list[int]] = {}
    for column, name in enumerate(NAMES[: angles.shape[1]]):
        path = followed(angles[:, column])
        if column not in but and np.isfinite(path).any():
            joint = name.removesuffix("_l").removesuffix("_r")
            own = float(np.subtract(*np.nanpercentile(path, [95, 5])))
            spread[joint] = max(own, spread.get(joint, 0.0))
            columns.setdefault(joint, []).append(column)
    return [columns[joint] for joint in sorted(spread, key=lambda joint: -spread[joint])[:OTHERS]]


def followed(path: Float32s) -> Float32s:
    """An angle that passes 180 degrees goes on instead of jumping; gaps stay."""
    found = path.copy()
    there = np.isfinite(found)
    found[there] = np.unwrap(found[there], period=360.0)
    return found


def _figure(rows: int) -> Any:
    try:
        from matplotlib.figure import Figure  # noqa: PLC0415 - an extra
    except ImportError:
        raise EdgeError("reports need pip install 'rehab-edge[report]'") from None
    return Figure(figsize=(WIDTH_IN, ROW_IN * rows), layout="constrained")


def _angles(axis: Any, summary: Summary, columns: Sequence[int], step: int) -> None:
    for column in columns:
        name = NAMES[column]
        colour = LEFT if name.endswith("_l") else RIGHT if name.endswith("_r") else MIDDLE
        axis.plot(
            summary.t_s[::step],
            followed(summary.angles[:, column])[::step],
            color=colour,
            linewidth=1.2,
            label=name,
        )
    for rep in summary.reps:
        shade = 0.12 if rep.index % 2 else 0.2
        axis.axvspan(rep.start_s, rep.end_s, color=colour_of(rep), alpha=shade, linewidth=0)
        axis.text(
            (rep.start_s + rep.end_s) / 2,
            0.97,
            str(rep.index),
            transform=axis.get_xaxis_transform(),
            ha="center",
            va="top",
            fontsize=8,
        )
    axis.set_ylabel("degrees")
    axis.set_xlabel("seconds")
    axis.grid(alpha=0.25)
    if columns:
        axis.legend(loc="upper right", fontsize=8, framealpha=0.8)


def _scores(axis: Any, reps: Sequence[Observed]) -> None:
    """Bars for scores; a cross where there is none. The whisker is the doubt."""
    for rep in reps:
        if rep.score is None:
            axis.plot(rep.index, 3, marker="x", color=UNSCORED)
        else:
            axis.bar(rep.index, rep.score, color=colour_of(rep), alpha=0.3 + 0.7 * rep.confidence)
    axis.set_ylim(0, 100)
    axis.set_ylabel("score")
    axis.set_xlabel("repetition (paler: less sure; a cross: not scored)")
    axis.grid(axis="y", alpha=0.25)


def colour_of(rep: Observed) -> str:
    if rep.score is None:
        return UNSCORED
    if rep.score >= GOOD_FROM:
        return GOOD
    return FAIR if rep.score >= FAIR_FROM else POOR
