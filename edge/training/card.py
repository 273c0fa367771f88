"""The model card, from what was measured: `python -m training.card RECORDINGS` writes it anew.

The folds are measured in both variants here, from the build folder; what is shipped has int8 alone.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from rehab_edge.evaluation import paper, squats
from rehab_edge.evaluation.tables import Told, tables
from rehab_edge.evaluation.unseen import answers

RUNTIME = "ai-edge-litert"
HERE = Path(__file__).parent
BUILD = HERE / "build"
SHIP = HERE.parent / "rehab_edge" / "models"
COLUMNS = {
    "auc": "AUC",
    "pooled_auc": "pooled AUC",
    "accuracy": "balanced accuracy",
    "calibrated_auc": "AUC, calibrated",
    "calibrated_pooled_auc": "pooled, calibrated",
    "calibrated_accuracy": "balanced accuracy, calibrated",
    "aligned_auc": "AUC, aligned",
    "aligned_accuracy": "balanced accuracy, aligned",
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m training.card", description=__doc__)
    parser.add_argument("recordings", type=Path)
    write(parser.parse_args().recordings)


def write(recordings: Path, build: Path = BUILD, ship: Path = SHIP) -> None:
    facts = json.loads((build / "training.json").read_text())
    form = {
        variant: tables(answers(recordings, models=build, variant=variant, runtime=RUNTIME))
        for variant in ("float32", "int8")
    }
    figures = {
        "form": {name: [vars(one) for one in told] for name, told in form.items()},
        "squat": _squats(recordings, build),
        "files": {
            path.relative_to(build).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted((build / "form").iterdir())
        },
    }
    held = json.dumps(figures, indent=1, default=_rounded) + "\n"
    (ship / "card.json").write_text(held)
    text = (HERE / "CARD.in.md").read_text()
    for name, part in _parts(facts, form, figures).items():
        text = text.replace("{" + name + "}", part)
    (ship / "CARD.md").write_text(text)


def _squats(recordings: Path, build: Path) -> Mapping[str, Sequence[Mapping[str, float]]]:
    recorded = squats.read(recordings)
    return {
        variant: [
            vars(one)
            for one in paper.deviations(
                recorded, variant=variant, runtime=RUNTIME, unseen=False, models=build / "squat"
            )
        ]
        for variant in ("float32", "int8")
    }


def _parts(
    facts: Mapping[str, Any], form: Mapping[str, Sequence[Told]], figures: Mapping[str, Any]
) -> Mapping[str, str]:
    alone = facts["squat_left_out"]
    return {
        "subjects": ", ".join(map(str, facts["subjects"])),
        "repetitions": str(facts["repetitions"]),
        "variants": str(facts["variants"]),
        "seed": str(facts["seed"]),
        "tensorflow": facts["tensorflow"],
        "cpu_min": f"{facts['cpu_s'] / 60:.0f}",
        "form_float32": _table(form["float32"]),
        "form_int8": _table(form["int8"][-1:]),
        "squat": _squat_table(figures["squat"]),
        "squat_alone": f"{alone['mad']:.4f} (RMS {alone['rms']:.4f}; constant"
        f" {alone['constant_mad']:.4f})",
        "files": "\n".join(f"- `{name}` sha256 `{one}`" for name, one in figures["files"].items()),
    }


def _table(told: Sequence[Told]) -> str:
    lines = ["| movement | " + " | ".join(COLUMNS.values()) + " |", "|---" * 9 + "|"]
    for one in told:
        values = (f"{getattr(one, column):.3f}" for column in COLUMNS)
        lines.append(f"| {one.movement} | " + " | ".join(values) + " |")
    return "\n".join(lines)


def _squat_table(told: Mapping[str, Sequence[Mapping[str, float]]]) -> str:
    lines = ["| variant | MAD, mean of splits | lowest to highest | RMS | constant's MAD |"]
    lines.append("|---|---|---|---|---|")
    for variant, each in told.items():
        mad = [one["mad"] for one in each]
        rms, constant = (np.mean([one[name] for one in each]) for name in ("rms", "constant_mad"))
        lines.append(
            f"| {variant} | {np.mean(mad):.4f} | {min(mad):.4f} to {max(mad):.4f} | {rms:.4f}"
            f" | {constant:.4f} |"
        )
    return "\n".join(lines)


def _rounded(value: object) -> float:
    return round(float(value), 5)


if __name__ == "__main__":
    main()
