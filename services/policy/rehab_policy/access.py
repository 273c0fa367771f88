"""Who may see which alerts: the gate decides, and in development, without one, roles alone."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from rehab_runtime.access.decide import UNSEEN
from rehab_runtime.access.gate import Gate
from rehab_runtime.auth import current_principal
from rehab_runtime.errors import NotFound, PermissionDenied

SERVICE = "/rehab.policy.v1.PolicyService"
READERS = frozenset({"therapist", "service"})
RULE_READERS = frozenset({"therapist", "admin", "service"})
RULE_WRITERS = frozenset({"admin", "service"})


class Guard:
    def __init__(self, gate: Gate | None) -> None:
        self._gate = gate

    def may_read_clinic(self, clinic_id: str) -> None:
        """Raises PermissionDenied. No clinic means all."""
        caller = current_principal()
        if caller.role not in READERS:
            raise PermissionDenied(f"role {caller.role} reads no alerts")
        self.in_clinic(clinic_id)

    def in_clinic(self, clinic_id: str) -> None:
        """Raises NotFound for another clinic's."""
        caller = current_principal()
        if not caller.may_act_for(clinic_id) and caller.role != "service":
            raise NotFound("alerts of another clinic")

    def must_be(self, roles: Collection[str]) -> None:
        """Raises PermissionDenied."""
        if current_principal().role not in roles:
            raise PermissionDenied("another role's")

    async def may(self, method: str, clinic_id: str, patient_id: str) -> None:
        """About one patient. Raises PermissionDenied, NotFound."""
        self.may_read_clinic(clinic_id)
        if self._gate is None or current_principal().role == "service":
            return
        decisions = await self._gate.decide_each(f"{SERVICE}/{method}", [patient_id])
        reason = decisions[patient_id].reason
        if reason in UNSEEN:
            raise NotFound(f"denied: {reason}")
        if not decisions[patient_id].allowed:
            raise PermissionDenied(f"denied: {reason}", metadata={"reason": reason})

    async def shown(self, method: str, patient_ids: Iterable[str]) -> Collection[str]:
        """Those of the patients whom the caller may see, each traced."""
        patients = set(patient_ids)
        if self._gate is None or current_principal().role == "service" or not patients:
            return patients
        decisions = await self._gate.decide_each(f"{SERVICE}/{method}", sorted(patients))
        return {patient for patient, decision in decisions.items() if decision.allowed}

    async def again(self, method: str, request: Any) -> None:
        """Decide once more on a call that goes on. Raises what the gate raises."""
        if self._gate is not None:
            await self._gate.admit(f"{SERVICE}/{method}", request)
