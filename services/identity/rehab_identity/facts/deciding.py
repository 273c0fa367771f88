"""Decisions as the table makes them, for whoever asks: now, or as of a time."""

from __future__ import annotations

from datetime import datetime

from rehab_identity.facts.patients import Patients
from rehab_runtime.access.decide import Decision, admit, decide
from rehab_runtime.access.gate import OPEN, UNLISTED
from rehab_runtime.access.table import rule_of
from rehab_runtime.auth import Principal
from rehab_runtime.clock import Clock
from rehab_runtime.errors import InvalidArgument, Violation


class Deciding:
    def __init__(self, patients: Patients, clock: Clock) -> None:
        self._patients = patients
        self._clock = clock

    async def decide(
        self, caller: Principal, rpc: str, patient_id: str, clinic_id: str, at: datetime | None
    ) -> Decision:
        """Raises InvalidArgument for a time that is still to come, and when a patient or clinic is
        not named that the RPC is about; Unavailable."""
        now = self._clock.now()
        if at is not None and at > now:
            raise _invalid("at", "timestamp.not_in_future", "must not be in the future")
        rule = rule_of(rpc)
        if rule is None:
            return UNLISTED
        if rule.open:
            return OPEN
        if rule.about and not patient_id:
            raise _invalid("patient_id", "patient_id.required", "must be told for this RPC")
        if rule.clinic and not (clinic_id or patient_id):
            raise _invalid("clinic_id", "clinic_id.required", "must be told for this RPC")
        if not patient_id and rule.per_item:
            return admit(rule, caller, clinic_id)
        facts = None
        if patient_id:
            facts = (await self._patients.facts_at([patient_id], at))[patient_id]
        return decide(rule, caller, at or now, patient=facts, clinic_id=clinic_id)


def _invalid(field: str, rule: str, message: str) -> InvalidArgument:
    return InvalidArgument(violations=[Violation(field, rule, message)])
