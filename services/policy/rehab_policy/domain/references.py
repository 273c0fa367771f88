"""What an expression names: limits, windows, facts; found in its text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from google.protobuf.descriptor import FieldDescriptor

from rehab.policy.v1 import facts_pb2

_REFERENCE = re.compile(r"(?<![\w.\"'])(limit|window|patient)((?:\.[a-z_][a-z0-9_]*)+)(?!\()")
_HAS = re.compile(r"has\(\s*([a-z_][a-z0-9_.]*)\s*\)")
PLACEHOLDER = re.compile(r"\{([a-z_][a-z0-9_.]*)\}")
_QUOTED = re.compile(r"\"[^\"\\]*\"|'[^'\\]*'")


@lru_cache(maxsize=4096)
def references(text: str) -> tuple[str, ...]:
    """Every limit, window and fact that is named, such as "patient.pain.last", each once."""
    bare = _QUOTED.sub("''", text)
    return tuple(dict.fromkeys(found[1] + found[2] for found in _REFERENCE.finditer(bare)))


def named(text: str, of: str) -> Iterator[str]:
    """The first names after `of`, such as the windows a condition needs."""
    for reference in references(text):
        root, _, rest = reference.partition(".")
        if root == of:
            yield rest.split(".")[0]


def asked_first(text: str) -> frozenset[str]:
    """What the expression asks has() of."""
    return frozenset(_HAS.findall(text))


def is_optional_fact(reference: str) -> bool:
    """Whether a fact, such as "patient.pain.last", may be absent. False for no fact at all."""
    message = facts_pb2.PatientFacts.DESCRIPTOR
    field: FieldDescriptor | None = None
    for name in reference.split(".")[1:]:
        if message is None:
            return False
        field = message.fields_by_name.get(name)
        if field is None:
            return False
        message = field.message_type
    return field is not None and message is None and field.has_presence
