"""Whose endpoint it is. The gate has decided on patients and clinics before; here it is about what
only this service knows."""

from __future__ import annotations

from typing import Any

from rehab_runtime.access.gate import Gate
from rehab_runtime.auth import current_principal
from rehab_runtime.errors import NotFound, PermissionDenied

SERVICE = "/rehab.emr.v1.EmrService"


class Guard:
    def __init__(self, gate: Gate | None) -> None:
        self._gate = gate

    def may_run_clinic(self, clinic_id: str) -> None:
        """Raises PermissionDenied, NotFound. In development, without a gate, roles alone count."""
        caller = current_principal()
        if caller.role not in ("admin", "service"):
            raise PermissionDenied(f"role {caller.role} runs no clinic")
        if caller.role != "service" and not caller.may_act_for(clinic_id):
            raise NotFound("another clinic's")

    def may_see(self, patient_id: str, *roles: str) -> None:
        """Raises PermissionDenied."""
        caller = current_principal()
        if caller.role not in (*roles, "service"):
            raise PermissionDenied(f"role {caller.role} may not")
        if caller.role == "patient" and caller.patient_id != patient_id:
            raise PermissionDenied("another patient's")

    def of_clinic(self, clinic_id: str, wanted: str) -> None:
        """A patient and an endpoint belong to one clinic. Raises NotFound."""
        caller = current_principal()
        if clinic_id != wanted:
            raise NotFound("of another clinic")
        if caller.role != "service" and not caller.may_act_for(clinic_id):
            raise NotFound("of another clinic")

    async def again(self, method: str, request: Any) -> None:
        """Decide once more on a call that goes on. Raises what the gate raises."""
        if self._gate is not None:
            await self._gate.admit(f"{SERVICE}/{method}", request)
