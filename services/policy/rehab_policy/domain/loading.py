"""A rule book from its YAML: everything that is wrong is found, and told where it stands."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import time
from hashlib import sha256
from pathlib import Path
from typing import Any

from rehab_policy.domain.checking import check
from rehab_policy.domain.expressions import Language
from rehab_policy.domain.nodes import Item, documents
from rehab_policy.domain.problems import BookError, Problem, Problems
from rehab_policy.domain.reading import Items, read_limit, read_override, read_rule, read_window
from rehab_policy.domain.rules import (
    DEFAULT_LANGUAGE,
    QUIET_HOURS,
    Limit,
    Override,
    Place,
    Rule,
    RuleSet,
    Window,
)

SECTIONS = frozenset(
    {"book", "version", "languages", "quiet_hours", "limits", "windows", "rules", "overrides"}
)
TESTS = ".test.yaml"


@dataclass
class _Draft:
    name: str = ""
    version: int = 0
    languages: tuple[str, ...] = (DEFAULT_LANGUAGE,)
    quiet: tuple[time, time] = QUIET_HOURS
    limits: dict[str, Limit] = field(default_factory=dict)
    windows: dict[str, Window] = field(default_factory=dict)
    rules: dict[str, Rule] = field(default_factory=dict)
    overrides: list[Override] = field(default_factory=list)
    items: Items = field(default_factory=dict)


@dataclass(frozen=True)
class Loaded:
    """A book and what is wrong with it; `rules` is None when it cannot be used."""

    rules: RuleSet | None
    problems: tuple[Problem, ...]


def load(texts: Mapping[str, str], language: Language) -> RuleSet:
    """A book of texts by their file name. Raises BookError with every problem."""
    loaded = examine(texts, language)
    if loaded.rules is None or loaded.problems:
        raise BookError(loaded.problems)
    return loaded.rules


def load_paths(paths: Iterable[Path], language: Language) -> RuleSet:
    """A book of files, or of the YAML files of folders. Raises BookError, OSError."""
    return load(texts_of(paths), language)


def texts_of(paths: Iterable[Path]) -> dict[str, str]:
    """The texts of files and folders, without those of tests. Raises OSError, BookError for a file
    that is not UTF-8."""
    texts = {}
    for path in paths:
        found = sorted(path.glob("*.yaml")) if path.is_dir() else [path]
        for file in found:
            if not file.name.endswith(TESTS):
                try:
                    texts[str(file)] = file.read_text("utf-8")
                except UnicodeDecodeError:
                    place = Place(str(file), 1, 1)
                    raise BookError([Problem(place, "", "is not UTF-8")]) from None
    return texts


def examine(texts: Mapping[str, str], language: Language) -> Loaded:
    """Everything there is to say about a book's texts."""
    problems = Problems()
    draft = _Draft()
    for file, text in texts.items():
        for document in documents(text, file, problems):
            _document(document, draft)
    if not draft.name:
        problems.add(Place(next(iter(texts), ""), 1, 1), "", "no file says `book:` and `version:`")
    if not draft.rules and not problems.found:
        problems.add(Place(next(iter(texts), ""), 1, 1), "", "there is no rule")
    rules = RuleSet(
        name=draft.name,
        version=draft.version,
        sha256=sha256("\x00".join(texts[file] for file in sorted(texts)).encode()).hexdigest(),
        languages=draft.languages,
        limits=draft.limits,
        windows=draft.windows,
        rules=tuple(draft.rules.values()),
        overrides=tuple(draft.overrides),
        quiet=draft.quiet,
    )
    check(rules, language, problems, draft.items)
    told = tuple(problems.sorted())
    return Loaded(None if told else rules, told)


def _document(document: Item, draft: _Draft) -> None:
    told = document.fields(SECTIONS)
    if "book" in told:
        draft.name = told["book"].text()
        if "version" not in told:
            document.wrong("a book has a `version`")
    if "version" in told:
        draft.version = told["version"].count()
    if "languages" in told:
        draft.languages = tuple(one.text() for one in told["languages"].items())
    if "quiet_hours" in told:
        draft.quiet = quiet_hours(told["quiet_hours"], draft.quiet)
    for name, item in told["limits"].fields().items() if "limits" in told else ():
        _once(draft.limits, name, read_limit(name, item), item)
    for name, item in told["windows"].fields().items() if "windows" in told else ():
        _once(draft.windows, name, read_window(name, item, draft.items), item)
    for item in told["rules"].items() if "rules" in told else ():
        rule = read_rule(item, draft.items)
        _once(draft.rules, rule.id, rule, item)
    for item in told["overrides"].items() if "overrides" in told else ():
        draft.overrides.append(read_override(item))


def quiet_hours(item: Item, fallback: tuple[time, time]) -> tuple[time, time]:
    """Two times of day."""
    told = [one.clock() for one in item.items()]
    if len(told) != 2:
        item.wrong('must be two times of day, such as ["21:00", "08:00"]')
        return fallback
    return told[0], told[1]


def _once(known: dict[str, Any], name: str, one: Any, item: Item) -> None:
    if name in known:
        first = getattr(known[name], "place", "")
        item.wrong(f"{name!r} is there already, at {first}")
    else:
        known[name] = one
