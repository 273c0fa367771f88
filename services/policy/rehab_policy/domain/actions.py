"""Firings as events of the log."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp
from rehab_clinical.days import first_zone

from rehab.events.v1 import alert_pb2, event_pb2, exercise_pb2
from rehab.events.v1.event_pb2 import Event
from rehab.events.v1.kinds import KINDS, kind_of
from rehab_policy.domain.firing import Firing, Outcome
from rehab_policy.domain.rules import ActionKind

PRINCIPAL = "policy"
LONGEST_LATENCY_MS = 600_000
_MILLISECOND = timedelta(milliseconds=1)
_MINUTE = timedelta(minutes=1)


def events_of(firing: Firing) -> list[Event]:
    """The events that a firing appends to the patient's stream, with ids that depend on the firing
    alone. None for a shadow firing, or for what is only counted."""
    if firing.shadow or firing.outcome is Outcome.FOLLOWED:
        return []
    return [Event(envelope=_envelope(firing, body), body=body) for body in [_body(firing)]]


def _body(firing: Firing) -> event_pb2.Body:
    match firing.action:
        case ActionKind.ALERT:
            return event_pb2.Body(alert=_alert(firing))
        case ActionKind.NUDGE:
            return event_pb2.Body(nudge=_nudge(firing))
        case ActionKind.FEEDBACK:
            return event_pb2.Body(feedback=_feedback(firing))


def _alert(firing: Firing) -> alert_pb2.Alert:
    if firing.outcome is Outcome.ESCALATED:
        escalated = alert_pb2.AlertEscalated(level=firing.level, to=firing.to)
        return alert_pb2.Alert(alert_id=firing.alert_id, escalated=escalated)
    if firing.outcome is Outcome.RECURRED:
        recurred = alert_pb2.AlertRecurred(
            times=firing.times,
            rule_version=firing.rule_version,
            input_event_ids=firing.input_event_ids,
        )
        return alert_pb2.Alert(alert_id=firing.alert_id, recurred=recurred)
    raised = alert_pb2.AlertRaised(
        rule_id=firing.rule_id,
        rule_version=firing.rule_version,
        severity=_severity(firing),
        input_event_ids=firing.input_event_ids,
        channel=firing.channel,
        message_key=firing.message_key,
        emergency=firing.emergency,
    )
    if firing.deadline is not None:
        raised.deadline.FromDatetime(firing.deadline)
    return alert_pb2.Alert(alert_id=firing.alert_id, raised=raised)


def _severity(firing: Firing) -> Any:
    return firing.severity


def _nudge(firing: Firing) -> alert_pb2.Nudge:
    suppressed = firing.outcome is Outcome.SUPPRESSED
    return alert_pb2.Nudge(
        nudge_id=firing.alert_id,
        stage=alert_pb2.NUDGE_STAGE_SUPPRESSED if suppressed else alert_pb2.NUDGE_STAGE_DECIDED,
        rule_id=firing.rule_id,
        template=firing.message_key,
        arm=firing.arm,
        reason=firing.reason,
        trial=firing.trial,
    )


def _feedback(firing: Firing) -> exercise_pb2.Feedback:
    assert firing.cause_occurred_at is not None
    latency = (firing.at - firing.cause_occurred_at) // _MILLISECOND
    return exercise_pb2.Feedback(
        session_id=firing.session_id,
        exercise_id=firing.exercise_id,
        form=exercise_pb2.FormFeedback(
            cue=firing.cue,
            latency_ms=min(max(0, latency), LONGEST_LATENCY_MS),
            rep_event_id=firing.cause_id,
            text=firing.text[:300],
            stop=firing.stop,
        ),
    )


def _envelope(firing: Firing, body: event_pb2.Body) -> event_pb2.Envelope:
    kind = kind_of(body)
    assert kind is not None
    known = KINDS[kind]
    occurred_at = Timestamp()
    occurred_at.FromDatetime(firing.at)
    offset = firing.at.astimezone(first_zone(firing.zone)).utcoffset() or timedelta(0)
    return event_pb2.Envelope(
        event_id=firing.firing_id,
        clinic_id=firing.clinic_id,
        subject_id=firing.patient_id,
        kind=kind,
        schema_version=known.schema_version,
        occurred_at=occurred_at,
        zone=firing.zone,
        utc_offset_min=offset // _MINUTE,
        actor=event_pb2.Actor(id=PRINCIPAL, role=event_pb2.ROLE_SERVICE),
        source=event_pb2.Source(app=PRINCIPAL),
        provenance=event_pb2.PROVENANCE_SYSTEM,
        episode_id=firing.episode_id,
        correlation_id=firing.session_id,
        causation_id=firing.cause_id,
        phi=known.phi,
        consent_id=firing.consent_id if known.phi else "",
        consent_purpose="treatment" if known.phi else "",
    )
