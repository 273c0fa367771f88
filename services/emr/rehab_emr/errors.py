"""What this service refuses."""

from __future__ import annotations

from collections.abc import Iterable

from rehab_runtime.errors import InvalidArgument, Violation


def broken_rule(field: str, rule: str, message: str) -> InvalidArgument:
    return InvalidArgument(rule, violations=[Violation(field, rule, message)])


def missing_at_receiver(found: Iterable[str]) -> InvalidArgument:
    """What the receiver would need to take, in plain words."""
    return InvalidArgument(
        "the receiver lacks what is needed",
        violations=[Violation("endpoint.base_url", "capability", one) for one in found],
    )
