"""The parts of a rule book, each from its YAML."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import time, timedelta

from rehab.events.v1 import common_pb2
from rehab_policy.domain.holdout import LEAST_HOLDOUT, LONGEST_WITHIN, MOST_HOLDOUT
from rehab_policy.domain.nodes import Item
from rehab_policy.domain.rules import (
    Absence,
    ActionKind,
    Daily,
    Figure,
    Level,
    Limit,
    LimitType,
    Mode,
    NudgeTrial,
    Override,
    Rule,
    Window,
)

SEVERITIES = {
    "low": common_pb2.SEVERITY_LOW,
    "high": common_pb2.SEVERITY_HIGH,
    "critical": common_pb2.SEVERITY_CRITICAL,
}
RULE_ID = re.compile(r"^[a-z0-9_.-]{1,64}$")
"""As in the contract, `AlertRaised.rule_id`."""
NAME = re.compile(r"^[a-z][a-z0-9_]{0,47}$")
LIMIT_FIELDS = frozenset({"default", "type", "unit", "between", "source", "review", "plan"})
WINDOW_FIELDS = frozenset(
    {*(figure.value for figure in Figure), "within", "where", "of", "each", "as", "by"}
)
RULE_FIELDS = frozenset(
    {
        *("id", "version", "on", "daily", "absence", "when", "action", "severity", "emergency"),
        *("mode", "message", "owner", "rationale", "source", "review", "cooldown", "key", "group"),
        *("cue", "stop", "consent", "channel", "answer_within", "escalate", "enabled", "trial"),
        "merge",
    }
)
NEEDED = ("id", "version", "when", "action", "message", "owner", "rationale", "source")
OVERRIDE_FIELDS = frozenset({"clinic", "patient", "limits", "rules", "quiet_hours"})
OVERRIDDEN = frozenset({"enabled", "mode", "cooldown", "trial"})
TRIAL_FIELDS = frozenset({"name", "holdout", "within"})
USUAL_WITHIN = timedelta(days=3)
NO_TRIAL = "none"
Items = dict[tuple[str, str], Item]
"""The node of each expression, by the name of its rule or window and its field."""


def read_limit(name: str, item: Item) -> Limit:
    item.rule = name
    if not NAME.match(name):
        item.wrong("a limit's name is of lower-case letters, digits and _")
    told = item.fields(LIMIT_FIELDS)
    for needed in ("default", "unit", "between", "source"):
        if needed not in told:
            item.wrong(f"a limit has a `{needed}`")
    bounds = [one.number() for one in told["between"].items()] if "between" in told else [0, 0]
    if len(bounds) != 2 or bounds[0] > bounds[1]:
        told["between"].wrong("must be the least and the most allowed, such as [4, 10]")
        bounds = [0, 0]
    limit = Limit(
        name=name,
        type=told["type"].one_of(LimitType, LimitType.NUMBER)
        if "type" in told
        else LimitType.NUMBER,
        default=told["default"].number() if "default" in told else 0,
        unit=_text(told, "unit"),
        least=bounds[0],
        most=bounds[1],
        source=_text(told, "source"),
        review="review" in told and told["review"].flag(),
        plan=_text(told, "plan"),
        place=item.place,
    )
    if "default" in told and not limit.allows(limit.default):
        told["default"].wrong(f"must be within {bounds[0]:g} and {bounds[1]:g}{_whole(limit)}")
    return limit


def _whole(limit: Limit) -> str:
    return ", and whole" if limit.type is LimitType.COUNT else ""


def read_window(name: str, item: Item, items: Items) -> Window:
    item.rule = name
    if not NAME.match(name):
        item.wrong("a window's name is of lower-case letters, digits and _")
    told = item.fields(WINDOW_FIELDS)
    figures = [figure for figure in Figure if figure.value in told]
    if len(figures) != 1:
        item.wrong(f"a window has one of {', '.join(figure.value for figure in Figure)}")
    figure = figures[0] if figures else Figure.COUNT
    if "within" not in told:
        item.wrong("a window has a `within`: memory is bounded")
    return Window(
        name=name,
        figure=figure,
        kind=_text(told, figure.value),
        within=told["within"].duration() if "within" in told else timedelta(0),
        where=_expression(told, "where", items),
        of=_expression(told, "of", items),
        each=_text(told, "each"),
        element=_text(told, "as") or "one",
        by=_expression(told, "by", items),
        place=item.place,
    )


@dataclass(frozen=True)
class _Trigger:
    on: tuple[str, ...] = ()
    daily: Daily | None = None
    absence: Absence | None = None


def read_rule(item: Item, items: Items) -> Rule:
    told = item.fields()
    item.rule = told["id"].text() if "id" in told else ""
    told = item.fields(RULE_FIELDS)
    for needed in NEEDED:
        if needed not in told:
            item.wrong(f"a rule has a `{needed}`")
    if item.rule and not RULE_ID.match(item.rule):
        told["id"].wrong("an id is of lower-case letters, digits, _ . and -, at most 64")
    trigger = _trigger(item, told)
    return Rule(
        id=item.rule,
        version=told["version"].count() if "version" in told else 0,
        when=_expression(told, "when", items),
        action=told["action"].one_of(ActionKind, ActionKind.NUDGE)
        if "action" in told
        else ActionKind.NUDGE,
        messages={name: one.text() for name, one in told["message"].fields().items()}
        if "message" in told
        else {},
        owner=_text(told, "owner"),
        rationale=_text(told, "rationale"),
        source=_text(told, "source"),
        on=trigger.on,
        daily=trigger.daily,
        absence=trigger.absence,
        severity=_severity(told),
        emergency="emergency" in told and told["emergency"].flag(),
        mode=told["mode"].one_of(Mode, Mode.LIVE) if "mode" in told else Mode.LIVE,
        review="review" in told and told["review"].flag(),
        cooldown=told["cooldown"].duration() if "cooldown" in told else timedelta(0),
        key=_expression(told, "key", items),
        group=_text(told, "group"),
        cue=_text(told, "cue"),
        stop="stop" in told and told["stop"].flag(),
        consent=_text(told, "consent") or "treatment",
        channel=_text(told, "channel") or "work_queue",
        answer_within=told["answer_within"].duration() if "answer_within" in told else None,
        escalation=tuple(_level(one) for one in told["escalate"].items())
        if "escalate" in told
        else (),
        trial=_trial(told["trial"]) if "trial" in told else None,
        merge="merge" in told and told["merge"].flag(),
        enabled="enabled" not in told or told["enabled"].flag(),
        place=item.place,
        when_place=told["when"].place if "when" in told else item.place,
    )


def _trigger(item: Item, told: Mapping[str, Item]) -> _Trigger:
    given = [name for name in ("on", "daily", "absence") if name in told]
    if len(given) != 1:
        item.wrong("a rule has one trigger: `on`, `daily` or `absence`")
        return _Trigger()
    trigger = told[given[0]]
    if given[0] == "on":
        kinds = tuple(one.text() for one in trigger.items())
        if not kinds:
            trigger.wrong("names no kind of event")
        return _Trigger(on=kinds)
    if given[0] == "daily":
        fields = trigger.fields(frozenset({"at", "weekdays"}))
        if "at" not in fields:
            trigger.wrong('has a time of day `at`, such as "09:00"')
        days = (
            frozenset(one.count() for one in fields["weekdays"].items())
            if "weekdays" in fields
            else frozenset()
        )
        if not days <= frozenset(range(1, 8)):
            fields["weekdays"].wrong("weekdays are 1 (Monday) to 7 (Sunday)")
        return _Trigger(daily=Daily(fields["at"].clock() if "at" in fields else time(9), days))
    fields = trigger.fields(frozenset({"of", "hours"}))
    if set(fields) != {"of", "hours"}:
        trigger.wrong("has the kinds `of` which nothing came, and `hours`")
        return _Trigger(absence=Absence((), 0))
    kinds = tuple(one.text() for one in fields["of"].items())
    hours = fields["hours"].text()
    is_limit = hours.startswith("limit.")
    return _Trigger(
        absence=Absence(
            kinds, hours.removeprefix("limit.") if is_limit else fields["hours"].number()
        )
    )


def _level(item: Item) -> Level:
    told = item.fields(frozenset({"after", "to"}))
    for needed in ("after", "to"):
        if needed not in told:
            item.wrong(f"a level of escalation has `{needed}`")
    after = told["after"].duration() if "after" in told else timedelta(0)
    if "after" in told and after <= timedelta(0):
        told["after"].wrong("must be longer than nothing")
    return Level(after, _text(told, "to"))


def _severity(told: Mapping[str, Item]) -> int:
    if "severity" not in told:
        return common_pb2.SEVERITY_UNSPECIFIED
    word = told["severity"].text()
    if word not in SEVERITIES:
        told["severity"].wrong(f"must be one of {', '.join(SEVERITIES)}")
    return SEVERITIES.get(word, common_pb2.SEVERITY_LOW)


def _trial(item: Item) -> NudgeTrial:
    told = item.fields(TRIAL_FIELDS)
    for needed in ("name", "holdout"):
        if needed not in told:
            item.wrong(f"a trial has a `{needed}`")
    name = _text(told, "name")
    if "name" in told and not NAME.match(name):
        told["name"].wrong("a trial's name is of lower-case letters, digits and _")
    holdout = told["holdout"].count() if "holdout" in told else LEAST_HOLDOUT
    if "holdout" in told and not LEAST_HOLDOUT <= holdout <= MOST_HOLDOUT:
        told["holdout"].wrong(f"must be a share from {LEAST_HOLDOUT} to {MOST_HOLDOUT} per cent")
    within = told["within"].duration() if "within" in told else USUAL_WITHIN
    if "within" in told and not timedelta(0) < within <= LONGEST_WITHIN:
        told["within"].wrong(f"must be more than nothing, at most {LONGEST_WITHIN.days}d")
    return NudgeTrial(name, holdout, within, item.place)


def _no_trial(item: Item) -> bool:
    return item.is_scalar and item.text() == NO_TRIAL


def read_override(item: Item) -> Override:
    told = item.fields(OVERRIDE_FIELDS)
    who = [name for name in ("clinic", "patient") if name in told]
    if len(who) != 1:
        item.wrong("an override is for a `clinic` or for a `patient`")
    rules = told["rules"].fields() if "rules" in told else {}
    changes = {rule_id: one.fields(OVERRIDDEN) for rule_id, one in rules.items()}
    quiet = [one.clock() for one in told["quiet_hours"].items()] if "quiet_hours" in told else []
    if "quiet_hours" in told and len(quiet) != 2:
        told["quiet_hours"].wrong('must be two times of day, such as ["21:00", "08:00"]')
    return Override(
        clinic=_text(told, "clinic"),
        patient=_text(told, "patient"),
        limits={name: one.number() for name, one in told["limits"].fields().items()}
        if "limits" in told
        else {},
        disabled=frozenset(
            rule for rule, one in changes.items() if "enabled" in one and not one["enabled"].flag()
        ),
        shadowed=frozenset(
            rule
            for rule, one in changes.items()
            if "mode" in one and one["mode"].one_of(Mode, Mode.LIVE) is Mode.SHADOW
        ),
        cooldowns={
            rule: one["cooldown"].duration() for rule, one in changes.items() if "cooldown" in one
        },
        trials={
            rule: None if _no_trial(one["trial"]) else _trial(one["trial"])
            for rule, one in changes.items()
            if "trial" in one
        },
        quiet=(quiet[0], quiet[1]) if len(quiet) == 2 else None,
        place=item.place,
    )


def _text(told: Mapping[str, Item], name: str) -> str:
    return told[name].text() if name in told else ""


def _expression(told: Mapping[str, Item], name: str, items: Items) -> str:
    """An expression's text; its node is kept, to say where inside of it a fault is."""
    if name not in told:
        return ""
    items[told[name].rule, name] = told[name]
    return told[name].text()
