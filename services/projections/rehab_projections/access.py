"""Who may read what where no identity service decides: in development."""

from __future__ import annotations

from rehab_runtime.auth import Principal
from rehab_runtime.errors import NotFound, PermissionDenied

PATIENT_READERS = frozenset({"therapist", "emergency", "service", "patient"})
QUEUE_READERS = frozenset({"therapist", "service"})


def may_read_patients(principal: Principal, patient_id: str) -> None:
    """Raises PermissionDenied for a role without access; a patient reads only its own record."""
    if principal.role not in PATIENT_READERS:
        raise PermissionDenied(f"role {principal.role} reads no patient data")
    if principal.role == "patient" and principal.id != patient_id:
        raise NotFound("another patient's record")


def may_read_patient_of(principal: Principal, clinic_id: str) -> None:
    """Raises NotFound for a patient of another clinic: not even that it exists is told."""
    if not principal.may_act_for(clinic_id):
        raise NotFound("a patient of another clinic")


def may_read_billing(principal: Principal) -> None:
    """Raises PermissionDenied: who bills, and nobody else."""
    if principal.role not in QUEUE_READERS:
        raise PermissionDenied(f"role {principal.role} reads no billing evidence")


def may_read_queue(principal: Principal, clinic_id: str) -> None:
    """Raises PermissionDenied."""
    if principal.role not in QUEUE_READERS or not principal.may_act_for(clinic_id):
        raise PermissionDenied("the work queue of another clinic, or a role without one")
