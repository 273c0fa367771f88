"""Texts that PostgreSQL can keep."""

from __future__ import annotations

from google.protobuf.message import Message

NUL = "\0"


def storable(message: Message) -> bool:
    """Whether no text in it, at any depth, holds U+0000."""
    for field, value in message.ListFields():
        for one in value if field.is_repeated else (value,):
            if isinstance(one, Message):
                if not storable(one):
                    return False
            elif isinstance(one, str) and NUL in one:
                return False
    return True
