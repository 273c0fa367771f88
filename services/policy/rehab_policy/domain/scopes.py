"""What the conditions of a rule book may name, by what makes them be asked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property

from rehab.events.v1 import event_pb2
from rehab.events.v1.kinds import KINDS
from rehab.policy.v1 import facts_pb2
from rehab_policy.domain.expressions import Language, Scope, Type
from rehab_policy.domain.rules import COUNTED, Limit, LimitType, Window
from rehab_policy.domain.shapes import Shape, shape

ENVELOPE, PATIENT, LIMIT, WINDOW, NOW = "envelope", "patient", "limit", "window", "now"
KIND_TYPES = {
    field.name: field.message_type.full_name
    for field in event_pb2.Body.DESCRIPTOR.oneofs_by_name["kind"].fields
}
EMPTY = {name: getattr(event_pb2.Body(), name) for name in KINDS}
"""Of every kind the empty message: what a condition on several kinds sees of the others."""


class Scopes:
    """Scopes of one rule book."""

    def __init__(
        self, language: Language, limits: Mapping[str, Limit], windows: Mapping[str, Window]
    ) -> None:
        self._language = language
        self._limits = limits
        self._windows = windows

    @cached_property
    def limit_shape(self) -> Shape:
        return shape(
            "limits",
            {
                name: Type.COUNT if limit.type is LimitType.COUNT else Type.NUMBER
                for name, limit in self._limits.items()
            },
        )

    @cached_property
    def window_shape(self) -> Shape:
        return shape(
            "windows",
            {
                name: Type.COUNT if window.figure in COUNTED else Type.NUMBER
                for name, window in self._windows.items()
            },
        )

    def of_event(self, kinds: Iterable[str]) -> Scope:
        """For rules on events of these kinds: patient, limits, windows, envelope, the kinds."""
        return self._language.scope({**self._patient(), **_event(kinds)})

    def of_time(self) -> Scope:
        """For rules that a timer asks: there is no event."""
        return self._language.scope(self._patient())

    def of_emergency(self, kinds: Iterable[str]) -> Scope:
        """For emergency rules: the event and the limits alone."""
        return self._language.scope(self.point_variables(*kinds))

    def point_variables(self, *kinds: str) -> dict[str, str]:
        """What a window's expressions may name: the event, never what was folded before it."""
        return {LIMIT: self.limit_shape.name, **_event(kinds)}

    def _patient(self) -> dict[str, str]:
        return {
            PATIENT: facts_pb2.PatientFacts.DESCRIPTOR.full_name,
            LIMIT: self.limit_shape.name,
            WINDOW: self.window_shape.name,
            NOW: "timestamp",
        }


def _event(kinds: Iterable[str]) -> dict[str, str]:
    return {
        ENVELOPE: event_pb2.Envelope.DESCRIPTOR.full_name,
        **{kind: KIND_TYPES[kind] for kind in kinds},
    }
