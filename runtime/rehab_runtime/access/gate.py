"""The gate in front of a service's RPCs: who may not is turned away, and who may is traced, before
a handler runs."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any, NoReturn, Protocol

from rehab_runtime.access.decide import UNSEEN, Decision, admit, decide
from rehab_runtime.access.facts import PatientFacts
from rehab_runtime.access.rules import Rule
from rehab_runtime.access.trail import NOBODY, Reading, Trail
from rehab_runtime.auth import Principal, current_principal
from rehab_runtime.clock import Clock
from rehab_runtime.errors import InvalidArgument, NotFound, PermissionDenied, Violation

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}")
UNLISTED = Decision(False, "unlisted")
OPEN = Decision(True, "open")


class Facts(Protocol):
    async def facts_of(self, patient_ids: Iterable[str]) -> Mapping[str, PatientFacts]:
        """The facts of each; of one who is not known only the id. Raises Unavailable."""
        ...


class Gate:
    """Decides by the table. Without facts or a trace nobody is let in."""

    def __init__(self, table: Mapping[str, Rule], facts: Facts, trail: Trail, clock: Clock) -> None:
        self._table = table
        self._facts = facts
        self._trail = trail
        self._clock = clock

    def is_open(self, method: str) -> bool:
        """Whether callers of "/package.Service/Method" show who they are by the request itself."""
        rule = self._table.get(method)
        return rule is not None and rule.open

    async def admit(self, method: str, request: Any) -> Decision:
        """Returns when the current caller may go on; `request` is None where several come. What is
        decided piece by piece only admits: `decide_each` is left to the handler.

        Raises PermissionDenied with the reason, NotFound for what is not to be known to exist,
        InvalidArgument where the request does not name what it is about, Unavailable and
        Overloaded when facts or trail are not to be had.
        """
        rule = self._table.get(method)
        if rule is None:
            self._refuse(method, None, UNLISTED, ())
        if rule.open:
            return OPEN
        caller = current_principal()
        clinic_id = _named(request, rule.clinic, caller)
        if rule.per_item or (request is None and not rule.about):
            decision = admit(rule, caller, clinic_id)
            if not decision.allowed:
                self._refuse(method, rule, decision, ())
            return decision
        patient_id = _named(request, rule.about, caller)
        facts: PatientFacts | None = None
        if patient_id and caller.role != "service":
            facts = (await self._facts.facts_of([patient_id]))[patient_id]
        decision = decide(rule, caller, self._clock.now(), patient=facts, clinic_id=clinic_id)
        # of whom a service asks is not looked up: it may for what it is
        known = [patient_id] if patient_id and (facts is None or facts.known) else []
        if not decision.allowed:
            self._refuse(method, rule, decision, known)
        if rule.traced:
            await self.trace(method, decision, known)
        return decision

    async def decide_each(
        self, method: str, patient_ids: Iterable[str], at: datetime | None = None
    ) -> dict[str, Decision]:
        """A decision on each patient; those allowed are traced before it returns. Raises
        Unavailable and Overloaded."""
        rule, caller = self._table[method], current_principal()
        facts = await self._facts.facts_of(patient_ids)
        moment = at or self._clock.now()
        decisions = {one: decide(rule, caller, moment, patient=facts[one]) for one in facts}
        if rule.traced:
            by_decision: dict[Decision, list[str]] = {}
            for one, decision in decisions.items():
                if facts[one].known:
                    by_decision.setdefault(decision, []).append(one)
            for decision, subjects in by_decision.items():
                await self.trace(method, decision, subjects)
        return decisions

    async def trace(self, method: str, decision: Decision, subjects: Iterable[str]) -> None:
        """Return once the log tells of what was allowed; of a denial it is told in time."""
        rule = self._table.get(method)
        reading = _reading(current_principal(), method, decision, rule)
        named = list(subjects) or [NOBODY]
        if decision.allowed:
            await self._trail.allow(reading, named)
        else:
            self._trail.deny(reading, named)

    @contextmanager
    def denials(self, method: str) -> Iterator[None]:
        """For what a handler decides by itself: what it denies is told, too."""
        try:
            yield
        except (NotFound, PermissionDenied) as error:
            decision = Decision(False, error.metadata.get("reason", "not_the_callers"))
            reading = _reading(current_principal(), method, decision, self._table.get(method))
            self._trail.deny(reading)
            raise

    def _refuse(
        self, method: str, rule: Rule | None, decision: Decision, subjects: Iterable[str]
    ) -> NoReturn:
        reading = _reading(current_principal(), method, decision, rule)
        self._trail.deny(reading, list(subjects) or [NOBODY])
        raise _denial(decision)


def _denial(decision: Decision) -> PermissionDenied | NotFound:
    if decision.reason in UNSEEN:
        return NotFound(f"denied: {decision.reason}")
    return PermissionDenied(f"denied: {decision.reason}", metadata={"reason": decision.reason})


def _reading(caller: Principal, method: str, decision: Decision, rule: Rule | None) -> Reading:
    return Reading(
        caller.id,
        caller.role,
        method.removeprefix("/"),
        decision.allowed,
        decision.reason,
        rule.purpose if rule is not None else "",
        decision.consent_id,
        caller.clinic_id if caller.role != "service" else "",
    )


def _named(request: Any, field: str, caller: Principal) -> str:
    """What the request names, by the path of the field; only services of the suite may leave it
    open."""
    if not field:
        return ""
    value = str(functools.reduce(getattr, field.split("."), request))
    if _ID.fullmatch(value) or (not value and caller.role == "service"):
        return value
    raise InvalidArgument(
        violations=[Violation(field, "string.pattern", f"must match {_ID.pattern}")]
    )
