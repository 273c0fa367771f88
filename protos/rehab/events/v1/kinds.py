"""The kinds of events, read from the contract itself: names, PHI flags, RTM qualification, and
where a person's own words stand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from rehab.events.v1 import event_pb2, options_pb2


@dataclass(frozen=True)
class Kind:
    """One kind of event. `schema_version` is the newest one this contract writes.

    `rtm_qualifying_parts` of a kind that does not qualify as a whole are choices of its oneofs.
    `free_text` says that fields of it hold a person's own words.
    """

    name: str
    phi: bool
    rtm_qualifying: bool
    rtm_qualifying_parts: Mapping[str, frozenset[str]]
    schema_version: int = 1
    free_text: bool = False


def _kind(field: FieldDescriptor) -> Kind:
    options = field.GetOptions()
    return Kind(
        name=field.name,
        phi=options.Extensions[options_pb2.phi],
        rtm_qualifying=options.Extensions[options_pb2.rtm_qualifying],
        rtm_qualifying_parts=_qualifying_parts(field.message_type),
        free_text=_has_free_text(field.message_type),
    )


def is_free_text(field: FieldDescriptor) -> bool:
    return bool(field.GetOptions().Extensions[options_pb2.free_text])


def _has_free_text(message: Descriptor, above: frozenset[str] = frozenset()) -> bool:
    if message.full_name in above:
        return False
    above |= {message.full_name}
    return any(
        is_free_text(field)
        or (field.message_type is not None and _has_free_text(field.message_type, above))
        for field in message.fields
    )


def _qualifying_parts(message: Descriptor) -> Mapping[str, frozenset[str]]:
    """By oneof, for oneofs that have any."""
    parts = {
        oneof.name: frozenset(
            part.name
            for part in oneof.fields
            if part.GetOptions().Extensions[options_pb2.rtm_qualifying]
        )
        for oneof in message.oneofs
    }
    return {name: chosen for name, chosen in parts.items() if chosen}


KINDS: Mapping[str, Kind] = MappingProxyType(
    {field.name: _kind(field) for field in event_pb2.Body.DESCRIPTOR.oneofs_by_name["kind"].fields}
)


def kind_of(body: event_pb2.Body) -> str | None:
    """The name of the kind that is set, None when none is or this contract does not know it."""
    name: str | None = body.WhichOneof("kind")
    return name


def rtm_qualifying(body: event_pb2.Body) -> bool:
    """Whether the event makes its local day count for remote therapeutic monitoring."""
    name = kind_of(body)
    if name is None:
        return False
    kind = KINDS[name]
    if kind.rtm_qualifying:
        return True
    if not kind.rtm_qualifying_parts:
        return False
    content = getattr(body, name)
    return any(
        content.WhichOneof(oneof) in parts for oneof, parts in kind.rtm_qualifying_parts.items()
    )


def blank_free_text(message: Message) -> None:
    """Take a person's own words out of a message, whatever else stands in it."""
    for field, value in message.ListFields():
        if is_free_text(field):
            message.ClearField(field.name)
        elif field.message_type is not None and not field.message_type.GetOptions().map_entry:
            for part in (value,) if isinstance(value, Message) else value:
                blank_free_text(part)
