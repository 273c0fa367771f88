"""What to do about each reason on the list: steps, and minutes they are expected to take.

Minutes and steps are defaults without a source in the literature; they need review by a clinician
before use.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from rehab_projections.domain import rules
from rehab_projections.domain.signals import Reason


@dataclass(frozen=True, slots=True)
class Template:
    """Of one rule. `severity` of alerts and of what a person opened is as told: 0 here."""

    code: str
    severity: int
    words: str
    source: str
    minutes: int
    steps: tuple[str, ...]


_TALK = ("call_patient", "review_sessions", "adapt_plan")
_AT_ONCE = ("call_patient", "pause_plan", "refer")
_STEPS: dict[str, tuple[int, tuple[str, ...]]] = {
    "pain_severe": (15, _AT_ONCE),
    "pain_rise": (10, _TALK),
    "fall": (20, _AT_ONCE),
    "near_fall": (10, _TALK),
    "red_flag_symptom": (20, _AT_ONCE),
    "unmapped_symptom": (5, ("map_symptom", "call_patient")),
    "no_session": (5, ("send_message", "call_patient")),
    "adherence_drop": (10, ("review_sessions", "send_message", "adapt_plan")),
    "alert": (10, ("acknowledge_alert", "review_sessions", "call_patient")),
    "manual": (10, ("review_sessions",)),
}
_RULES = (
    rules.PAIN_SEVERE,
    rules.PAIN_RISE_HIGH,
    rules.PAIN_RISE_LOW,
    rules.FALL,
    rules.NEAR_FALL,
    *rules.RED_FLAGS.values(),
    rules.UNMAPPED_SYMPTOM,
    rules.UNRULED_SYMPTOM,
    rules.ABSENCE_LOW,
    rules.ABSENCE_HIGH,
    rules.ADHERENCE_DROP,
)
_AS_TOLD = (
    rules.Rule("alert", 0, "an alert that is not resolved", "the rule that raised it"),
    rules.Rule("manual", 0, "opened by a person", "the person who opened it"),
)


def templates() -> list[Template]:
    """Of every rule, most severe first."""
    made = [
        Template(rule.code, rule.severity, rule.words, rule.source, *_STEPS[rule.code])
        for rule in (*_RULES, *_AS_TOLD)
    ]
    return sorted(made, key=lambda one: (-one.severity, one.code, one.words))


def minutes_for(reasons: Iterable[Reason]) -> int:
    """One conversation serves all reasons of an item: the longest of them."""
    return max((_STEPS[one.code][0] for one in reasons if one.code in _STEPS), default=0)
