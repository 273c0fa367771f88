"""Who may say what of whom, as ingest has it: nobody speaks in another's name, the table of kinds,
and of patients and their phones that they tell of themselves. Care teams and consents are not kept
here: what rests on them is allowed."""

from __future__ import annotations

from rehab.events.v1.event_pb2 import ROLE_DEVICE, ROLE_PATIENT, Event, Role
from rehab.events.v1.tellers import KIND_TABLE, SUITE, tellers
from rehab_sdk.testing.accounts import Who
from rehab_sdk.testing.refusals import Refusal, broken

SELVES = frozenset({"patient", "device"})


def unsayable(event: Event, who: Who) -> Refusal | None:
    """Why the caller may not say it; None when they may."""
    return _by_actor(event, who) or _by_kind(event, who) or _by_relation(event, who)


def _by_actor(event: Event, who: Who) -> Refusal | None:
    actor = event.envelope.actor
    if who.role == "service":
        return None
    if who.role in SELVES:
        names = {who.id, who.patient_id, event.envelope.device_id}
        own = actor.id in names and actor.role in (ROLE_PATIENT, ROLE_DEVICE)
    else:
        own = actor.id == who.id and Role.Name(actor.role) == f"ROLE_{who.role.upper()}"
    return None if own else _denied("envelope.actor", "actor.own", "must be who calls")


def _by_kind(event: Event, who: Who) -> Refusal | None:
    kind = event.envelope.kind
    if kind not in KIND_TABLE:
        return None
    role = _told_as(event, who) if who.role in SELVES else who.role
    may = tellers(kind, event.body)
    if role in may:
        return None
    if may == SUITE:
        return _denied("envelope.kind", "kind.suite", "must be a kind that people may tell")
    return _denied("envelope.kind", "kind.role", f"must be a kind that a {role} may tell")


def _told_as(event: Event, who: Who) -> str:
    """A phone that names its patient tells what its patient says."""
    actor = event.envelope.actor
    themselves = who.role == "patient" or actor.id == who.patient_id
    return "patient" if themselves and actor.role == ROLE_PATIENT else "device"


def _by_relation(event: Event, who: Who) -> Refusal | None:
    if who.role not in SELVES or event.envelope.subject_id == who.patient_id:
        return None
    own = "must be the patient for whom the caller acts"
    return _denied("envelope.subject_id", "patient.own", own)


def _denied(field: str, rule: str, message: str) -> Refusal:
    return broken("PERMISSION_DENIED", field, rule, message)
