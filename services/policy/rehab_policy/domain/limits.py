"""Which limits and changes of rules are in force for a patient."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any

from rehab_policy.domain.rules import LimitType, Mode, NudgeTrial, Override, Rule, RuleSet
from rehab_policy.domain.shapes import Shape
from rehab_policy.domain.state import PatientState

_NONE = Override()
_NEITHER = (_NONE, _NONE)


class InForce:
    """A book's overrides, by clinic and patient."""

    def __init__(self, rules: RuleSet, shape: Shape) -> None:
        self._rules, self._shape = rules, shape
        self._clinics = {o.clinic: o for o in rules.overrides if o.clinic}
        self._patients = {o.patient: o for o in rules.overrides if o.patient}
        self._plan = [limit for limit in rules.limits.values() if limit.plan]

    def _of(self, clinic_id: str, patient_id: str) -> tuple[Override, Override]:
        """The patient's, then the clinic's."""
        if not self._patients and not self._clinics:
            return _NEITHER
        return self._patients.get(patient_id, _NONE), self._clinics.get(clinic_id, _NONE)

    def values(
        self, clinic_id: str, patient_id: str, plan: Mapping[str, float]
    ) -> dict[str, float]:
        """Limits by name: the plan's, else the patient's, the clinic's, the book's."""
        patient, clinic = self._of(clinic_id, patient_id)
        return {
            name: plan.get(name, patient.limits.get(name, clinic.limits.get(name, limit.default)))
            for name, limit in self._rules.limits.items()
        }

    def of(self, state: PatientState, today: date) -> tuple[dict[str, float], Any]:
        """Values and message, kept until care changes or the local day does."""
        known = state.kept.get(self._rules.sha256)
        if known is None or known[0] is not state.care or known[1] != today:
            plan = {}
            for limit in self._plan:
                value = state.care.plan_limit(limit.plan, today)
                if value is not None:
                    plan[limit.name] = value
            values = self.values(state.clinic_id, state.patient_id, plan)
            known = (state.care, today, values, self.message(values))
            state.kept[self._rules.sha256] = known
        return known[2], known[3]

    def message(self, values: Mapping[str, float]) -> Any:
        limits = self._rules.limits
        return self._shape.message(
            {
                name: int(value) if limits[name].type is LimitType.COUNT else value
                for name, value in values.items()
                if name in limits
            }
        )

    def enabled(self, rule: Rule, clinic_id: str, patient_id: str) -> bool:
        patient, clinic = self._of(clinic_id, patient_id)
        return rule.id not in patient.disabled and rule.id not in clinic.disabled

    def shadow(self, rule: Rule, clinic_id: str, patient_id: str) -> bool:
        if rule.mode is Mode.SHADOW:
            return True
        return any(rule.id in o.shadowed for o in self._of(clinic_id, patient_id))

    def cooldown(self, rule: Rule, clinic_id: str, patient_id: str) -> timedelta:
        patient, clinic = self._of(clinic_id, patient_id)
        return patient.cooldowns.get(rule.id, clinic.cooldowns.get(rule.id, rule.cooldown))

    def trial(self, rule: Rule, clinic_id: str, patient_id: str) -> NudgeTrial | None:
        patient, clinic = self._of(clinic_id, patient_id)
        return patient.trials.get(rule.id, clinic.trials.get(rule.id, rule.trial))

    def quiet(self, state: PatientState) -> tuple[time, time]:
        patient, clinic = self._of(state.clinic_id, state.patient_id)
        return patient.quiet or clinic.quiet or self._rules.quiet


def is_quiet(local: datetime, hours: tuple[time, time]) -> bool:
    """Whether a local time lies in quiet hours, which may go over midnight."""
    start, end = hours
    at = local.time()
    if start <= end:
        return start <= at < end
    return at >= start or at < end
