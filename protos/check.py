"""Check the contract: lint, and no change that breaks what was released.

Usage: check.py [--release]   (--release takes the contract as it is for the released one)
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from build import PROTOS, build

RELEASED = PROTOS / "released.binpb"
FOREIGN = ["buf", "google"]
CONFIG = json.dumps(
    {
        "version": "v2",
        "lint": {"use": ["STANDARD", "COMMENTS"], "ignore": FOREIGN},
        "breaking": {"use": ["WIRE_JSON"], "ignore": FOREIGN},
    }
)


def buf(*arguments: str) -> None:
    command = [str(Path(sys.executable).with_name("buf")), *arguments, "--config", CONFIG]
    if subprocess.run(command, check=False).returncode != 0:
        raise SystemExit(f"buf {arguments[0]} found faults in the contract")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        image = Path(folder, "image.binpb")
        image.write_bytes(build(Path(folder, "out")))
        buf("lint", str(image))
        if "--release" in sys.argv:
            RELEASED.write_bytes(image.read_bytes())
            return
        buf("breaking", str(image), "--against", str(RELEASED))


if __name__ == "__main__":
    main()
