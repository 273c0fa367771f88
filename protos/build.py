"""Generate the Python beside the protos.

Code of an old generator imports with old and new protobuf alike, code of a new one refuses old
ones; the SDK lives in other people's environments. So the generator is pinned at an old version
(generator.lock) in an environment of its own, `.venv-protos`.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from protobuf.wkt import FileDescriptorSet
from protovalidate._gen.buf.validate import validate_pb
from uv import find_uv_bin

PROTOS = Path(__file__).resolve().parent
GENERATOR = PROTOS.parent / ".venv-protos"


def validate_image() -> bytes:
    """The descriptor set of buf/validate/validate.proto, out of the protovalidate wheel."""
    files: dict[str, Any] = {}

    def add(file: Any) -> None:
        for dependency in file.dependencies:
            add(dependency)
        files.setdefault(file.name, file.proto)

    add(validate_pb.desc())
    return FileDescriptorSet(file=list(files.values())).to_binary()


def generator() -> Path:
    """The Python that has the pinned generator; made when it is missing or the pin has changed."""
    python = GENERATOR / "bin" / "python"
    lock = PROTOS / "generator.lock"
    stamp = GENERATOR / "generator.lock"
    if not stamp.exists() or stamp.read_text() != lock.read_text():
        uv = find_uv_bin()
        base = getattr(sys, "_base_executable", sys.executable)
        for command in (
            [uv, "venv", "--quiet", "--clear", "--python", base, str(GENERATOR)],
            [uv, "pip", "sync", "--quiet", "--python", str(python), "--require-hashes", str(lock)],
        ):
            subprocess.run(command, check=True)
        stamp.write_text(lock.read_text())
    return python


def build(out: Path = PROTOS) -> bytes:
    """Generate into `out`; the descriptor image with imports and comments is returned."""
    with tempfile.TemporaryDirectory() as folder:
        rules, image = Path(folder, "validate.binpb"), Path(folder, "image.binpb")
        rules.write_bytes(validate_image())
        subprocess.run(
            [str(generator()), str(PROTOS / "generate.py"), str(rules), str(image), str(out)],
            check=True,
        )
        return image.read_bytes()


if __name__ == "__main__":
    build()
