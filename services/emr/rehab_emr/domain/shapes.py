"""Resources whose shape was found right before.

A model looks at names, types and forms. Where two resources differ only in values whose form rules
of our own check, a model that passed one passes the other: it is not asked again. Everything else,
every code among it, is part of the shape as it stands.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

FREE = frozenset(
    {
        *("value", "text", "data", "name", "modelNumber", "title", "reference", "id"),
        *("effectiveDateTime", "start", "end", "recorded", "timestamp", "date"),
    }
)
"""Elements whose strings `structure_rules` checks for all that a model does."""
FREE_NUMBERS = frozenset({"value", "period"})
_IN_TAGS = FREE | {"code"}
_STRING, _INT, _FLOAT, _OPEN, _CLOSE = range(5)
MOST = 4096
"""Shapes that are remembered. Those of one installation are some hundred."""


class Shapes:
    """Shapes that a model has passed."""

    def __init__(self) -> None:
        self._right: set[tuple[Hashable, ...]] = set()

    def __len__(self) -> int:
        return len(self._right)

    def __contains__(self, shape: tuple[Hashable, ...]) -> bool:
        return shape in self._right

    def add(self, shape: tuple[Hashable, ...]) -> None:
        if len(self._right) >= MOST:
            self._right.clear()
        self._right.add(shape)


def shape_of(content: Mapping[str, Any]) -> tuple[Hashable, ...]:
    """Names in their order, and every value that is not free as it stands."""
    told: list[Hashable] = []
    _mapping(told, content, FREE)
    return tuple(told)


def _mapping(told: list[Hashable], content: Mapping[str, Any], free: frozenset[str]) -> None:
    for name, value in content.items():
        told.append(name)
        type_ = type(value)
        if type_ is str:
            told.append(_STRING if name in free else value)
        elif type_ is float and name in FREE_NUMBERS:
            told.append(_FLOAT)
        elif type_ is int and name in FREE_NUMBERS:
            told.append(_INT)
        else:
            _nested(told, value, _IN_TAGS if name == "tag" else free)


def _nested(told: list[Hashable], value: Any, free: frozenset[str]) -> None:
    """A mapping, a list, or a value that stands as it is with its type: 1, 1.0 and true differ."""
    told.append(_OPEN)
    if isinstance(value, Mapping):
        told.append("{")
        _mapping(told, value, free)
    elif isinstance(value, list):
        told.append("[")
        for one in value:
            _nested(told, one, free)
    else:
        told.append((type(value), repr(value)))
    told.append(_CLOSE)
