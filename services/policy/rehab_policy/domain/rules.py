"""What a rule book says: limits, windows, rules. Made by `loading`, which checks all of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import time, timedelta
from enum import StrEnum
from functools import cached_property

DEFAULT_LANGUAGE = "en"


class ActionKind(StrEnum):
    """What a rule does when it fires."""

    FEEDBACK = "feedback"
    """A cue on the device, while the patient moves."""
    NUDGE = "nudge"
    """A word to the patient, never in quiet hours."""
    ALERT = "alert"
    """Something a person must look at; never deferred."""


class Mode(StrEnum):
    """Whether what a rule decides is done, or only recorded to see what it would do."""

    LIVE = "live"
    SHADOW = "shadow"


class LimitType(StrEnum):
    """`COUNT` is a whole number from 0 (CEL uint), `NUMBER` a real one (CEL double)."""

    COUNT = "count"
    NUMBER = "number"


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the rule book something is written; lines and columns from 1."""

    file: str = ""
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Limit:
    """A threshold as data. `plan` names the field of the plan's SafetyLimits that overrides it."""

    name: str
    type: LimitType
    default: float
    unit: str
    least: float
    most: float
    source: str
    review: bool
    """The source is weak: a clinician must look at it before it is relied on."""
    plan: str = ""
    place: Place = Place()

    def allows(self, value: float) -> bool:
        whole = self.type is LimitType.NUMBER or float(value).is_integer()
        return whole and self.least <= value <= self.most


class Figure(StrEnum):
    """What a window tells of its points. `SINCE` is hours since the last; absent ones are None."""

    COUNT = "count"
    AVG = "avg"
    MIN = "min"
    MAX = "max"
    LAST = "last"
    CHANGE = "change"
    """Mean of the newer half of the window's time minus that of the older half."""
    STREAK = "streak"
    """How many of the newest points in a row satisfy `where`."""
    SINCE = "since"


COUNTED = frozenset({Figure.COUNT, Figure.STREAK})
"""Figures that are whole numbers; all others are real ones and may be absent."""


@dataclass(frozen=True, slots=True)
class Window:
    """A figure over past events of one kind, by the time they occurred.

    `each` names a repeated field of the kind whose elements are points of their own, called `name`
    in the expressions. `by` parts the points: an event sees those of its own part alone.
    """

    name: str
    figure: Figure
    kind: str
    within: timedelta
    where: str = ""
    of: str = ""
    each: str = ""
    element: str = ""
    by: str = ""
    place: Place = Place()


@dataclass(frozen=True, slots=True)
class Daily:
    """Evaluated once a local day at this time; on these ISO weekdays, on all when empty."""

    at: time
    weekdays: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Absence:
    """Evaluated once nothing of these kinds has come from the patient for so long.

    Reckoned from the last one or from when something became due again, whichever is later, and
    only while a plan is active. `hours` is a number or the name of a limit.
    """

    kinds: tuple[str, ...]
    hours: float | str


@dataclass(frozen=True, slots=True)
class Level:
    """Who is told when nobody has acknowledged an alert for so long after it was raised."""

    after: timedelta
    to: str


@dataclass(frozen=True, slots=True)
class NudgeTrial:
    """Whether a nudge helps: `holdout` per cent of the patients are not nudged, and of both arms it
    is counted how often a session is begun `within` so long."""

    name: str
    holdout: int
    within: timedelta
    place: Place = field(default=Place(), compare=False)


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. Exactly one of `on`, `daily`, `absence` is its trigger."""

    id: str
    version: int
    when: str
    action: ActionKind
    messages: Mapping[str, str]
    owner: str
    rationale: str
    source: str
    on: tuple[str, ...] = ()
    daily: Daily | None = None
    absence: Absence | None = None
    severity: int = 0
    """rehab.events.v1.Severity of an alert."""
    emergency: bool = False
    mode: Mode = Mode.LIVE
    review: bool = False
    cooldown: timedelta = timedelta(0)
    key: str = ""
    """CEL, a string: firings of different keys do not hold each other back."""
    group: str = ""
    """Firings of one cause and group are one alert, the most severe."""
    cue: str = ""
    stop: bool = False
    consent: str = "treatment"
    """Purpose that must be allowed for a nudge."""
    channel: str = "work_queue"
    answer_within: timedelta | None = None
    escalation: tuple[Level, ...] = ()
    trial: NudgeTrial | None = None
    merge: bool = False
    """An open alert stands for later firings of the same key, unless they are more severe."""
    enabled: bool = True
    place: Place = Place()
    when_place: Place = Place()

    @property
    def message_key(self) -> str:
        return self.id


@dataclass(frozen=True, slots=True)
class Override:
    """What a clinic or one patient does otherwise. The patient's wins over the clinic's."""

    clinic: str = ""
    patient: str = ""
    limits: Mapping[str, float] = field(default_factory=dict)
    disabled: frozenset[str] = frozenset()
    shadowed: frozenset[str] = frozenset()
    cooldowns: Mapping[str, timedelta] = field(default_factory=dict)
    trials: Mapping[str, NudgeTrial | None] = field(default_factory=dict)
    """By rule; None takes it out of its trial: everybody is nudged."""
    quiet: tuple[time, time] | None = None
    place: Place = Place()


QUIET_HOURS = (time(21), time(8))


@dataclass(frozen=True)
class RuleSet:
    """A rule book as loaded. `version` is its own; `sha256` is of its text, in hexadecimal."""

    name: str
    version: int
    sha256: str
    languages: tuple[str, ...]
    limits: Mapping[str, Limit]
    windows: Mapping[str, Window]
    rules: tuple[Rule, ...]
    overrides: tuple[Override, ...] = ()
    quiet: tuple[time, time] = QUIET_HOURS

    @cached_property
    def _by_id(self) -> Mapping[str, Rule]:
        return {rule.id: rule for rule in self.rules}

    def rule(self, rule_id: str) -> Rule | None:
        return self._by_id.get(rule_id)
