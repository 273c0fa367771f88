"""The kinds of events, read from the contract itself: names, PHI flags, RTM qualification."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from google.protobuf.descriptor import FieldDescriptor

from rehab.events.v1 import event_pb2, options_pb2


@dataclass(frozen=True)
class Kind:
    """One kind of event. `schema_version` is the newest one this contract writes."""

    name: str
    phi: bool
    rtm_qualifying: bool
    schema_version: int = 1


def _kind(field: FieldDescriptor) -> Kind:
    options = field.GetOptions()
    return Kind(
        name=field.name,
        phi=options.Extensions[options_pb2.phi],
        rtm_qualifying=options.Extensions[options_pb2.rtm_qualifying],
    )


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
    if KINDS[name].rtm_qualifying:
        return True
    content = getattr(body, name)
    for oneof in content.DESCRIPTOR.oneofs:
        chosen = content.WhichOneof(oneof.name)
        if chosen is not None:
            options = content.DESCRIPTOR.fields_by_name[chosen].GetOptions()
            if options.Extensions[options_pb2.rtm_qualifying]:
                return True
    return False
