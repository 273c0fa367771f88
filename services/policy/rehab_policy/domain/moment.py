"""One asking of rules: the moment, what is known of it, and what its conditions see."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from rehab_clinical.facts import Fact

from rehab_policy.domain.expressions import Bound, EvaluationError
from rehab_policy.domain.facts import About, patient_facts
from rehab_policy.domain.firing import FactValue
from rehab_policy.domain.limits import InForce, is_quiet
from rehab_policy.domain.programs import Asked, Asking, Programs
from rehab_policy.domain.references import PLACEHOLDER, references
from rehab_policy.domain.rules import Rule, RuleSet
from rehab_policy.domain.scopes import ENVELOPE, LIMIT, NOW, PATIENT, WINDOW
from rehab_policy.domain.state import PatientState
from rehab_policy.domain.windows import Failed, figures_of


@dataclass(frozen=True)
class Ready:
    """A rule book that decides from `since` on."""

    since: datetime
    rules: RuleSet
    programs: Programs
    in_force: InForce


class Moment(NamedTuple):
    """`now` is the log's clock, or a timer's due time. `values` are what conditions see, by
    name."""

    ready: Ready
    now: datetime
    fact: Fact | None
    values: Mapping[str, Any]
    bound: Bound
    quiet: bool
    cause_id: str = ""
    """Of the event, or what stands for a timer's asking."""

    def seen(self, reference: str) -> FactValue:
        """What a reference such as "patient.pain.last" has as its value; None when it is absent."""
        root, *names = reference.split(".")
        value: Any = self.values.get(root)
        for name in names:
            if not isinstance(value, Message):
                return None
            field = value.DESCRIPTOR.fields_by_name.get(name)
            if field is None or (field.has_presence and not value.HasField(name)):
                return None
            value = getattr(value, name)
        if isinstance(value, bool | int | float | str):
            return value
        return None if value is None or isinstance(value, Message) else ", ".join(map(str, value))

    def facts(self, rule: Rule) -> dict[str, FactValue]:
        """Every figure and limit that the rule's condition names."""
        return {reference: self.seen(reference) for reference in references(rule.when)}

    def texts(self, rule: Rule) -> dict[str, str]:
        return {
            language: PLACEHOLDER.sub(lambda found: _shown(self.seen(found[1])), text)
            for language, text in rule.messages.items()
        }


def moment_of_event(
    state: PatientState,
    ready: Ready,
    asking: Asking,
    fact: Fact,
    parts: Mapping[str, str],
) -> Moment:
    """As of the state's now. `parts` are the event's own, by the definition of a window."""
    values = _values(state, ready, asking, fact, parts)
    values.update(asking.others)
    values[ENVELOPE] = fact.envelope
    values[fact.kind] = getattr(fact.body, fact.kind)
    return Moment(
        ready,
        state.now,
        fact,
        values,
        asking.scope.bind(values),
        values[PATIENT].quiet,
        fact.stamp.event_id,
    )


def moment_of_timer(state: PatientState, ready: Ready, asking: Asking, cause_id: str) -> Moment:
    values = _values(state, ready, asking, None, {})
    bound = asking.scope.bind(values)
    return Moment(ready, state.now, None, values, bound, values[PATIENT].quiet, cause_id)


def _values(
    state: PatientState,
    ready: Ready,
    asking: Asking,
    fact: Fact | None,
    parts: Mapping[str, str],
) -> dict[str, Any]:
    local = state.now.astimezone(state.zone)
    quiet = is_quiet(local, ready.in_force.quiet(state))
    about = (
        About(state.now, local, None, quiet)
        if fact is None
        else About(state.now, local, fact.body, quiet, fact.stamp.event_id)
    )
    figures = figures_of(state, asking.windows, state.now, parts)
    values = {
        PATIENT: patient_facts(state, about, asking.groups),
        LIMIT: ready.in_force.of(state, local.date())[1],
        WINDOW: ready.programs.scopes.window_shape.message(figures),
    }
    if asking.clock:
        values[NOW] = Timestamp()
        values[NOW].FromDatetime(state.now)
    return values


def holding(asking: Asking, bound: Bound, failed: Failed) -> list[Asked]:
    """The rules whose condition is true. One that fails is told and stops no other."""
    if asking.all is not None:
        try:
            every = asking.all.value(bound)
        except EvaluationError:
            pass  # which of them it is, is found below
        else:
            return [asked for asked, holds in zip(asking.rules, every, strict=True) if holds]
    return [asked for asked in asking.rules if _holds(asked, bound, failed)]


def _holds(asked: Asked, bound: Bound, failed: Failed) -> bool:
    try:
        return bool(asked.when.value(bound))
    except EvaluationError as error:
        failed(asked.rule.id, str(error))
        return False


def _shown(value: FactValue) -> str:
    if value is None:
        return "?"
    return f"{value:.4g}" if isinstance(value, float) else str(value)
