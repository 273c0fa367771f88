"""Why a rule fired: its condition with the figures it saw, and where its limits come from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rehab_policy.domain.firing import Firing
from rehab_policy.domain.rules import RuleSet


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that the condition names, with its value. Limits have a unit and a source."""

    name: str
    value: str
    unit: str = ""
    source: str = ""
    review: bool = False


@dataclass(frozen=True, slots=True)
class Explanation:
    """Of one firing; empty texts where the rule is no longer known."""

    rule_id: str
    rule_version: int
    condition: str
    facts: tuple[Fact, ...]
    rationale: str
    source: str
    owner: str
    review: bool
    also: tuple[str, ...]
    input_event_ids: tuple[str, ...]

    def lines(self) -> Iterator[str]:
        yield f"{self.rule_id} version {self.rule_version}: {self.rationale}"
        yield f"  when {' '.join(self.condition.split())}"
        for fact in self.facts:
            source = f" ({fact.source})" if fact.source else ""
            yield f"  {fact.name} = {fact.value}{f' {fact.unit}' if fact.unit else ''}{source}"
        for event_id in self.input_event_ids:
            yield f"  event {event_id}"
        for other in self.also:
            yield f"  stands for {other}, too"
        note = "; needs clinician review" if self.review else ""
        yield f"  source: {self.source}{note}; owner: {self.owner}"


def explain(firing: Firing, rules: RuleSet) -> Explanation:
    """The facts are those that the firing saw, whatever holds by now."""
    rule = rules.rule(firing.rule_id)
    return Explanation(
        rule_id=firing.rule_id,
        rule_version=firing.rule_version,
        condition=rule.when if rule else "",
        facts=tuple(_fact(name, value, rules) for name, value in firing.facts.items()),
        rationale=rule.rationale if rule else "",
        source=rule.source if rule else "",
        owner=rule.owner if rule else "",
        review=rule.review if rule else False,
        also=firing.also,
        input_event_ids=firing.input_event_ids,
    )


def _fact(name: str, value: object, rules: RuleSet) -> Fact:
    shown = (
        "absent" if value is None else f"{value:.6g}" if isinstance(value, float) else str(value)
    )
    limit = rules.limits.get(name.removeprefix("limit.")) if name.startswith("limit.") else None
    if limit is None:
        return Fact(name, shown)
    return Fact(name, shown, limit.unit, limit.source, limit.review)
