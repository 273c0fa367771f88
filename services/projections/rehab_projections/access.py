"""Who may ask what where no identity service decides: in development.

The roles are those of the access table. What else the table asks for rests on facts that identity
alone folds, who treats whom and what patients agreed to: without them a therapist may read every
patient of the clinic, and a patient the own record.
"""

from __future__ import annotations

from typing import Any

from rehab.projections.v1 import (
    billing_service_pb2,
    progress_service_pb2,
    projections_service_pb2,
    vitals_service_pb2,
    work_service_pb2,
)
from rehab_runtime.access.table import TABLE
from rehab_runtime.auth import Principal
from rehab_runtime.errors import NotFound, PermissionDenied

_FILES = (
    billing_service_pb2,
    progress_service_pb2,
    projections_service_pb2,
    vitals_service_pb2,
    work_service_pb2,
)
_RULES = {
    method.input_type.full_name: TABLE[f"/{service.full_name}/{method.name}"]
    for file in _FILES
    for service in file.DESCRIPTOR.services_by_name.values()
    for method in service.methods
}
"""By the request: each RPC has one of its own."""


def may_ask(caller: Principal, request: Any) -> None:
    """Raises PermissionDenied for a role without access, a device of nobody's, or another clinic's
    list; NotFound for another patient's record."""
    rule = _RULES[request.DESCRIPTOR.full_name]
    if caller.role not in rule.who:
        raise PermissionDenied(f"a {caller.role} may not ask this")
    if rule.about and caller.role in ("patient", "device"):
        if not caller.patient_id:
            raise PermissionDenied("the caller acts for no patient")
        if caller.patient_id != request.patient_id:
            raise NotFound("another patient's record")
    elif rule.clinic and not caller.may_act_for(request.clinic_id):
        raise PermissionDenied("another clinic's list")


def may_read_patient_of(caller: Principal, clinic_id: str) -> None:
    """Raises NotFound for a patient of another clinic: not even that it exists is told."""
    if not caller.may_act_for(clinic_id):
        raise NotFound("a patient of another clinic")
