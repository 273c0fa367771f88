"""The port to an expression language: what the engine and the loader need of one, and no more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol


class Type(StrEnum):
    """What an expression gives."""

    BOOL = "bool"
    COUNT = "uint"
    WHOLE = "int"
    NUMBER = "double"
    TEXT = "string"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong in an expression, at a line and column of its own, from 1."""

    line: int
    column: int
    what: str


class ExpressionError(ValueError):
    """An expression that is not one, or whose types do not fit."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("; ".join(fault.what for fault in faults))
        self.faults = tuple(faults)


class EvaluationError(Exception):
    """An expression that gave no value, such as a division by nought. The message is the
    language's own and names no value."""


class Bound(Protocol):
    """Values of one event, shared by every expression that is asked about it."""


class Program(Protocol):
    """A checked expression."""

    @property
    def type(self) -> Type: ...

    def value(self, bound: Bound) -> Any:
        """The value as Python has it. Raises EvaluationError."""
        ...


class Scope(Protocol):
    """Variables with their types. `names` says which ones there are."""

    @property
    def names(self) -> frozenset[str]: ...

    def compile(self, text: str) -> Program:
        """Check an expression against the types. Raises ExpressionError with every fault found."""
        ...

    def bind(self, values: Mapping[str, Any]) -> Bound:
        """Values by name; names without one may be declared and must then not be asked for."""
        ...


class Language(Protocol):
    """Makes scopes. A type is the full name of a protobuf message, "timestamp", or a Type's."""

    def scope(self, variables: Mapping[str, str]) -> Scope: ...
