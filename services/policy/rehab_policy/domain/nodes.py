"""YAML read with places: each mistake is told at its own line and column."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import time, timedelta
from difflib import get_close_matches
from enum import StrEnum
from typing import TypeVar

import yaml

from rehab_policy.domain.problems import Problems
from rehab_policy.domain.rules import Place

E = TypeVar("E", bound=StrEnum)
DURATION = re.compile(r"^(\d+(?:\.\d+)?)(s|min|h|d|w)$")
UNITS = {
    "s": timedelta(seconds=1),
    "min": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}
CLOCK = re.compile(r"^([01]\d|2[0-3]):([0-5]\d)$")
DEEPEST = 12
LONGEST_TEXT = 1_000_000
MOST = 2**31 - 1
"""What a column of PostgreSQL holds."""


class Item:
    """A YAML node. Every reading that fails adds a problem and gives the fallback."""

    def __init__(self, node: yaml.Node, file: str, problems: Problems, rule: str = "") -> None:
        self.node, self.file, self.problems, self.rule = node, file, problems, rule

    @property
    def place(self) -> Place:
        mark = self.node.start_mark
        return Place(self.file, mark.line + 1, mark.column + 1)

    @property
    def is_scalar(self) -> bool:
        return isinstance(self.node, yaml.ScalarNode)

    def wrong(self, what: str) -> None:
        self.problems.add(self.place, self.rule, what)

    def of(self, node: yaml.Node) -> Item:
        return Item(node, self.file, self.problems, self.rule)

    def text(self) -> str:
        if isinstance(self.node, yaml.ScalarNode):
            return str(self.node.value)
        self.wrong("must be a text")
        return ""

    def one_of(self, choices: type[E], fallback: E) -> E:
        told = self.text()
        for choice in choices:
            if choice.value == told:
                return choice
        self.wrong(f"must be one of {', '.join(c.value for c in choices)}{meant(told, choices)}")
        return fallback

    def number(self) -> float:
        try:
            return float(self.text())
        except ValueError:
            self.wrong("must be a number")
            return 0.0

    def count(self) -> int:
        told = self.text()
        if told.isdecimal() and len(told) <= len(str(MOST)) and int(told) <= MOST:
            return int(told)
        self.wrong(f"must be a whole number from 0 to {MOST}")
        return 0

    def flag(self) -> bool:
        told = self.text()
        if told in ("true", "false"):
            return told == "true"
        self.wrong("must be true or false")
        return False

    def duration(self) -> timedelta:
        told = DURATION.match(self.text())
        if told is None:
            self.wrong('must be a duration such as "90s", "30min", "12h", "7d", "2w"')
            return timedelta(0)
        return float(told[1]) * UNITS[told[2]]

    def clock(self) -> time:
        told = CLOCK.match(self.text())
        if told is None:
            self.wrong('must be a time of day in quotes, such as "09:00"')
            return time(0)
        return time(int(told[1]), int(told[2]))

    def items(self) -> Sequence[Item]:
        if isinstance(self.node, yaml.SequenceNode):
            return [self.of(one) for one in self.node.value]
        self.wrong("must be a list")
        return []

    def fields(self, known: frozenset[str] | None = None) -> Mapping[str, Item]:
        """By name, in order; unknown and repeated ones are problems. None lets every name be."""
        if not isinstance(self.node, yaml.MappingNode):
            self.wrong("must be a mapping of names to values")
            return {}
        found: dict[str, Item] = {}
        for key, value in self.node.value:
            name = self.of(key)
            told = name.text()
            if told in found:
                name.wrong(f"{told!r} is told twice")
            elif known is not None and told not in known:
                name.wrong(f"unknown field {told!r}{meant(told, known)}")
            found.setdefault(told, self.of(value))
        return found

    def inside(self, line: int, column: int) -> Place:
        """The place of a line and column of this text, as far as YAML lets it be known."""
        start = self.node.start_mark
        style = getattr(self.node, "style", None)
        if style == "|":
            buffer = (start.buffer or "").split("\n")
            first = start.line + 1
            content = [row for row in buffer[first:] if row.strip()] or [""]
            indent = len(content[0]) - len(content[0].lstrip())
            return Place(self.file, first + line, indent + column)
        if start.line == self.node.end_mark.line:
            quote = 1 if style in ("'", '"') else 0
            return Place(self.file, start.line + 1, start.column + quote + column)
        return self.place


def meant(told: str, known: object) -> str:
    names = [str(getattr(name, "value", name)) for name in known]  # type: ignore[attr-defined]
    close = get_close_matches(told, names, n=1)
    return f"; did you mean {close[0]!r}?" if close else ""


def documents(text: str, file: str, problems: Problems) -> Iterator[Item]:
    """The documents of a YAML text. What is no YAML is one problem, and ends it."""
    if len(text) > LONGEST_TEXT:
        problems.add(Place(file, 1, 1), "", f"is longer than {LONGEST_TEXT} characters")
        return
    try:
        for node in yaml.compose_all(text, Loader=yaml.SafeLoader):
            if node is not None:
                wrong = _shape_fault(node, set())
                if wrong:
                    problems.add(Place(file, 1, 1), "", wrong)
                    return
                yield Item(node, file, problems)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = Place(file, mark.line + 1, mark.column + 1) if mark else Place(file, 1, 1)
        problems.add(place, "", f"is not YAML: {error.problem or error.context}")
    except RecursionError:
        problems.add(Place(file, 1, 1), "", "is nested too deeply")
    except yaml.YAMLError:
        problems.add(Place(file, 1, 1), "", "is not YAML: a character that is not allowed")


def _shape_fault(node: yaml.Node, seen: set[int], level: int = 1) -> str:
    """Few lines of aliases of aliases stand for more than a machine holds: there are none."""
    if level > DEEPEST:
        return "is nested too deeply"
    if id(node) in seen:
        return "has aliases: write out what they stand for"
    seen.add(id(node))
    if isinstance(node, yaml.ScalarNode):
        return ""
    inner = (part for one in node.value for part in (one if isinstance(one, tuple) else (one,)))
    return next((wrong for part in inner if (wrong := _shape_fault(part, seen, level + 1))), "")
