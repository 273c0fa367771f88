"""What is wrong with a resource."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """`path` is where, such as "component[0].valueQuantity.code"; `rule` is what it breaks, by the
    standard's own key where it has one. Neither holds a value."""

    path: str
    rule: str
