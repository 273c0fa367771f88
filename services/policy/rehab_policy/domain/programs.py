"""A rule book made ready to be asked: by kind of event, one expression asks all conditions.

What an evaluation costs is mostly the way into the library and back: a list of thirty conditions
takes six times as long as one. A list with one condition that fails has no value; only then is each
asked by itself, and the one that fails stops no other.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from rehab_policy.domain.expressions import ExpressionError, Language, Program, Scope
from rehab_policy.domain.points import definition
from rehab_policy.domain.references import PLACEHOLDER, named
from rehab_policy.domain.rules import Figure, Rule, RuleSet, Window
from rehab_policy.domain.scopes import EMPTY, Scopes

NL = "\n"
"""Around each condition, so that a comment at its end hides nothing."""
_NOW = re.compile(r"\bnow\b")


@dataclass(frozen=True, slots=True)
class Asked:
    """A rule with its checked expressions."""

    rule: Rule
    place: int
    """In the book, which decides between equals."""
    when: Program
    key: Program | None


@dataclass(frozen=True, slots=True)
class Asking:
    """The rules that one kind of event asks, or that one timer does."""

    scope: Scope
    rules: tuple[Asked, ...]
    all: Program | None
    """A list of what each condition says; None when they are too many for one expression."""
    groups: frozenset[str]
    """Of facts, named by conditions, keys or messages."""
    windows: tuple[tuple[str, Window], ...]
    """With their definitions."""
    clock: bool
    """Whether a condition asks what time it is."""
    others: Mapping[str, object]
    """Empty messages of the other kinds that rules on several kinds name."""


@dataclass(frozen=True, slots=True)
class PointsOf:
    """The windows of one kind of event. `all` gives a list with the points of each window."""

    book: RuleSet
    scope: Scope
    windows: tuple[tuple[str, Window, Program], ...]
    """Definition, window, and the points by itself."""
    within: Mapping[str, timedelta]
    """For how long points are of use, by definition, in the order of the windows."""
    all: Program | None


class Programs:
    """Of one rule book."""

    def __init__(self, rules: RuleSet, language: Language) -> None:
        self.rules = rules
        self.scopes = Scopes(language, rules.limits, rules.windows)
        self.placed = {rule.id: place for place, rule in enumerate(rules.rules)}
        active = [rule for rule in rules.rules if rule.enabled]
        kinds = sorted({kind for rule in active for kind in rule.on})
        self.on = {
            kind: self._asking([rule for rule in active if kind in rule.on], kind) for kind in kinds
        }
        self.emergency = {
            kind: asking
            for kind in kinds
            if (asking := self._emergency([r for r in active if kind in r.on and r.emergency]))
        }
        self.timed = {
            rule.id: self._asking([rule]) for rule in active if rule.daily or rule.absence
        }
        self.deferred = {rule.id: self._asking([rule], *rule.on) for rule in active if rule.on}

    def _asking(self, rules: list[Rule], *kinds: str) -> Asking:
        every = sorted({*kinds, *(kind for rule in rules for kind in rule.on)})
        scope = self.scopes.of_event(every) if every else self.scopes.of_time()
        texts = [text for rule in rules for text in _texts(rule)]
        windows = {name for text in texts for name in named(text, "window")}
        return Asking(
            scope=scope,
            rules=self._asked(rules, scope),
            all=_together(rules, scope),
            groups=frozenset(name for text in texts for name in named(text, "patient")),
            windows=tuple(
                (definition(self.rules.windows[name]), self.rules.windows[name])
                for name in sorted(windows)
            ),
            clock=any(_NOW.search(text) for text in texts),
            others={kind: EMPTY[kind] for kind in every},
        )

    def _emergency(self, rules: list[Rule]) -> Asking | None:
        if not rules:
            return None
        every = sorted({kind for rule in rules for kind in rule.on})
        scope = self.scopes.of_emergency(every)
        others = {kind: EMPTY[kind] for kind in every}
        return Asking(
            scope,
            self._asked(rules, scope),
            _together(rules, scope),
            frozenset(),
            (),
            False,
            others,
        )

    def _asked(self, rules: Iterable[Rule], scope: Scope) -> tuple[Asked, ...]:
        return tuple(
            Asked(
                rule,
                self.placed[rule.id],
                scope.compile(rule.when),
                scope.compile(rule.key) if rule.key else None,
            )
            for rule in rules
        )


def points_of(books: Sequence[RuleSet], language: Language) -> dict[str, list[PointsOf]]:
    """What the events of each kind leave in the windows of all books, each definition once.

    Limits in a window's condition are those of the newest book that has the window.
    """
    newest: dict[str, tuple[RuleSet, Window]] = {}
    for book in books:
        for window in book.windows.values():
            newest[definition(window)] = (book, window)
    found: dict[str, list[PointsOf]] = {}
    for book in books:
        mine = {told: window for told, (owner, window) in newest.items() if owner is book}
        for kind in sorted({window.kind for window in mine.values()}):
            of_kind = [(told, one) for told, one in sorted(mine.items()) if one.kind == kind]
            found.setdefault(kind, []).append(_points(book, kind, of_kind, language))
    return found


def _points(
    book: RuleSet, kind: str, windows: list[tuple[str, Window]], language: Language
) -> PointsOf:
    scope = language.scope(Scopes(language, book.limits, book.windows).point_variables(kind))
    texts = [_point_text(window) for _, window in windows]
    return PointsOf(
        book,
        scope,
        tuple(
            (told, window, scope.compile(text))
            for (told, window), text in zip(windows, texts, strict=True)
        ),
        {told: window.within for told, window in windows},
        _compiled(scope, f"[{', '.join(f'dyn({text})' for text in texts)}]"),
    )


def _point_text(window: Window) -> str:
    """A list of the part and, for each point, its value and whether it matched."""
    part = f"dyn(\n{window.by or repr('')}\n)"
    if window.each:
        each = f"{window.kind}.{window.each}.map({window.element}, {_one(window)})"
        return f"[{part}, dyn({each})]"
    return f"[{part}, dyn([{_one(window)}])]"


def _one(window: Window) -> str:
    """[value, matched] of one point, or nothing where the window does not keep it."""
    where = f"(\n{window.where or 'true'}\n)"
    value = f"dyn(double(\n{window.of}\n))" if window.of else "dyn(1.0)"
    if window.figure is Figure.STREAK:
        return f"[dyn(1.0), dyn({where})]"
    return f"({where} ? [{value}, dyn(true)] : [])"


def _together(rules: list[Rule], scope: Scope) -> Program | None:
    return _compiled(scope, f"[{', '.join(f'({NL}{rule.when}{NL})' for rule in rules)}]")


def _compiled(scope: Scope, text: str) -> Program | None:
    try:
        return scope.compile(text)
    except ExpressionError:
        return None


def _texts(rule: Rule) -> Iterable[str]:
    yield rule.when
    yield rule.key
    for message in rule.messages.values():
        yield " ".join(PLACEHOLDER.findall(message))
