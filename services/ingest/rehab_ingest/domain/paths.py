"""Fields of a message at any depth, by descriptors: found once, read for every event."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

Path = tuple[tuple[str, bool], ...]
"""Names of fields from the outside in, each with whether there may be many."""


def paths(message: Descriptor, wanted: Callable[[FieldDescriptor], bool]) -> Iterator[Path]:
    """Of each field within that is wanted; into those nobody looks. The contract nests no message
    in itself."""
    for field in message.fields:
        step = ((field.name, field.is_repeated),)
        if wanted(field):
            yield step
        elif field.message_type is not None:
            yield from ((*step, *rest) for rest in paths(field.message_type, wanted))


def values(message: Message, path: Path) -> Iterator[Any]:
    """What is told at a path: nothing where a step of it is missing."""
    (name, many), *rest = path
    field = message.DESCRIPTOR.fields_by_name[name]
    if many:
        found = getattr(message, name)
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            found = found if rest[0][0] == "key" else found.values()
            rest = rest[1:]
    else:
        there = not field.has_presence or message.HasField(name)
        found = [getattr(message, name)] if there else []
    for one in found:
        if rest:
            yield from values(one, tuple(rest))
        else:
            yield one


def shown(path: Path) -> str:
    return ".".join(name for name, _ in path)
