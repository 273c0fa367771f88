"""Train every network that rehab-edge ships, on one thread, from fixed seeds.

    python -m training RECORDINGS [--build FOLDER] [--ship FOLDER]

`RECORDINGS` holds kinect/ and vicon_m01/ (UI-PRMD). Everything is written below `--build`; what is
shipped is copied to `--ship`, the package's `models`: of the folds, which leave one person out
each, int8 alone.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import time
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")

import keras
import numpy as np
import tensorflow as tf

from rehab_edge.evaluation import squats as recorded_squats
from rehab_edge.evaluation.measures import mean_absolute_deviation, root_mean_square
from training import card, form, squats
from training.dataset import Dataset, dataset
from training.probe import probe

SEED = 20
VARIANTS = 6
SPLITS = range(5)
HERE = Path(__file__).parent
SHIP = HERE.parent / "rehab_edge" / "models"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m training", description=__doc__)
    parser.add_argument("recordings", type=Path)
    parser.add_argument("--build", type=Path, default=HERE / "build")
    parser.add_argument("--ship", type=Path, default=SHIP)
    asked = parser.parse_args()
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    tf.config.experimental.enable_op_determinism()
    began = time.process_time()
    _write(asked.build, {"probe.tflite": probe()})
    alone = _squats(asked.build, recorded_squats.read(asked.recordings))
    data = dataset(asked.recordings, variants=VARIANTS, seed=SEED)
    _forms(asked.build, data)
    facts = {
        "seed": SEED,
        "subjects": sorted(int(one) for one in np.unique(data.subject)),
        "repetitions": len(data),
        "variants": VARIANTS,
        "tensorflow": metadata.version("tensorflow-cpu"),
        "cpu_s": round(time.process_time() - began),
        "squat_left_out": alone,
    }
    _write(asked.build, {"training.json": (json.dumps(facts, indent=2) + "\n").encode()})
    ship(asked.build, asked.ship)
    card.write(asked.recordings, asked.build, asked.ship)


def _squats(build: Path, data: recorded_squats.Squats) -> Mapping[str, float]:
    for seed in SPLITS:
        rows, _ = recorded_squats.split(data, seed)
        usual, model = squats.train(data, rows, seed)
        _write(build / "squat" / f"seed{seed}", squats.files(data, rows, usual, model))
        _told(f"squat, split {seed}")
    return _left_out(data)


def _left_out(data: recorded_squats.Squats) -> Mapping[str, float]:
    """Each person's squats by a network that has not seen that person, beside a constant."""
    scored, constant = np.zeros(len(data)), np.zeros(len(data))
    for subject in np.unique(data.subject):
        held = np.flatnonzero(data.subject == subject)
        usual, model = squats.train(data, np.flatnonzero(data.subject != subject), int(subject))
        seen = usual.inputs(data, held)
        answer = model([seen["curve"], seen["summary"]]).numpy()[:, 0]
        scored[held], constant[held] = usual.scored(answer), usual.score[0]
        _told(f"squat, without subject {subject}")
        keras.backend.clear_session()
    return {
        "mad": round(mean_absolute_deviation(scored, data.score), 4),
        "rms": round(root_mean_square(scored, data.score), 4),
        "constant_mad": round(mean_absolute_deviation(constant, data.score), 4),
    }


def _forms(build: Path, data: Dataset) -> None:
    subjects = np.unique(data.subject)
    whole = form.train(data, np.arange(len(data)), SEED)
    _write(build / "form", whole.files)
    _told("form")
    for subject in subjects:
        rows = np.flatnonzero(data.subject != subject)
        _write(build / "folds" / f"s{subject:02d}", form.train(data, rows, SEED).files)
        _told(f"form, without subject {subject}")
        keras.backend.clear_session()


def _write(folder: Path, files: Mapping[str, bytes]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, held in files.items():
        (folder / name).write_bytes(held)


def ship(build: Path, to: Path) -> None:
    for part in ("form", "folds", "squat"):
        shutil.rmtree(to / part, ignore_errors=True)
        shutil.copytree(build / part, to / part)
    for unneeded in (to / "folds").rglob("*.float32.tflite"):
        unneeded.unlink()
    for name in ("probe.tflite", "training.json"):
        shutil.copy(build / name, to / name)


def _told(what: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {what}", flush=True)


if __name__ == "__main__":
    main()
