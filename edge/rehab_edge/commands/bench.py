"""`rehab-edge bench`: how fast and how right, on recordings of any people."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from rehab_edge.errors import EdgeError
from rehab_edge.evaluation.report import CALLS, Figures, report

RECORDINGS = Path("../shared/data/uiprmd")
WIDE = 130
"""Columns where no terminal tells how many there are."""
_COLUMNS = (
    ("auc", "AUC"),
    ("pooled_auc", "pooled"),
    ("accuracy", "balanced"),
    ("calibrated_auc", "AUC cal."),
    ("calibrated_pooled_auc", "pooled cal."),
    ("calibrated_accuracy", "balanced cal."),
    ("aligned_auc", "AUC aligned"),
    ("aligned_accuracy", "balanced aligned"),
)


def bench(
    data: Annotated[
        Path | None, typer.Option(help="Folder with kinect/; else REHAB_RECORDINGS.")
    ] = None,
    calls: Annotated[int, typer.Option(min=10, help="For each figure of speed.")] = CALLS,
    to: Annotated[Path | None, typer.Option("--json", help="Write the figures there.")] = None,
) -> None:
    """Speed and accuracy of the learned scorers, beside a constant guess."""
    folder = data or Path(os.environ.get("REHAB_RECORDINGS", RECORDINGS))
    try:
        figures = report(folder, calls=calls)
    except EdgeError as error:
        typer.echo(f"rehab-edge: {error}", err=True)
        raise typer.Exit(1) from None
    show(Console(width=None if sys.stdout.isatty() else WIDE), figures)
    if to:
        to.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


def show(console: Console, figures: Figures) -> None:
    for name, rows in figures["form"].items():
        console.print(_form(name, rows))
    who = figures["subjects"]
    console.print(
        f"People seen in training, each scored by a network without them:"
        f" {_list(who['left_out_of_a_fold'])}; scored by the shipped network:"
        f" {_list(who['shipped_network'])}. A constant guess has 0.5 throughout. `cal.` is beside"
        " the person's first three correct repetitions; `aligned` besides moves each take to the"
        " same posture at rest, since takes differ in that too."
    )
    console.print(_counting(figures["counting"]))
    if figures["squat"]:
        console.print(_squat(figures["squat"]))
    console.print(_speed(figures["speed"]))
    console.print(_after_pose(figures["after_pose"]))


def _list(subjects: list[int]) -> str:
    return ", ".join(map(str, subjects)) or "nobody"


def _form(name: str, rows: list[Figures]) -> Table:
    table = Table(
        "movement", "people", "abstained", *(title for _, title in _COLUMNS), title=f"Form, {name}"
    )
    for one in rows:
        values = (one[column] for column, _ in _COLUMNS)
        table.add_row(
            one["movement"],
            str(one["people"]),
            f"{one['abstained']} of {one['repetitions']}",
            *("-" if value is None else f"{value:.3f}" for value in values),
            end_section=one is rows[-2] if len(rows) > 1 else False,
        )
    return table


def _counting(rows: list[Figures]) -> Table:
    table = Table(
        *("movement", "takes", "exact", "within one", "mean error", "exact, guessing one"),
        title="Repetitions counted in takes that nobody cut",
    )
    for one in rows:
        shares = (f"{one[name]:.1%}" for name in ("exact", "within_one"))
        guess = f"{one['constant_exact']:.1%}"
        table.add_row(
            one["movement"], str(one["sequences"]), *shares, f"{one['mean_error']:.2f}", guess
        )
    return table


def _after_pose(rows: list[Figures]) -> Table:
    table = Table("stage", "calls", "p50 us", "p99 us", title="After the pose, one thread")
    for one in rows:
        table.add_row(
            one["stage"], str(one["calls"]), f"{one['p50_us']:.0f}", f"{one['p99_us']:.0f}"
        )
    return table


def _squat(rows: list[Figures]) -> Table:
    names = [name for name in rows[0] if name != "people"]
    table = Table("people", *names, title="Deep squat, Vicon: deviation from the paper's score")
    for one in rows:
        table.add_row(one["people"], *(str(one[name]) for name in names))
    return table


def _speed(rows: list[Figures]) -> Table:
    names = {
        "p50_us": "p50 us",
        "p99_us": "p99 us",
        "cpu_p50_us": "CPU p50",
        "cpu_p99_us": "CPU p99",
    }
    table = Table("stage", *names.values(), title="One thread")
    for one in rows:
        table.add_row(one["stage"], *(f"{one[name]:.0f}" for name in names))
    return table
