"""Write the descriptor set of buf/validate/validate.proto, taken out of the protovalidate wheel.

Usage: validate_image.py OUT
"""

from __future__ import annotations

import sys
from pathlib import Path

from protobuf.wkt import FileDescriptorSet
from protovalidate._gen.buf.validate import validate_pb


def main(out: Path) -> None:
    files = {}

    def add(file: object) -> None:
        for dependency in file.dependencies:
            add(dependency)
        files.setdefault(file.name, file.proto)

    add(validate_pb.desc())
    out.write_bytes(FileDescriptorSet(file=list(files.values())).to_binary())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
