"""Texts that PostgreSQL can keep: not one with U+0000 in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message_factory import GetMessageClass

from rehab.events.v1.event_pb2 import Body, Event
from rehab_ingest.domain.paths import Path, paths, shown, values
from rehab_runtime.errors import Violation
from rehab_runtime.validation import violations

NUL = "\0"


def _is_free(field: FieldDescriptor) -> bool:
    """A text that no rule of the contract keeps from holding it."""
    if field.type != FieldDescriptor.TYPE_STRING:
        return False
    message = GetMessageClass(field.containing_type)()
    if field.is_repeated:
        getattr(message, field.name).append(NUL)
    else:
        setattr(message, field.name, NUL)
    return not any(one.field.partition("[")[0] == field.name for one in violations(message))


def _free(kind: Descriptor) -> tuple[Path, ...]:
    return tuple(paths(kind, _is_free))


_FREE: Mapping[str, tuple[Path, ...]] = {
    field.name: _free(field.message_type) for field in Body.DESCRIPTOR.fields
}


def unstorable(event: Event) -> Iterator[Violation]:
    """Each field whose text holds U+0000."""
    kind = event.body.WhichOneof("kind")
    if kind is None:
        return
    for path in _FREE[kind]:
        if any(NUL in text for text in values(getattr(event.body, kind), path)):
            message = "must not hold the character U+0000"
            yield Violation(f"body.{kind}.{shown(path)}", "string.no_nul", message)
