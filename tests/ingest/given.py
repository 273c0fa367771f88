"""Events as a device makes them."""

from __future__ import annotations

from rehab.events.v1.event_pb2 import ROLE_DEVICE, Event
from rehab_runtime.clock import uuid7

CLINIC = "clinic-1"
PATIENT = "patient-1"


def rep(patient: str = PATIENT, score: float = 80.0, clinic: str = CLINIC) -> Event:
    event = Event()
    envelope = event.envelope
    envelope.event_id = str(uuid7())
    envelope.clinic_id, envelope.subject_id = clinic, patient
    envelope.kind, envelope.schema_version = "rep_observation", 1
    envelope.occurred_at.FromJsonString("2026-03-01T10:00:00Z")
    envelope.zone = "Europe/Berlin"
    envelope.actor.id, envelope.actor.role = patient, ROLE_DEVICE
    envelope.device_id = "phone-1"
    envelope.phi, envelope.consent_id = True, "consent-1"
    observation = event.body.rep_observation
    observation.session_id, observation.exercise_id, observation.set_index = "session-1", "squat", 1
    observation.reps.add(index=1, duration_ms=2500, rom_deg=90, score=score, confidence=0.9)
    return event
