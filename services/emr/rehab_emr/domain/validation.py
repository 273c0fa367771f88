"""Whether a resource is valid, by its model and by what the model does not check."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Problem:
    """`path` is where, such as "component[0].valueQuantity.code"; `rule` is what it breaks, by the
    standard's own key where it has one. Neither holds a value."""

    path: str
    rule: str


def problems(content: Mapping[str, Any]) -> tuple[Problem, ...]:
    """Everything wrong with a resource of a type that is sent here, nothing when it is valid.

    `fhir.resources` checks names, shapes and types (R4B, which has the elements of R4 for these
    types); the rest is ours: required bindings, UCUM, types of references, the invariants of
    Observation, Bundle and Period, vital-signs profiles.
    """
    raise NotImplementedError
