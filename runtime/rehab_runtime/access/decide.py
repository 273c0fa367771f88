"""The decision, from the rule and the facts alone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from rehab_runtime.access.facts import PatientFacts
from rehab_runtime.access.rules import Relation, Rule
from rehab_runtime.auth import Principal

_REASONS = {
    Relation.OWN: "own",
    Relation.CARE: "treats",
    Relation.GRANT: "break_glass",
    Relation.CLINIC: "clinic",
    Relation.SUITE: "suite",
}
_NEEDS_CONSENT = frozenset({Relation.CARE, Relation.CLINIC})
_ORDER = (Relation.SUITE, Relation.OWN, Relation.CARE, Relation.CLINIC, Relation.GRANT)
UNSEEN = frozenset({"other_clinic", "unknown_patient", "erased"})
"""Reasons that are told as if there were nothing: not even that it exists is to be known."""


@dataclass(frozen=True, slots=True)
class Decision:
    """`reason` is a code: for what is allowed the relation it rests on."""

    allowed: bool
    reason: str
    consent_id: str = ""


def decide(
    rule: Rule,
    caller: Principal,
    at: datetime,
    *,
    patient: PatientFacts | None = None,
    clinic_id: str = "",
) -> Decision:
    """Whether the caller may, at a moment. `patient` and `clinic_id` are what the call is about,
    where it is about any."""
    denial = _barred(rule, caller) or _elsewhere(caller, patient, clinic_id)
    if denial:
        return Decision(False, denial)
    wanted = rule.who[caller.role]
    standing = [one for one in _ORDER if one in wanted and _holds(one, caller, at, patient)]
    reason = "no_relationship"
    for relation in standing:
        if not (rule.purpose and patient is not None and relation in _NEEDS_CONSENT):
            return Decision(True, _REASONS[relation])
        consent = patient.consent_to(rule.purpose, at)
        if consent is not None:
            return Decision(True, _REASONS[relation], consent.consent_id)
        reason = "no_consent"
    return Decision(False, reason)


def admit(rule: Rule, caller: Principal, clinic_id: str = "") -> Decision:
    """Whether the caller may ask at all, where what it is about comes piece by piece."""
    denial = _barred(rule, caller) or _elsewhere(caller, None, clinic_id)
    return Decision(not denial, denial or "admitted")


def _barred(rule: Rule, caller: Principal) -> str:
    """What the caller is not, whatever the call is about."""
    if caller.role not in rule.who:
        return "role"
    if caller.scopes and rule.scope not in caller.scopes:
        return "scope"
    if caller.role == "service" and rule.services and caller.service not in rule.services:
        return "service"
    return ""


def _elsewhere(caller: Principal, patient: PatientFacts | None, clinic_id: str) -> str:
    if caller.role == "service":
        return ""
    if patient is not None and not patient.known:
        return "unknown_patient"
    if patient is not None and not caller.may_act_for(patient.clinic_id):
        return "other_clinic"
    if clinic_id and not caller.may_act_for(clinic_id):
        return "other_clinic"
    return "erased" if patient is not None and patient.erased else ""


def _holds(
    relation: Relation, caller: Principal, at: datetime, patient: PatientFacts | None
) -> bool:
    match relation:
        case Relation.SUITE:
            return caller.role == "service"
        case Relation.CLINIC:
            return caller.role != "service"
        case Relation.OWN:
            # without a patient it is about the caller
            return patient is None or caller.patient_id == patient.patient_id
        case Relation.CARE:
            return patient is not None and patient.treated_by(caller.id, at)
        case Relation.GRANT:
            return patient is not None and patient.granted_to(caller.id, at)
