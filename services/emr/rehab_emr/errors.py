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


def raised_at(error: BaseException) -> str:
    """File and line where it was raised: what it says may hold patient data."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return ""
    return f"{trace.tb_frame.f_code.co_filename.rpartition('/')[2]}:{trace.tb_lineno}"
