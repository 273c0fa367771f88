"""CEL by cel-expr-python (Google's C++ implementation), typed against protobuf descriptors.

Measured on this library, process time: a typed check 0.2 ms, an evaluation 1.4 us with values bound
before, binding a message of ten repetitions 7 us. So values are bound once an event, the conditions
of a kind are asked in one expression (`programs`), and what Python can evaluate as well (`native`)
does not go into the library at all.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from cel_expr_python import cel
from google.protobuf import descriptor_pool

from rehab_policy.domain.expressions import EvaluationError, ExpressionError, Fault, Type
from rehab_policy.domain.native import Native, native

CONTAINER = "rehab.events.v1"
"""Enumerations and messages of this package are named without it."""
_FAULT = re.compile(r"^(?:.*?)ERROR: <input>:(-?\d+):(-?\d+): (.*)$")
_TAIL = re.compile(r" ?\[INVALID_ARGUMENT\]$")
_TYPES = {
    cel.Type.BOOL.name(): Type.BOOL,
    cel.Type.UINT.name(): Type.COUNT,
    cel.Type.INT.name(): Type.WHOLE,
    cel.Type.DOUBLE.name(): Type.NUMBER,
    cel.Type.STRING.name(): Type.TEXT,
}
_DECLARED = {
    "timestamp": cel.Type.TIMESTAMP,
    Type.BOOL.value: cel.Type.BOOL,
    Type.COUNT.value: cel.Type.UINT,
    Type.NUMBER.value: cel.Type.DOUBLE,
    Type.TEXT.value: cel.Type.STRING,
}
_ERROR = cel.Type.ERROR


class CelProgram:
    """A checked CEL expression."""

    __slots__ = ("_compiled", "native", "type")

    def __init__(self, compiled: Any, found: Native | None) -> None:
        self._compiled = compiled
        self.native = found
        self.type = _TYPES.get(compiled.return_type().name(), Type.OTHER)

    def value(self, bound: Any) -> Any:
        if self.native is not None:
            try:
                return self.native(bound.values)
            except Exception:  # noqa: S110 - what is wrong with it, the library tells
                pass
        result = self._compiled.eval(bound.activation())
        if result.type() == _ERROR:
            raise EvaluationError(_without_values(str(result.value())))
        return result.plain_value()


class CelBound:
    """Values, handed to the library when it is asked."""

    __slots__ = ("_activation", "_env", "values")

    def __init__(self, env: Any, values: Mapping[str, Any]) -> None:
        self.values = values
        self._env = env
        self._activation: Any = None

    def activation(self) -> Any:
        if self._activation is None:
            self._activation = self._env.Activation(self.values)
        return self._activation


class CelScope:
    """A CEL environment."""

    def __init__(self, variables: Mapping[str, str], natively: bool = True) -> None:
        self._natively = natively
        self.names = frozenset(variables)
        self._env = cel.NewEnv(
            descriptor_pool.Default(),
            variables={name: _declared(told) for name, told in variables.items()},
            container=CONTAINER,
        )

    def compile(self, text: str) -> CelProgram:
        try:
            compiled = self._env.compile(text)
        except RuntimeError as error:
            raise ExpressionError(_faults(str(error))) from None
        return CelProgram(compiled, native(compiled.serialize()) if self._natively else None)

    def bind(self, values: Mapping[str, Any]) -> CelBound:
        return CelBound(self._env, values)


class Cel:
    """The language. Scopes of equal variables are one. `natively` is not told but where both ways
    of evaluating are compared."""

    def __init__(self, *, natively: bool = True) -> None:
        self._natively = natively

    def scope(self, variables: Mapping[str, str]) -> CelScope:
        return _scope(tuple(sorted(variables.items())), self._natively)


@lru_cache(maxsize=256)
def _scope(variables: tuple[tuple[str, str], ...], natively: bool) -> CelScope:
    return CelScope(dict(variables), natively)


def _declared(told: str) -> Any:
    known = _DECLARED.get(told)
    return cel.Type(told) if known is None else known


def _faults(message: str) -> list[Fault]:
    found = []
    for line in message.splitlines():
        told = _FAULT.match(line)
        if told:
            what = _TAIL.sub("", told[3])
            found.append(Fault(max(1, int(told[1])), max(1, int(told[2])), what))
    return list(dict.fromkeys(found)) or [Fault(1, 1, _TAIL.sub("", message.splitlines()[0]))]


def _without_values(message: str) -> str:
    """The kind of failure: what stands in quotes or digits may be data."""
    return re.sub(r"'[^']*'|\"[^\"]*\"|\d+", "…", message)
