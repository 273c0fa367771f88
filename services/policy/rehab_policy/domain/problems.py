"""What is wrong with a rule book, and where."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rehab_policy.domain.expressions import Fault
from rehab_policy.domain.rules import Place


@dataclass(frozen=True, slots=True)
class Problem:
    """`rule` is the id of the rule it is in, or the name of the limit or window; may be empty.
    `expression` is the place inside an expression, when it is one's fault."""

    place: Place
    rule: str
    what: str
    expression: Fault | None = None

    def __str__(self) -> str:
        inside = ""
        if self.expression is not None:
            inside = f" (in the expression: {self.expression.line}:{self.expression.column})"
        return f"{self.place}: {f'{self.rule}: ' if self.rule else ''}{self.what}{inside}"

    def order(self) -> tuple[str, int, int, str]:
        return self.place.file, self.place.line, self.place.column, self.what


class BookError(ValueError):
    """A rule book that cannot be relied on; every problem found, in the order of the text."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = tuple(problems)


class Problems:
    """Collects what is wrong: one look at a book tells everything."""

    def __init__(self) -> None:
        self.found: list[Problem] = []

    def add(self, place: Place, rule: str, what: str, expression: Fault | None = None) -> None:
        self.found.append(Problem(place, rule, what, expression))

    def sorted(self) -> list[Problem]:
        return sorted(set(self.found), key=Problem.order)
