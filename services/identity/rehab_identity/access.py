"""Whose an account is: what the access table leaves to this service.

What belongs to another clinic is told as if there were nothing.
"""

from __future__ import annotations

from rehab_identity.domain.people import Account
from rehab_runtime.auth import Principal, current_principal
from rehab_runtime.errors import NotFound, PermissionDenied


def require_own(account: Account) -> Principal:
    """The caller, whose own account it is, or who runs the clinic, or is a service of the suite.
    Raises NotFound, PermissionDenied."""
    caller = _in_clinic(account.clinic_id)
    if caller.role in ("service", "admin"):
        return caller
    if caller.role == "device" or caller.id != account.account_id:
        raise PermissionDenied("another's account")
    return caller


def require_admin(clinic_id: str) -> Principal:
    """The caller, who runs the clinic, or is a service of the suite. Raises NotFound,
    PermissionDenied."""
    caller = _in_clinic(clinic_id)
    if caller.role not in ("service", "admin"):
        raise PermissionDenied("only for who runs the clinic")
    return caller


def require_near(patient: Account) -> Principal:
    """The caller, who is the patient or belongs to the patient's clinic; whether they treat the
    patient was decided before the call. Raises NotFound, PermissionDenied."""
    caller = _in_clinic(patient.clinic_id)
    if caller.role == "patient" and caller.id != patient.account_id:
        raise PermissionDenied("another patient")
    if caller.role == "device":
        raise PermissionDenied("a device enrols no other")
    return caller


def is_own(caller: Principal, account: Account) -> bool:
    return caller.id == account.account_id and caller.role != "service"


def _in_clinic(clinic_id: str) -> Principal:
    caller = current_principal()
    if caller.scopes:
        raise PermissionDenied("an API key looks after no accounts")
    if not caller.may_act_for(clinic_id):
        raise NotFound("another clinic's")
    return caller
