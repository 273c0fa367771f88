"""A rule book for tests, and events as devices and clinicians make them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from google.protobuf import json_format

from rehab.events.v1 import event_pb2
from rehab.events.v1.event_pb2 import Body, Event
from rehab.events.v1.kinds import KINDS, kind_of
from rehab_runtime.clock import uuid7

CLINIC, PATIENT, THERAPIST = "clinic-1", "patient-1", "ann"
HEAD = """\
book: tests
version: {version}
languages: [en]
limits:
  much_pain:
    type: count
    default: 8
    unit: points
    between: [5, 10]
    source: a test
rules:
"""
EMERGENCY = """\
  - id: pain.emergency
    version: 1
    on: [pain_report]
    when: pain_report.nprs >= limit.much_pain
    action: alert
    severity: critical
    emergency: true
    channel: emergency
    message: {en: "Severe pain was reported."}
    owner: tests
    rationale: Severe pain needs a person now.
    source: a test
"""
RISING = """\
  - id: pain.high
    version: {version}
    on: [pain_report]
    when: pain_report.nprs >= {least}u && pain_report.nprs < 8u
    action: alert
    severity: high
    cooldown: 1h
    key: string(pain_report.nprs)
    message: {{en: "Pain was reported."}}
    owner: tests
    rationale: Pain that is not severe wants a look.
    source: a test
"""
POOR = """\
  - id: form.poor
    version: 1
    on: [rep_observation]
    when: rep_observation.reps.exists(one, one.score < 40.0)
    action: feedback
    cue: knees_out
    message: {en: "Push your knees out."}
    owner: tests
    rationale: A cue helps while the patient moves.
    source: a test
"""
TOLD_ON = """\
  - id: pain.unanswered
    version: 1
    on: [symptom_report]
    when: symptom_report.symptom.code == "dizziness"
    action: alert
    severity: high
    cooldown: 1h
    escalate: [{after: 1s, to: lead}]
    message: {en: "Dizziness was reported."}
    owner: tests
    rationale: Somebody else is told when nobody answers.
    source: a test
"""
PAIN_FAILS = """\
  - id: pain.fails
    version: 1
    on: [pain_report]
    when: 10u / (pain_report.nprs - pain_report.nprs) > 1u
    action: alert
    severity: low
    cooldown: 1h
    message: {en: "Never."}
    owner: tests
    rationale: A rule that fails stops no other.
    source: a test
"""


def book(*rules: str, version: int = 1) -> dict[str, str]:
    return {"tests.yaml": HEAD.format(version=version) + "".join(rules)}


def rising(least: int = 5, version: int = 1) -> str:
    return RISING.format(least=least, version=version)


BOOK: Mapping[str, str] = book(EMERGENCY, rising(), POOR, TOLD_ON)


def event(
    patient: str = PATIENT, *, clinic: str = CLINIC, at: datetime | None = None, **kind: Any
) -> Event:
    """A body from the proto's JSON form, such as event(pain_report={"nprs": 3, ...})."""
    made = Event(body=json_format.ParseDict(kind, Body()))
    name = str(kind_of(made.body))
    envelope = made.envelope
    envelope.event_id, envelope.kind, envelope.schema_version = str(uuid7()), name, 1
    envelope.clinic_id, envelope.subject_id = clinic, patient
    envelope.occurred_at.FromDatetime(at or datetime.now(UTC))
    envelope.zone = "Europe/Berlin"
    envelope.actor.id, envelope.actor.role = patient, event_pb2.ROLE_PATIENT
    envelope.phi = KINDS[name].phi
    if envelope.phi:
        envelope.consent_id = "consent-1"
    return made


def pain(nprs: int, patient: str = PATIENT, **told: Any) -> Event:
    return event(patient, pain_report={"nprs": nprs, "phase": "PAIN_PHASE_24H"}, **told)


def dizzy(patient: str = PATIENT) -> Event:
    return event(patient, symptom_report={"symptom": {"code": "dizziness"}})


def rep(score: float, patient: str = PATIENT, session: str = "session-1") -> Event:
    one = {"index": 1, "durationMs": 2500, "romDeg": 90, "score": score, "confidence": 0.9}
    told = {"sessionId": session, "exerciseId": "squat", "setIndex": 1, "reps": [one]}
    return event(patient, rep_observation=told)


def arrived(
    patient: str = PATIENT, therapist: str = THERAPIST, clinic: str = CLINIC
) -> list[Event]:
    """Enrolled, consenting, and treated by somebody."""
    since = datetime.now(UTC) - timedelta(days=30)
    granted = {"purpose": "treatment", "validFrom": since.isoformat()}
    return [
        event(patient, clinic=clinic, at=since, enrolment={"enrolled": {"zone": "Europe/Berlin"}}),
        event(
            patient,
            clinic=clinic,
            at=since,
            consent={"consentId": "consent-1", "granted": granted},
        ),
        event(
            patient,
            clinic=clinic,
            at=since,
            care_team={
                "therapistId": therapist,
                "action": "CARE_TEAM_ACTION_ASSIGNED",
                "primary": True,
            },
        ),
    ]
