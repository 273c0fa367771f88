"""Compile the protos: the descriptor image for buf, and the Python beside each .proto.

The rules of protovalidate are options of an extension that the generated code must not import:
the SDK lives in environments that have only grpcio and protobuf. So the dependency on
`buf/validate/validate.proto` is dropped from the image before Python is generated. The rules stay
in the descriptors as unknown options, where the validation engine on the server reads them.

Usage: generate.py VALIDATE_IMAGE OUT_IMAGE [OUT_DIR]
    VALIDATE_IMAGE  descriptor set of buf/validate/validate.proto (build.py makes it)
    OUT_IMAGE       where the full image (imports, comments) is written
    OUT_DIR         where Python is written (default: beside the protos)
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from google.protobuf import descriptor_pb2
from grpc_tools import protoc

PROTOS = Path(__file__).parent
FOREIGN = ("buf/",)


def sources() -> list[str]:
    return sorted(path.relative_to(PROTOS).as_posix() for path in PROTOS.glob("rehab/**/*.proto"))


def run(*arguments: str) -> None:
    if protoc.main(["protoc", *arguments]) != 0:
        raise SystemExit("protoc failed")


def without_foreign(image: bytes) -> bytes:
    kept = descriptor_pb2.FileDescriptorSet()
    for file in descriptor_pb2.FileDescriptorSet.FromString(image).file:
        if file.name.startswith(FOREIGN):
            continue
        own = [name for name in file.dependency if not name.startswith(FOREIGN)]
        file.ClearField("dependency")
        file.dependency.extend(own)
        kept.file.append(file)
    return kept.SerializeToString(deterministic=True)


def add_packages(out: Path) -> None:
    """Make every generated folder a package that says it is typed."""
    for generated in out.glob("rehab/**/*_pb2.py"):
        for folder in generated.relative_to(out).parents[:-1]:
            (out / folder / "__init__.py").touch()
    (out / "rehab" / "py.typed").touch()


def main(validate_image: Path, out_image: Path, out: Path = PROTOS) -> None:
    files = sources()
    run(
        f"--descriptor_set_in={validate_image}",
        f"--proto_path={PROTOS}",
        "--include_imports",
        "--include_source_info",
        f"--descriptor_set_out={out_image}",
        *files,
    )
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(suffix=".binpb") as own:
        own.write(without_foreign(out_image.read_bytes()))
        own.flush()
        services = [name for name in files if name.endswith("_service.proto")]
        run(f"--descriptor_set_in={own.name}", f"--python_out={out}", f"--pyi_out={out}", *files)
        if services:
            run(f"--descriptor_set_in={own.name}", f"--grpc_python_out={out}", *services)
    add_packages(out)


if __name__ == "__main__":
    main(*(Path(argument) for argument in sys.argv[1:]))
