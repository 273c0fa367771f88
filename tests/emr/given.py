"""Events as devices and clinicians make them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from google.protobuf import json_format

from rehab.events.v1 import event_pb2
from rehab.events.v1.event_pb2 import Body, Event
from rehab.events.v1.kinds import KINDS, kind_of
from rehab_runtime.clock import uuid7

CLINIC, PATIENT = "clinic-1", "patient-1"


def event(
    patient: str = PATIENT,
    *,
    clinic: str = CLINIC,
    at: datetime | None = None,
    corrects: str = "",
    **kind: Any,
) -> Event:
    """A body from the proto's JSON form, such as event(pain_report={"nprs": 3, ...})."""
    made = Event(body=json_format.ParseDict(kind, Body()))
    name = str(kind_of(made.body))
    envelope = made.envelope
    envelope.event_id, envelope.kind, envelope.schema_version = str(uuid7()), name, 1
    envelope.clinic_id, envelope.subject_id = clinic, patient
    envelope.occurred_at.FromDatetime(at or datetime.now(UTC) - timedelta(minutes=5))
    envelope.zone = "Europe/Berlin"
    envelope.corrects = corrects
    envelope.actor.id, envelope.actor.role = patient, event_pb2.ROLE_PATIENT
    envelope.phi = KINDS[name].phi
    if envelope.phi:
        envelope.consent_id = "consent-1"
    return made


def pain(nprs: int = 3, patient: str = PATIENT, **told: Any) -> Event:
    return event(patient, pain_report={"nprs": nprs, "phase": "PAIN_PHASE_24H"}, **told)


def agreed(
    purpose: str = "emr_share",
    patient: str = PATIENT,
    *,
    until: datetime | None = None,
    **told: Any,
) -> Event:
    """The consent's id is the purpose with the patient behind it, unless told otherwise."""
    since = datetime.now(UTC) - timedelta(days=30)
    name = told.pop("consent_id", f"{purpose}-{patient}")
    granted = {"purpose": purpose, "validFrom": since.isoformat(), "scope": told.pop("scope", [])}
    if until is not None:
        granted["validUntil"] = until.isoformat()
    return event(patient, at=since, consent={"consentId": name, "granted": granted}, **told)


def withdrew(patient: str = PATIENT, consent_id: str = "") -> Event:
    now = datetime.now(UTC)
    name = consent_id or f"emr_share-{patient}"
    told = {"consentId": name, "revoked": {"effectiveAt": now.isoformat()}}
    return event(patient, at=now, consent=told)


def arrived(patient: str = PATIENT, clinic: str = CLINIC) -> list[Event]:
    """Enrolled, consenting to treatment, and to sharing."""
    since = datetime.now(UTC) - timedelta(days=30)
    enrolled = {"enrolled": {"zone": "Europe/Berlin"}}
    return [
        event(patient, clinic=clinic, at=since, enrolment=enrolled),
        agreed("treatment", patient, clinic=clinic, consent_id="consent-1"),
        agreed("emr_share", patient, clinic=clinic),
    ]
