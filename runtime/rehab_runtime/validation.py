"""The rules of the contract, checked on messages: which field breaks which rule."""

from __future__ import annotations

from typing import Any

import protovalidate
from google.protobuf.message import Message

from rehab_runtime.errors import InvalidArgument, Violation

_validator = protovalidate.Validator()


def violations(message: Message, prefix: str = "") -> list[Violation]:
    """Every broken rule; `prefix` is the path of the message itself."""
    return [
        Violation(_path(found.proto, prefix), found.proto.rule_id, found.proto.message)
        for found in _validator.collect_violations(message)
    ]


def require_valid(message: Message, prefix: str = "") -> None:
    broken = violations(message, prefix)
    if broken:
        raise InvalidArgument(violations=broken)


def _path(violation: Any, prefix: str) -> str:
    parts = [prefix] if prefix else []
    elements = violation.field.elements if violation.field is not None else ()
    for element in elements:
        name = element.field_name
        subscript = element.subscript
        if subscript is not None and subscript.field == "index":
            name = f"{name}[{subscript.value}]"
        elif subscript is not None:
            name = f"{name}[…]"  # a map's key may be data
        parts.append(name)
    return ".".join(parts)
