"""Events of a patient's stream as the log records them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from rehab.events.v1 import admin_pb2, patient_pb2
from rehab.events.v1.event_pb2 import Body, RecordedEvent
from rehab.events.v1.kinds import kind_of

START = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def hour(number: float) -> datetime:
    return START + number * HOUR


def granted(consent_id: str, since: float = 0, until: float | None = None) -> Body:
    body = Body(consent=patient_pb2.Consent(consent_id=consent_id))
    body.consent.granted.purpose = "treatment"
    body.consent.granted.valid_from.FromDatetime(hour(since))
    if until is not None:
        body.consent.granted.valid_until.FromDatetime(hour(until))
    return body


def revoked(consent_id: str, at: float) -> Body:
    body = Body(consent=patient_pb2.Consent(consent_id=consent_id))
    body.consent.revoked.effective_at.FromDatetime(hour(at))
    return body


def team(therapist_id: str, *, assigned: bool = True, primary: bool = False) -> Body:
    action = (
        patient_pb2.CARE_TEAM_ACTION_ASSIGNED if assigned else patient_pb2.CARE_TEAM_ACTION_RELEASED
    )
    return Body(
        care_team=patient_pb2.CareTeam(therapist_id=therapist_id, action=action, primary=primary)
    )


def emergency(
    grant_id: str,
    stage: admin_pb2.BreakGlassStage = admin_pb2.BREAK_GLASS_STAGE_GRANTED,
    until: float = 0,
    finding: str = "",
) -> Body:
    told = admin_pb2.BreakGlass(grant_id=grant_id, stage=stage, finding=finding)
    if until:
        told.expires_at.FromDatetime(hour(until))
    return Body(break_glass=told)


def erased() -> Body:
    return Body(erasure=admin_pb2.Erasure(stage=admin_pb2.ERASURE_STAGE_DONE))


def accessed(*subjects: str) -> Body:
    access = admin_pb2.Access(rpc="a", allowed=True, reason="own", subject_ids=subjects)
    return Body(access=access)


class Shard:
    """Records events at consecutive positions, an hour apart."""

    def __init__(self) -> None:
        self.events: list[RecordedEvent] = []

    def add(self, body: Body, stream: str = "patient-1", actor: str = "someone") -> RecordedEvent:
        kind = kind_of(body)
        assert kind is not None
        event = RecordedEvent(body=body.SerializeToString())
        envelope = event.envelope
        envelope.position = len(self.events) + 1
        envelope.stream_version = 1 + sum(one.envelope.subject_id == stream for one in self.events)
        envelope.event_id = f"00000000-0000-7000-8000-{envelope.position:012}"
        envelope.clinic_id, envelope.subject_id, envelope.kind = "clinic-1", stream, kind
        envelope.actor.id, envelope.actor.role = actor, 2
        envelope.occurred_at.FromDatetime(hour(envelope.position))
        envelope.recorded_at.FromDatetime(hour(envelope.position))
        self.events.append(event)
        return event
