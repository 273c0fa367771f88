"""Who may say what is decided by the fake as by ingest, kind by kind, step by step."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from rehab.events.v1.event_pb2 import ROLE_DEVICE, ROLE_PATIENT, ROLE_THERAPIST, Event, Role
from rehab.events.v1.tellers import KIND_TABLE
from rehab_ingest.domain.rights import refusal
from rehab_runtime.access.facts import Care, Consent, PatientFacts
from rehab_runtime.auth import Principal
from rehab_sdk.testing.accounts import Who
from rehab_sdk.testing.rights import unsayable
from tests.contract.golden import bodies
from tests.ingest.given import CLINIC, PATIENT, rep

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
LONG_AGO = NOW - timedelta(days=60)
FACTS = PatientFacts(
    PATIENT,
    CLINIC,
    team=(Care("ann", LONG_AGO),),
    consents=(Consent("consent-1", "treatment", LONG_AGO),),
)
CALLERS = [
    Principal(PATIENT, "patient", CLINIC, patient_id=PATIENT),
    Principal("phone-1", "device", CLINIC, patient_id=PATIENT),
    Principal("another", "patient", CLINIC, patient_id="another"),
    Principal("ann", "therapist", CLINIC),
    Principal("boss", "admin", CLINIC),
    Principal("emr", "service", CLINIC),
]
ACTORS = [
    (PATIENT, ROLE_PATIENT),
    ("phone-1", ROLE_DEVICE),
    ("phone-1", ROLE_PATIENT),
    ("ann", ROLE_THERAPIST),
    ("boss", Role.ROLE_ADMIN),
    ("emr", Role.ROLE_SERVICE),
]


def as_told(kind: str) -> list[Event]:
    """The kind in each of its steps, in everybody's name."""
    told = []
    for body in bodies(kind):
        for actor_id, role in ACTORS:
            event = rep()
            event.envelope.kind = kind
            event.body.CopyFrom(body)
            event.envelope.actor.id, event.envelope.actor.role = actor_id, role
            told.append(event)
    return told


@pytest.mark.parametrize("caller", CALLERS, ids=lambda one: f"{one.id}-{one.role}")
@pytest.mark.parametrize("kind", sorted(KIND_TABLE))
def test_who_may_say_what_is_as_ingest_has_it(kind: str, caller: Principal) -> None:
    who = Who(caller.id, caller.role, caller.clinic_id, caller.patient_id)
    for event in as_told(kind):
        real, fake = refusal(event, caller, FACTS, NOW), unsayable(event, who)
        rules = [(one.field, one.rule, one.message) for one in real.violations] if real else []
        if rules and rules[0][1] == "patient.treated":
            rules = []  # who treats whom is not kept by the fake
        told = [(one.field, one.rule, one.message) for one in fake.violations] if fake else []
        assert told == rules, (kind, event.envelope.actor)
