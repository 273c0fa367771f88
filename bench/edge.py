"""The device's learned scorers on every TFLite runtime there is: speed on one thread, and accuracy
on the paper's split and on unseen people, beside a constant guess.

    python -m bench.edge [--json PATH]

DATA (a folder with kinect/) and CALLS may be set in the environment. tflite-runtime needs numpy 1,
so the measuring runs in a process of its own that finds both in `.venv/tflite`.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
BESIDE = Path(sys.prefix) / "tflite"
RECORDINGS = ROOT.parent / "shared" / "data" / "uiprmd"
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")


def command(json: Path | None) -> list[str]:
    told = os.environ.get("DATA") or os.environ.get("REHAB_RECORDINGS") or RECORDINGS
    asked = [sys.executable, "-m", "rehab_edge", "bench", "--data", str(told)]
    if calls := os.environ.get("CALLS"):
        asked += ["--calls", calls]
    return asked + (["--json", str(json)] if json else [])


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.edge")
    parser.add_argument("--json", type=Path)
    environment = os.environ | dict.fromkeys(THREADS, "1") | {"PYTHONPATH": str(BESIDE)}
    return subprocess.run(
        command(parser.parse_args().json), env=environment, check=False
    ).returncode


if __name__ == "__main__":
    sys.exit(main())
