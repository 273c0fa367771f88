"""What this service refuses."""

from __future__ import annotations

from rehab_policy.domain.problems import BookError
from rehab_runtime.errors import InvalidArgument, Violation

MOST_TOLD = 100


def refused(error: BookError) -> InvalidArgument:
    """A rule set that cannot be relied on: what is wrong, and where."""
    broken = [Violation(str(one.place), one.rule or "book", _what(one)) for one in error.problems]
    return InvalidArgument("a rule set with faults", violations=broken[:MOST_TOLD])


def _what(problem: object) -> str:
    what = str(getattr(problem, "what", ""))
    inside = getattr(problem, "expression", None)
    return f"{what} (in the expression: {inside.line}:{inside.column})" if inside else what


def broken_rule(field: str, rule: str, message: str) -> InvalidArgument:
    return InvalidArgument(rule, violations=[Violation(field, rule, message)])
