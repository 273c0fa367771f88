"""The record system's side: what a resource costs before it is sent.

python -m bench.emr [--json PATH]
"""

from __future__ import annotations

import argparse
from pathlib import Path

from bench.fhir_mapping import rows
from bench.measure import show


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.emr")
    parser.add_argument("--json", type=Path)
    path = parser.parse_args().json
    show(rows(), path)


if __name__ == "__main__":
    main()
