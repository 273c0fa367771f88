"""Values into messages, with the field's name in what goes wrong."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Literal, TypeVar

from google.protobuf.descriptor import EnumDescriptor
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from rehab.events.v1 import common_pb2
from rehab_sdk.errors import invalid

M = TypeVar("M", bound=Message)
SideName = Literal["", "left", "right", "both"]
SeverityName = Literal["", "low", "high", "critical"]


def fill(message: M, **values: Any) -> M:
    """Set the fields; None leaves one absent. Raises Invalid, which never quotes a value."""
    for name, value in values.items():
        if value is None:
            continue
        try:
            _assign(message, name, value)
        except (TypeError, ValueError, OverflowError):
            raise invalid(name, "type", "is not a value that this field can hold") from None
    return message


def _assign(message: Message, name: str, value: Any) -> None:
    held = getattr(message, name)
    if isinstance(value, datetime):
        held.CopyFrom(timestamp(value, name))
    elif isinstance(held, Message):
        held.CopyFrom(value)
    elif hasattr(held, "extend"):
        held.extend(value)
    else:
        setattr(message, name, value)


def timestamp(at: datetime, field: str) -> Timestamp:
    """Raises Invalid for a time without a zone: it would be taken for UTC."""
    if at.tzinfo is None:
        raise invalid(field, "timestamp.aware", "must have a time zone")
    stamp = Timestamp()
    stamp.FromDatetime(at)
    return stamp


def choice(field: str, enum: EnumDescriptor, name: str, *, required: bool = False) -> int:
    """The enum's number by its short name, such as "post" for PAIN_PHASE_POST; 0 for ""."""
    prefix = enum.values_by_number[0].name.removesuffix("UNSPECIFIED")
    if not name and not required:
        return 0
    value = enum.values_by_name.get(prefix + name.upper())
    if value is None or value.number == 0:
        raise invalid(field, "enum.defined_only", f"must be one of {', '.join(_names(enum))}")
    return int(value.number)


def side_of(name: SideName) -> int:
    return choice("side", common_pb2.Side.DESCRIPTOR, name)


def severity_of(name: SeverityName) -> int:
    return choice("severity", common_pb2.Severity.DESCRIPTOR, name)


def _names(enum: EnumDescriptor) -> Iterable[str]:
    prefix = enum.values_by_number[0].name.removesuffix("UNSPECIFIED")
    return (value.name.removeprefix(prefix).lower() for value in enum.values if value.number)
