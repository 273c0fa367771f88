"""Message types made at run time: the limits and the windows of a rule book, so that a condition
that names one wrongly, or compares it with something else, is refused with its type error."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from hashlib import sha256
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from rehab_policy.domain.expressions import Type

_FIELD = descriptor_pb2.FieldDescriptorProto
_TYPES = {Type.COUNT: _FIELD.TYPE_UINT32, Type.NUMBER: _FIELD.TYPE_DOUBLE}


class Shape:
    """A message type with optional fields. `name` is its full name."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._class = message_factory.GetMessageClass(
            descriptor_pool.Default().FindMessageTypeByName(name)
        )

    def message(self, values: Mapping[str, float]) -> Any:
        return self._class(**values)


def shape(kind: str, fields: Mapping[str, Type]) -> Shape:
    """A message type with these fields; equal fields make the same one, so that loading a book
    again adds nothing. Raises KeyError for a type that no field has."""
    return _shape(kind, tuple(sorted(fields.items())))


@lru_cache(maxsize=512)
def _shape(kind: str, fields: tuple[tuple[str, Type], ...]) -> Shape:
    digest = sha256(repr((kind, [(n, t.value) for n, t in fields])).encode()).hexdigest()[:16]
    package = f"rehab.policy.book.h{digest}"
    file = descriptor_pb2.FileDescriptorProto(
        name=f"rehab/policy/book/{digest}.proto", package=package, syntax="proto3"
    )
    message = file.message_type.add(name=kind.capitalize())
    for number, (name, told) in enumerate(fields):
        message.field.add(
            name=name,
            number=number + 1,
            label=_FIELD.LABEL_OPTIONAL,
            type=_TYPES[told],
            proto3_optional=True,
            oneof_index=number,
        )
        message.oneof_decl.add(name=f"_{name}")
    descriptor_pool.Default().AddSerializedFile(file.SerializeToString())
    return Shape(f"{package}.{message.name}")
