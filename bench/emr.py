"""The record system's side: what a resource costs before it is sent, and until it has arrived.

python -m bench.emr [--json PATH]
"""

from __future__ import annotations

import argparse
from pathlib import Path

from bench import fhir_delivery, fhir_mapping
from bench.measure import show


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.emr")
    parser.add_argument("--json", type=Path)
    path = parser.parse_args().json
    show([*fhir_mapping.rows(), *fhir_delivery.rows()], path)


if __name__ == "__main__":
    main()
