"""The RPCs of the contract, as its protos name them."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path

from google.protobuf.descriptor import MethodDescriptor

import rehab


def _methods() -> Iterator[tuple[str, MethodDescriptor]]:
    root = Path(next(iter(rehab.__path__)))
    for file in sorted(root.glob("**/*_service_pb2.py")):
        name = ".".join(("rehab", *file.relative_to(root).with_suffix("").parts))
        for service in importlib.import_module(name).DESCRIPTOR.services_by_name.values():
            for method in service.methods:
                yield f"/{service.full_name}/{method.name}", method


METHODS = dict(_methods())
"""By /package.Service/Method."""
