"""What the log's events, and the rules' firings, say of alerts."""

from __future__ import annotations

from datetime import UTC, datetime

from google.protobuf.message import DecodeError
from google.protobuf.timestamp_pb2 import Timestamp

from rehab.events.v1.event_pb2 import Body, Envelope, Event, RecordedEvent
from rehab_policy.domain.firing import Firing, Outcome
from rehab_policy.domain.nodes import MOST
from rehab_policy.storage.alerts import AlertFact, Raised
from rehab_policy.storage.folds import Fired
from rehab_runtime.validation import violations

KIND = "alert"


def moment(stamp: Timestamp) -> datetime:
    return stamp.ToDatetime(UTC)


def fact_of(event: RecordedEvent) -> AlertFact | None:
    """What an event tells of an alert; None for others, and for one that cannot be read."""
    if event.envelope.kind != KIND or event.key_id or event.erased:
        return None
    try:
        body = Body.FromString(event.body)
        # services write to the log by themselves: what breaks the contract is not kept
        if violations(body) or body.alert.raised.rule_version > MOST:
            return None
        return _fact(event.envelope, body)
    except (DecodeError, ValueError):
        return None


def fact_told(event: Event, therapist_id: str = "") -> AlertFact | None:
    """The same of one that is about to be told, of a patient whose care somebody leads."""
    known = event.envelope.kind == KIND
    return _fact(event.envelope, event.body, therapist_id) if known else None


def _fact(envelope: Envelope, body: Body, therapist_id: str = "") -> AlertFact | None:
    alert = body.alert
    kind = alert.WhichOneof("action")
    if kind is None:
        return None
    return AlertFact(
        alert_id=alert.alert_id,
        event_id=envelope.event_id,
        kind=kind,
        at=moment(envelope.occurred_at),
        recorded_at=moment(envelope.recorded_at) if envelope.HasField("recorded_at") else None,
        actor=envelope.actor.id,
        raised=_raised(envelope, body, therapist_id) if kind == "raised" else None,
        outcome=alert.resolved.outcome,
        times=alert.recurred.times,
        useful=alert.resolved.useful if alert.resolved.HasField("useful") else None,
    )


def _raised(envelope: Envelope, body: Body, therapist_id: str) -> Raised:
    raised = body.alert.raised
    return Raised(
        clinic_id=envelope.clinic_id,
        patient_id=envelope.subject_id,
        rule_id=raised.rule_id,
        rule_version=raised.rule_version,
        severity=raised.severity,
        channel=raised.channel,
        emergency=raised.emergency,
        message_key=raised.message_key,
        consent_id=envelope.consent_id,
        trigger_id=envelope.causation_id,
        deadline=moment(raised.deadline) if raised.HasField("deadline") else None,
        therapist_id=therapist_id,
    )


def fired_of(firing: Firing, *, shadow: bool) -> Fired | None:
    """As it is counted; None for what only follows from a firing, or was withheld by no trial."""
    if not (firing.outcome is Outcome.DECIDED or firing.trial):
        return None
    return Fired(
        book=firing.book_version,
        firing_id=firing.firing_id,
        rule_id=firing.rule_id,
        rule_version=firing.rule_version,
        action=firing.action.value,
        alert_id=firing.alert_id if firing.action.value == KIND else "",
        clinic_id=firing.clinic_id,
        patient_id=firing.patient_id,
        shadow=shadow or firing.shadow,
        at=firing.at,
        trial=firing.trial,
        arm=firing.arm,
        followed=firing.outcome is Outcome.FOLLOWED,
    )
