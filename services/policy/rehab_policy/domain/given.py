"""Events of a rule's tests, written as in YAML: a day and a time, and the body as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from google.protobuf import json_format
from rehab_clinical.days import first_zone, instant_of

from rehab.events.v1 import event_pb2
from rehab.events.v1.kinds import KINDS
from rehab_policy.domain.ids import uuid7_of

FIRST_DAY = date(2026, 3, 2)
"""A Monday: day 0 of every test."""
CLINIC, PATIENT, THERAPIST, CONSENT = "c-test", "p-test", "t-test", "consent-test"
_STAFF = frozenset({"plan", "care_team", "enrolment", "review", "note", "alert"})
PLAN: Mapping[str, Any] = {
    "plan_id": "plan-test",
    "version": 1,
    "prescribed": {
        "effective_from": FIRST_DAY.isoformat(),
        "zone": "Europe/Berlin",
        "sessions_per_week": 7,
        "items": [
            {
                "exercise_id": "mini_squat",
                "side": "SIDE_BOTH",
                "reps": {"sets": 2, "reps": 10},
                "rom_target_deg": 60,
                "schedule": {"times": ["08:00"], "window_h": 12},
            }
        ],
    },
}


@dataclass(frozen=True, slots=True)
class Given:
    """One event of a test. `at` is local; `late` is how much later it is recorded."""

    at: datetime
    kind: str
    body: event_pb2.Body
    late: timedelta = timedelta(0)
    envelope: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Setting:
    """Whose test it is. Without a plan nothing is due."""

    zone: str = "Europe/Berlin"
    language: str = "en"
    plan: Mapping[str, Any] | None = field(default_factory=lambda: PLAN)
    consents: tuple[str, ...] = ("treatment",)


def local(day: int, at: time, zone: str) -> datetime:
    return instant_of(FIRST_DAY + timedelta(days=day), at, first_zone(zone))


def body_of(kind: str, told: Mapping[str, Any]) -> event_pb2.Body:
    """Raises ValueError for what the contract does not know."""
    try:
        return json_format.ParseDict({kind: told}, event_pb2.Body())
    except json_format.ParseError as error:
        raise ValueError(str(error)) from None


def stream(setting: Setting, given: list[Given]) -> list[event_pb2.RecordedEvent]:
    """The patient's stream in the order of its recording: first who and what is prescribed."""
    every = [*_prelude(setting), *given]
    ordered = sorted(enumerate(every), key=lambda one: (one[1].at + one[1].late, one[0]))
    return [
        _recorded(one, setting, version, place)
        for version, (place, one) in enumerate(ordered, start=1)
    ]


def _prelude(setting: Setting) -> Iterator[Given]:
    start = local(0, time(0, 1), setting.zone)
    enrolled = {"enrolled": {"zone": setting.zone, "language": setting.language}}
    yield Given(start, "enrolment", body_of("enrolment", enrolled))
    for number, purpose in enumerate(setting.consents):
        consent_id = CONSENT if purpose == "treatment" else f"{CONSENT}-{number}"
        granted = {"purpose": purpose, "valid_from": start.strftime("%Y-%m-%dT%H:%M:%SZ")}
        told = {"consent_id": consent_id, "granted": granted}
        yield Given(start, "consent", body_of("consent", told))
    team = {"therapist_id": THERAPIST, "action": "CARE_TEAM_ACTION_ASSIGNED", "primary": True}
    yield Given(start, "care_team", body_of("care_team", team))
    if setting.plan is not None:
        plan = {**PLAN, **setting.plan}
        plan["prescribed"] = {**PLAN["prescribed"], **plan.get("prescribed", {})}
        plan["prescribed"]["zone"] = setting.zone
        yield Given(start, "plan", body_of("plan", plan))


def _recorded(one: Given, setting: Setting, version: int, place: int) -> event_pb2.RecordedEvent:
    known = KINDS[one.kind]
    staff = one.kind in _STAFF
    envelope = event_pb2.Envelope(
        event_id=uuid7_of(one.at, "given", str(place)),
        clinic_id=CLINIC,
        subject_id=PATIENT,
        kind=one.kind,
        schema_version=known.schema_version,
        zone=setting.zone,
        actor=event_pb2.Actor(
            id=THERAPIST if staff else PATIENT,
            role=event_pb2.ROLE_THERAPIST if staff else event_pb2.ROLE_PATIENT,
        ),
        provenance=event_pb2.PROVENANCE_CLINICIAN if staff else event_pb2.PROVENANCE_SELF_REPORT,
        phi=known.phi,
        consent_id=CONSENT if known.phi else "",
        stream_version=version,
        position=version,
    )
    json_format.ParseDict(dict(one.envelope), envelope)
    envelope.occurred_at.FromDatetime(one.at.astimezone(UTC))
    envelope.recorded_at.FromDatetime((one.at + one.late).astimezone(UTC))
    return event_pb2.RecordedEvent(
        envelope=envelope, body=one.body.SerializeToString(deterministic=True)
    )
