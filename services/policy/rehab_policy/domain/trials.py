"""Tests beside the rules: given events, expected firings, nothing else.

    tests:
      - name: severe pain while moving is an emergency
        rules: [emergency.pain, pain.severe]
        given:
          - {at: "0 10:00", pain_report: {nprs: 9, phase: PAIN_PHASE_DURING}}
        expect:
          - {rule: emergency.pain, severity: critical}

`at` is a day from 0 and a local time. Every firing of the named rules must be expected, in order; a
test that expects nothing says that they stay silent.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any

import yaml
from rehab_clinical.days import first_zone

from rehab.events.v1.kinds import KINDS
from rehab_policy.domain.engine import Engine
from rehab_policy.domain.firing import Firing, Outcome
from rehab_policy.domain.given import FIRST_DAY, PATIENT, Given, Setting, body_of, local, stream
from rehab_policy.domain.nodes import DURATION, UNITS
from rehab_policy.domain.reading import SEVERITIES
from rehab_policy.domain.rules import RuleSet

AT = re.compile(r"^(\d{1,3}) ([01]\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?$")
CASE_FIELDS = frozenset({"name", "rules", "setting", "given", "until", "expect"})
EVENT_FIELDS = frozenset({"at", "late", "repeat", "envelope"})
SETTING_FIELDS = frozenset({"zone", "language", "plan", "consents"})
MOST_REPEATS = 2_000
_WORDS: dict[int, str] = {int(number): word for word, number in SEVERITIES.items()}


class TrialError(ValueError):
    """A test that cannot be run as it is written."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One test. `until` is when it ends: timers due by then have fired."""

    file: str
    name: str
    rules: tuple[str, ...]
    setting: Setting
    given: tuple[Given, ...]
    until: datetime
    expect: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a test holds; `differences` says what was otherwise."""

    trial: Trial
    firings: tuple[Firing, ...]
    differences: tuple[str, ...]

    @property
    def good(self) -> bool:
        return not self.differences


def trials_of(texts: Mapping[str, str]) -> list[Trial]:
    """The tests of files. Raises TrialError."""
    return [_trial(file, case) for file, text in texts.items() for case in _cases(file, text)]


def trial_texts(paths: Iterable[Path]) -> dict[str, str]:
    """Test files among paths and in folders. Raises OSError."""
    texts = {}
    for path in paths:
        for file in sorted(path.glob("*.test.yaml")) if path.is_dir() else [path]:
            if file.name.endswith(".test.yaml"):
                texts[str(file)] = file.read_text("utf-8")
    return texts


def run_tests(rules: RuleSet, trials: Iterable[Trial]) -> list[Verdict]:
    """Every test against one engine."""
    engine = Engine(rules)
    known = {rule.id for rule in rules.rules}
    return [_run(engine, known, trial) for trial in trials]


def untested(rules: RuleSet, trials: Iterable[Trial]) -> list[str]:
    """Rules that no test expects to fire, or none expects to stay silent beside."""
    fire = {str(one.get("rule")) for trial in trials for one in trial.expect}
    return [rule.id for rule in rules.rules if rule.enabled and rule.id not in fire]


def _run(engine: Engine, known: set[str], trial: Trial) -> Verdict:
    unknown = [rule for rule in trial.rules if rule not in known]
    if unknown:
        return Verdict(trial, (), tuple(f"there is no rule {rule!r}" for rule in unknown))
    state = engine.start(PATIENT)
    firings: list[Firing] = []
    for event in stream(trial.setting, list(trial.given)):
        firings += engine.step(state, event).firings
    firings += engine.until(state, trial.until).firings
    done = (f for f in firings if f.outcome is not Outcome.FOLLOWED)
    found = tuple(f for f in done if not trial.rules or f.rule_id in trial.rules)
    return Verdict(trial, found, tuple(_differences(trial, found)))


def _differences(trial: Trial, found: tuple[Firing, ...]) -> Iterable[str]:
    for expected, firing in zip(trial.expect, found, strict=False):
        told = shown(firing, trial.setting.zone)
        for name, value in expected.items():
            if name not in told:
                yield f"{expected.get('rule')}: there is no {name!r} in a firing"
            elif str(told[name]) != str(value):
                yield f"{expected.get('rule')}: {name} is {told[name]!r}, not {value!r}"
    for expected in trial.expect[len(found) :]:
        yield f"{expected.get('rule')} did not fire"
    for firing in found[len(trial.expect) :]:
        yield f"{firing.rule_id} fired at {shown(firing, trial.setting.zone)['at']}"


def shown(firing: Firing, zone: str) -> dict[str, Any]:
    """What a test may expect of a firing; `at` as a test writes it."""
    clock = firing.at.astimezone(first_zone(zone))
    day = (clock.date() - FIRST_DAY).days
    return {
        "rule": firing.rule_id,
        "at": f"{day} {clock:%H:%M}",
        "action": firing.action.value,
        "outcome": firing.outcome.value,
        "severity": _WORDS.get(firing.severity, ""),
        "emergency": firing.emergency,
        "shadow": firing.shadow,
        "reason": firing.reason,
        "arm": firing.arm,
        "key": firing.key,
        "cue": firing.cue,
        "stop": firing.stop,
        "level": firing.level,
        "times": firing.times,
        "to": firing.to,
        "text": firing.text,
        "also": list(firing.also),
    }


def _cases(file: str, text: str) -> list[dict[str, Any]]:
    try:
        told = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise TrialError(f"{file}: is not YAML: {error}") from None
    if not isinstance(told, dict) or not isinstance(told.get("tests"), list):
        raise TrialError(f"{file}: has no list `tests`")
    return [_known(file, case, CASE_FIELDS) for case in told["tests"]]


def _trial(file: str, case: dict[str, Any]) -> Trial:
    name = str(case.get("name", ""))
    where = f"{file}: {name!r}"
    setting = _setting(where, _known(where, case.get("setting", {}), SETTING_FIELDS))
    given = [one for told in case.get("given", []) for one in _given(where, told, setting)]
    until = _at(where, case["until"], setting) if "until" in case else None
    last = max((one.at + one.late for one in given), default=local(0, time(1), setting.zone))
    if not name or not isinstance(case.get("expect"), list):
        raise TrialError(f"{where}: a test has a `name`, and a list `expect` that may be empty")
    return Trial(
        file,
        name,
        tuple(case.get("rules", ())),
        setting,
        tuple(given),
        until or last,
        tuple(_known(where, one, None) for one in case["expect"]),
    )


def _setting(where: str, told: dict[str, Any]) -> Setting:
    plain = Setting()
    plan = told.get("plan", {})
    if plan is not False and not isinstance(plan, dict):
        raise TrialError(f"{where}: `plan` is false, or what differs in the prescription")
    return Setting(
        zone=told.get("zone", plain.zone),
        language=told.get("language", plain.language),
        plan=None if plan is False else plan,
        consents=tuple(told.get("consents", plain.consents)),
    )


def _given(where: str, told: Any, setting: Setting) -> list[Given]:
    told = _known(where, told, None)
    kinds = [name for name in told if name not in EVENT_FIELDS]
    if len(kinds) != 1 or kinds[0] not in KINDS:
        raise TrialError(f"{where}: an event has one kind, not {', '.join(kinds) or 'none'}")
    at = _at(where, told.get("at", ""), setting)
    late = _duration(where, told["late"]) if "late" in told else timedelta(0)
    every, times = _repeat(where, told.get("repeat"))
    try:
        bodies = [body_of(kinds[0], _numbered(told[kinds[0]], number)) for number in range(times)]
    except ValueError as error:
        raise TrialError(f"{where}: {kinds[0]}: {error}") from None
    return [
        Given(at + number * every, kinds[0], body, late, told.get("envelope", {}))
        for number, body in enumerate(bodies)
    ]


def _numbered(told: Any, number: int) -> Any:
    """`{n}` in a text is the number of the repetition, from 0."""
    if isinstance(told, dict):
        return {name: _numbered(value, number) for name, value in told.items()}
    if isinstance(told, list):
        return [_numbered(value, number) for value in told]
    return told.replace("{n}", str(number)) if isinstance(told, str) else told


def _repeat(where: str, told: Any) -> tuple[timedelta, int]:
    if told is None:
        return timedelta(0), 1
    told = _known(where, told, frozenset({"every", "times"}))
    times = told.get("times", 1)
    if not isinstance(times, int) or not 1 <= times <= MOST_REPEATS:
        raise TrialError(f"{where}: `times` is from 1 to {MOST_REPEATS}")
    return _duration(where, told.get("every", "")), times


def _at(where: str, told: Any, setting: Setting) -> datetime:
    found = AT.match(str(told))
    if found is None:
        raise TrialError(f'{where}: a time is a day and a local time, such as "3 09:30"')
    at = time(int(found[2]), int(found[3]), int(found[4] or 0))
    return local(int(found[1]), at, setting.zone)


def _duration(where: str, told: Any) -> timedelta:
    found = DURATION.match(str(told))
    if found is None:
        raise TrialError(f'{where}: a duration is such as "90s", "12h", "7d"')
    return float(found[1]) * UNITS[found[2]]


def _known(where: str, told: Any, fields: frozenset[str] | None) -> dict[str, Any]:
    if not isinstance(told, dict):
        raise TrialError(f"{where}: must be a mapping, is {told!r}")
    unknown = sorted(set(told) - fields) if fields is not None else []
    if unknown:
        raise TrialError(f"{where}: unknown field {unknown[0]!r}")
    return told
