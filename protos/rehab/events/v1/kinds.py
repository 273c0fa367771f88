"""The kinds of events, read from the contract itself: names, PHI flags, RTM qualification."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from rehab.events.v1 import event_pb2, options_pb2


@dataclass(frozen=True)
class Kind:
    """One kind of event. `schema_version` is the newest one this contract writes.

    `rtm_qualifying_parts` of a kind that does not qualify as a whole are choices of its oneofs.
    """

    name: str
    phi: bool
    rtm_qualifying: bool
    rtm_qualifying_parts: Mapping[str, frozenset[str]]
    schema_version: int = 1


def _kind(field: FieldDescriptor) -> Kind:
    options = field.GetOptions()
    return Kind(
        name=field.name,
        phi=options.Extensions[options_pb2.phi],
        rtm_qualifying=options.Extensions[options_pb2.rtm_qualifying],
        rtm_qualifying_parts=_qualifying_parts(field.message_type),
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
