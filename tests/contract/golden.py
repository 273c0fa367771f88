"""One body of every schema version ever shipped, as its bytes were and as they were meant.

python -m tests.contract.golden     writes what is missing, and never touches what is there
"""

from __future__ import annotations

import json
from base64 import b64encode
from pathlib import Path
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message

from rehab.events.v1.event_pb2 import Body
from rehab.events.v1.kinds import KINDS

FOLDER = Path(__file__).with_name("golden")
DEEPEST = 4


def path_of(kind: str, version: int) -> Path:
    return FOLDER / f"{kind}.v{version}.json"


def meant(body: Body) -> dict[str, Any]:
    """What a body says, by names: numbers of fields and choices are what must not change."""
    told: dict[str, Any] = MessageToDict(body, preserving_proto_field_name=True)
    return told


def fill(message: Message, depth: int = 0) -> None:
    """Give every field a value of its own, so that no two can be taken for each other."""
    for field in message.DESCRIPTOR.fields:
        chosen = field.containing_oneof
        if chosen is not None and message.WhichOneof(chosen.name) is not None:
            continue
        if field.is_repeated:
            if field.message_type is not None and field.message_type.GetOptions().map_entry:
                continue
            if field.message_type is not None:
                if depth < DEEPEST:
                    fill(getattr(message, field.name).add(), depth + 1)
            else:
                getattr(message, field.name).append(_value(field))
        elif field.message_type is not None:
            if depth < DEEPEST:
                inner = getattr(message, field.name)
                inner.SetInParent()
                fill(inner, depth + 1)
        else:
            setattr(message, field.name, _value(field))


def _value(field: FieldDescriptor) -> Any:
    number = field.number
    match field.cpp_type:
        case FieldDescriptor.CPPTYPE_STRING:
            text = f"{field.name}-{number}"
            return text.encode() if field.type == FieldDescriptor.TYPE_BYTES else text
        case FieldDescriptor.CPPTYPE_BOOL:
            return True
        case FieldDescriptor.CPPTYPE_ENUM:
            values = field.enum_type.values
            return values[min(number, len(values) - 1)].number
        case FieldDescriptor.CPPTYPE_DOUBLE | FieldDescriptor.CPPTYPE_FLOAT:
            return number + 0.5
    return number + 10


def made(kind: str, version: int) -> str:
    body = Body()
    content = getattr(body, kind)
    content.SetInParent()
    fill(content)
    told = {
        "kind": kind,
        "schema_version": version,
        "body": b64encode(body.SerializeToString(deterministic=True)).decode(),
        "meant": meant(body),
    }
    return json.dumps(told, indent=1, sort_keys=True) + "\n"


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    for name, kind in KINDS.items():
        path = path_of(name, kind.schema_version)
        if not path.exists():
            path.write_text(made(name, kind.schema_version))


if __name__ == "__main__":
    main()
