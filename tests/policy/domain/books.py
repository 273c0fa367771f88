"""Small rule books for tests, and patients' streams to try them on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import time, timedelta
from pathlib import Path
from textwrap import dedent

from rehab.events.v1.event_pb2 import RecordedEvent
from rehab_policy.domain.cel import Cel
from rehab_policy.domain.engine import Engine
from rehab_policy.domain.firing import Firing
from rehab_policy.domain.given import PATIENT, Given, Setting, body_of, local, stream
from rehab_policy.domain.loading import examine, load, load_paths
from rehab_policy.domain.rules import RuleSet

BOOK = Path(__file__).parents[3] / "services/policy/rehab_policy/book"
ZONE = "Europe/Berlin"
HEAD = """
book: test
version: 3
limits:
  severe: {default: 7, type: count, unit: "{score}", between: [4, 10], source: a study}
"""
PAIN = """
  - id: pain
    version: 2
    on: [pain_report]
    when: pain_report.nprs >= limit.severe
    action: alert
    severity: high
    cooldown: 1d
    owner: us
    rationale: because
    source: a study
    message: {en: "Pain {pain_report.nprs} of 10"}
"""


def book(rules: str = PAIN, more: str = "") -> RuleSet:
    return load({"book.yaml": text(rules, more)}, Cel())


def text(rules: str = PAIN, more: str = "") -> str:
    return f"{HEAD}{dedent(more)}\nrules:{rules}"


def problems(rules: str = PAIN, more: str = "", **other: str) -> list[str]:
    """What is wrong with a book, as it is told."""
    texts = {"book.yaml": text(rules, more), **{f"{name}.yaml": one for name, one in other.items()}}
    return [str(problem) for problem in examine(texts, Cel()).problems]


def shipped() -> RuleSet:
    return load_paths([BOOK], Cel())


def pain(day: int, at: str, nprs: int, *, phase: str = "PRE", late_h: float = 0) -> Given:
    told = {"nprs": nprs, "phase": f"PAIN_PHASE_{phase}", "session_id": "s-1"}
    when = local(day, time.fromisoformat(at), ZONE)
    return Given(when, "pain_report", body_of("pain_report", told), timedelta(hours=late_h))


def event(day: int, at: str, kind: str, told: dict[str, object], **envelope: object) -> Given:
    when = local(day, time.fromisoformat(at), ZONE)
    return Given(when, kind, body_of(kind, told), envelope=envelope)


def events(*given: Given, setting: Setting | None = None) -> list[RecordedEvent]:
    return stream(setting or Setting(), list(given))


def fold(engine: Engine, recorded: Iterable[RecordedEvent]) -> list[Firing]:
    state = engine.start(PATIENT)
    return [firing for one in recorded for firing in engine.step(state, one).firings]


def told(firings: Sequence[Firing]) -> list[tuple[str, str]]:
    return [(firing.rule_id, firing.outcome.value) for firing in firings]
