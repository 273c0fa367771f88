"""Whether a rule book makes sense: types, names that exist, texts in every language."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import timedelta

from google.protobuf.descriptor import FieldDescriptor

from rehab.events.v1 import plan_pb2
from rehab.events.v1.kinds import KINDS
from rehab_policy.domain.expressions import ExpressionError, Fault, Language, Scope, Type
from rehab_policy.domain.holdout import faults_of_trials
from rehab_policy.domain.nodes import Item, meant
from rehab_policy.domain.problems import Problems
from rehab_policy.domain.references import (
    PLACEHOLDER,
    asked_first,
    is_optional_fact,
    named,
    references,
)
from rehab_policy.domain.rules import (
    COUNTED,
    ActionKind,
    Figure,
    Limit,
    Override,
    Place,
    Rule,
    RuleSet,
    Window,
)
from rehab_policy.domain.scopes import EMPTY, Scopes

LONGEST_WINDOW = timedelta(days=60)
LONGEST_CUE_TEXT = 300
"""As in the contract, `FormFeedback.text`."""
CUE = re.compile(r"^[a-z][a-z0-9_]{0,47}$")
CODE = re.compile(r"^[a-z_]{0,32}$")
_NUMERIC = frozenset({Type.COUNT, Type.WHOLE, Type.NUMBER})
_OF = frozenset({Figure.AVG, Figure.MIN, Figure.MAX, Figure.LAST, Figure.CHANGE})
Items = dict[tuple[str, str], Item]


def check(rules: RuleSet, language: Language, problems: Problems, items: Items) -> None:
    """Add everything that is wrong with a book that was read."""
    checker = _Checker(rules, language, problems, items)
    for limit in rules.limits.values():
        checker.limit(limit)
    for window in rules.windows.values():
        checker.window(window)
    for rule in rules.rules:
        checker.rule(rule)
    for override in rules.overrides:
        checker.override(override)
    for place, owner, what in faults_of_trials(rules):
        problems.add(place, owner, what)


class _Checker:
    def __init__(
        self, rules: RuleSet, language: Language, problems: Problems, items: Items
    ) -> None:
        self._rules, self._language, self._problems, self._items = rules, language, problems, items
        self._scopes = Scopes(language, rules.limits, rules.windows)

    def limit(self, limit: Limit) -> None:
        fields = plan_pb2.SafetyLimits.DESCRIPTOR.fields_by_name
        if limit.plan and limit.plan not in fields:
            self._add(limit.place, limit.name, f"the plan has no limit {limit.plan!r}")
        if not limit.source.strip():
            self._add(limit.place, limit.name, "a limit has a source")

    def window(self, window: Window) -> None:
        if not self._kind(window.place, window.name, window.kind):
            return
        if not timedelta(0) < window.within <= LONGEST_WINDOW:
            self._add(window.place, window.name, "`within` is more than nothing, at most 60d")
        if (window.figure in _OF) != bool(window.of):
            needs = "needs" if window.figure in _OF else "has no"
            self._add(window.place, window.name, f"{window.figure.value} {needs} `of`")
        if window.figure is Figure.STREAK and not window.where:
            self._add(window.place, window.name, "a streak needs `where`")
        scope = self._language.scope(self._scopes.point_variables(window.kind))
        self._expression(scope, window.name, "by", window.by, {Type.TEXT})
        if window.each and not self._repeated(window):
            return
        for name, text, types in (
            ("where", window.where, {Type.BOOL}),
            ("of", window.of, _NUMERIC),
        ):
            self._element(scope, window, name, text, types)

    def rule(self, rule: Rule) -> None:
        if not rule.id:
            return
        for kind in (*rule.on, *(rule.absence.kinds if rule.absence else ())):
            if not self._kind(rule.place, rule.id, kind):
                return
        scope = self._scope(rule)
        self._expression(scope, rule.id, "when", rule.when, {Type.BOOL})
        self._expression(scope, rule.id, "key", rule.key, {Type.TEXT})
        self._windows(rule)
        self._presence(rule)
        self._messages(rule, scope)
        for what in faults_of(rule):
            self._add(rule.place, rule.id, what)
        if rule.absence and isinstance(rule.absence.hours, str):
            self._known(rule.place, rule.id, "limit", rule.absence.hours, self._rules.limits)

    def override(self, override: Override) -> None:
        ids = {rule.id for rule in self._rules.rules}
        who = override.clinic or override.patient
        named = (override.disabled, override.shadowed, override.cooldowns, override.trials)
        for rule_id in sorted({rule_id for one in named for rule_id in one}):
            self._known(override.place, who, "rule", rule_id, ids)
            rule = self._rules.rule(rule_id)
            if rule and rule.emergency and rule_id in override.cooldowns:
                self._add(override.place, who, f"{rule_id} is an emergency: no cooldown")
        for name, value in override.limits.items():
            if self._known(override.place, who, "limit", name, self._rules.limits):
                limit = self._rules.limits[name]
                if not limit.allows(value):
                    self._add(
                        override.place,
                        who,
                        f"{name} must be within {limit.least:g} and {limit.most:g}",
                    )

    def _scope(self, rule: Rule) -> Scope:
        if rule.emergency:
            return self._scopes.of_emergency(rule.on)
        return self._scopes.of_event(rule.on) if rule.on else self._scopes.of_time()

    def _windows(self, rule: Rule) -> None:
        for name in {*named(rule.when, "window"), *named(rule.key, "window")}:
            window = self._rules.windows.get(name)
            if window and window.by and rule.on != (window.kind,):
                what = f"window {name} is parted: it may be asked on {window.kind} alone"
                self._add(rule.when_place, rule.id, what)

    def _presence(self, rule: Rule) -> None:
        asked = asked_first(rule.when)
        for reference in references(rule.when):
            root, _, name = reference.partition(".")
            window = self._rules.windows.get(name) if root == "window" else None
            absent = is_optional_fact(reference) or (
                window is not None and window.figure not in COUNTED
            )
            if absent and reference not in asked:
                what = f"{reference} may be absent: ask has({reference}) first"
                self._add(rule.when_place, rule.id, what)

    def _messages(self, rule: Rule, scope: Scope) -> None:
        for language in self._rules.languages:
            if not rule.messages.get(language, "").strip():
                self._add(rule.place, rule.id, f"has no message in {language!r}")
        for language, text in rule.messages.items():
            if language not in self._rules.languages:
                self._add(rule.place, rule.id, f"{language!r} is no language of this book")
            if rule.action is ActionKind.FEEDBACK and len(text) > LONGEST_CUE_TEXT:
                self._add(
                    rule.place, rule.id, f"the message in {language!r} is too long to be said"
                )
            for name in PLACEHOLDER.findall(text):
                try:
                    scope.compile(name)
                except ExpressionError as error:
                    what = f"message in {language!r}, {{{name}}}: {error}"
                    self._add(rule.place, rule.id, what)

    def _repeated(self, window: Window) -> bool:
        field = EMPTY[window.kind].DESCRIPTOR.fields_by_name.get(window.each)
        if field is None or not field.is_repeated or field.type != FieldDescriptor.TYPE_MESSAGE:
            what = f"{window.kind} has no list {window.each!r}"
            self._add(window.place, window.name, what)
            return False
        return True

    def _element(
        self, scope: Scope, window: Window, name: str, text: str, types: Iterable[Type]
    ) -> None:
        if not window.each:
            self._expression(scope, window.name, name, text, types)
            return
        field = EMPTY[window.kind].DESCRIPTOR.fields_by_name[window.each]
        inner = self._language.scope(
            {
                **self._scopes.point_variables(window.kind),
                window.element: field.message_type.full_name,
            }
        )
        self._expression(inner, window.name, name, text, types)

    def _expression(
        self, scope: Scope, owner: str, name: str, text: str, types: Iterable[Type]
    ) -> None:
        item = self._items.get((owner, name))
        if item is None or (not text.strip() and name != "when"):
            return
        try:
            program = scope.compile(text)
        except ExpressionError as error:
            for fault in error.faults:
                self._add(
                    item.inside(fault.line, fault.column), owner, f"{name}: {fault.what}", fault
                )
            return
        if program.type not in types:
            wanted = " or ".join(sorted(types))
            self._add(item.place, owner, f"{name}: must be {wanted}, is {program.type.value}")

    def _kind(self, place: Place, owner: str, kind: str) -> bool:
        return self._known(place, owner, "kind of event", kind, KINDS)

    def _known(self, place: Place, owner: str, what: str, name: str, known: Iterable[str]) -> bool:
        names = list(known)
        if name in names:
            return True
        self._add(place, owner, f"there is no {what} {name!r}{meant(name, names)}")
        return False

    def _add(self, place: Place, owner: str, what: str, fault: Fault | None = None) -> None:
        self._problems.add(place, owner, what, fault)


def faults_of(rule: Rule) -> list[str]:
    """What a rule says against itself."""
    found = [f"`{name}` is empty" for name in _empty(rule)]
    if rule.version < 1:
        found.append("`version` counts from 1")
    if not CODE.match(rule.channel):
        found.append("`channel` is a code such as work_queue")
    match rule.action:
        case ActionKind.ALERT:
            found += _alert_faults(rule)
        case ActionKind.NUDGE:
            found += ["a nudge has a `cooldown`"] if not rule.cooldown else []
        case ActionKind.FEEDBACK:
            found += _feedback_faults(rule)
    if rule.action is not ActionKind.ALERT and (rule.severity or rule.emergency or rule.escalation):
        found.append("`severity`, `emergency` and `escalate` are of an alert")
    if rule.merge and (rule.action is not ActionKind.ALERT or rule.emergency):
        found.append("`merge` is of an alert that is no emergency: each of those is told by itself")
    if rule.action is not ActionKind.FEEDBACK and (rule.cue or rule.stop):
        found.append("`cue` and `stop` are of feedback")
    return found


def _empty(rule: Rule) -> list[str]:
    texts = {"owner": rule.owner, "rationale": rule.rationale, "source": rule.source}
    return [name for name, text in texts.items() if not text.strip()]


def _alert_faults(rule: Rule) -> list[str]:
    found = []
    if not rule.severity:
        found.append("an alert has a `severity`")
    after = [level.after for level in rule.escalation]
    if after != sorted(set(after)):
        found.append("each level of `escalate` comes later than the one before")
    if any(not level.to or len(level.to) > 64 for level in rule.escalation):
        found.append("a level of `escalate` names whom it goes `to`, in at most 64 characters")
    if not rule.emergency:
        return found if rule.cooldown else [*found, "an alert has a `cooldown`, or is an emergency"]
    if not rule.on or rule.cooldown or rule.key:
        found.append("an emergency is decided by the event alone: `on`, no `cooldown`, no `key`")
    return found


def _feedback_faults(rule: Rule) -> list[str]:
    found = []
    if not CUE.match(rule.cue):
        found.append("feedback has a `cue`, a code such as slower")
    if not rule.on or not all("session_id" in EMPTY[k].DESCRIPTOR.fields_by_name for k in rule.on):
        found.append("feedback is given on events of a session")
    return found
