"""The device on every TFLite runtime there is: speed on one thread, counting, and scores of unseen
people, beside a constant guess.

    python -m bench.edge [--json PATH]

DATA (a folder with kinect/) and CALLS may be set in the environment. tflite-runtime needs numpy 1,
so the measuring runs in a process of its own that finds both in `.venv/tflite`.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.measure import Row, show

ROOT = Path(__file__).parents[1]
BESIDE = Path(sys.prefix) / "tflite"
RECORDINGS = ROOT.parent / "shared" / "data" / "uiprmd"
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")
EXACT_MOVEMENTS = ("m01", "m05", "m07", "m10")
GUESS = "a constant guess"


def command(figures: Path) -> list[str]:
    told = os.environ.get("DATA") or os.environ.get("REHAB_RECORDINGS") or RECORDINGS
    asked = [sys.executable, "-m", "rehab_edge", "bench", "--data", str(told)]
    if calls := os.environ.get("CALLS"):
        asked += ["--calls", calls]
    return [*asked, "--json", str(figures)]


def rows(figures: dict[str, Any]) -> Iterator[Row]:
    """What has a goal; a movement or recording that is not in the folder has no row."""
    speed = {one["stage"]: one["p99_us"] / 1000 for one in figures["speed"]}
    after = {one["stage"]: one["p99_us"] / 1000 for one in figures["after_pose"]}
    yield _below("scorer, p99 on one thread", speed["scorer"], "ms", 1, "goal in ms")
    whole = sum(after.values()) + speed["scorer"]
    yield _below("a frame that ends a repetition, p99", whole, "ms", 5, "goal in ms")
    for name, found in figures["form"].items():
        mean = found[-1]
        what = f"unseen people, {name}"
        yield _above(f"{what}: AUC", mean["auc"], 0.95, 0.5)
        calibrated = mean["calibrated_accuracy"]
        if calibrated is not None:
            yield _above(f"{what}: balanced accuracy, calibrated", calibrated, 0.90, 0.5)
    for one in figures["counting"]:
        goal = 0.95 if one["movement"] in EXACT_MOVEMENTS else 0.85
        if one["movement"] in (*EXACT_MOVEMENTS, "all"):
            what = f"counted exactly, {one['movement']}"
            yield _above(what, one["exact"], goal, one["constant_exact"])
    for one in figures["squat"]:
        paper = one["people"] == "paper's split"
        what = f"deep squat, {one['people']}, {one['runtime']} {one['variant']}: deviation"
        yield _below(what, one["mad"], "", 0.0140 if paper else None, GUESS, one["constant_mad"])


def _above(what: str, value: float, goal: float, guess: float) -> Row:
    ratio = round(value / guess, 2) if guess else 0.0
    return Row(what, value, "", GUESS, guess, ratio, f">= {goal:g}", value >= goal)


def _below(
    what: str, value: float, unit: str, goal: float | None, named: str, beside: float | None = None
) -> Row:
    base = beside if beside is not None else goal or 0.0
    wanted = "" if goal is None else f"<= {goal:g} {unit}".strip()
    holds = None if goal is None else value <= goal
    return Row(what, round(value, 5), unit, named, base, round(value / base, 2), wanted, holds)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.edge")
    parser.add_argument("--json", type=Path)
    path = parser.parse_args().json
    environment = os.environ | dict.fromkeys(THREADS, "1") | {"PYTHONPATH": str(BESIDE)}
    with tempfile.TemporaryDirectory() as folder:
        figures = Path(folder) / "figures.json"
        ended = subprocess.run(command(figures), env=environment, check=False).returncode
        if ended == 0:
            show(list(rows(json.loads(figures.read_text()))), path)
        return ended


if __name__ == "__main__":
    sys.exit(main())
