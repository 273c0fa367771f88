"""An alert that nobody acknowledged goes to the next of its chain."""

from __future__ import annotations

from rehab_policy.domain.firing import Firing, Outcome
from rehab_policy.domain.ids import uuid7_of
from rehab_policy.domain.moment import Ready
from rehab_policy.domain.state import PatientState


def escalate(state: PatientState, ready: Ready, alert_id: str) -> list[Firing]:
    """The next level, as of the state's now."""
    alert = state.alerts[alert_id]
    rule = ready.rules.rule(alert.rule_id)
    if rule is None or alert.level >= len(rule.escalation):
        return []
    level = rule.escalation[alert.level]
    alert.level += 1
    at = state.now
    return [
        Firing(
            rule_id=rule.id,
            rule_version=rule.version,
            book_version=ready.rules.version,
            clinic_id=state.clinic_id,
            patient_id=state.patient_id,
            therapist_id=state.care.therapist_id,
            at=at,
            action=rule.action,
            outcome=Outcome.ESCALATED,
            key=alert.key,
            firing_id=uuid7_of(at, "event", alert_id, str(alert.level)),
            alert_id=alert_id,
            message_key=rule.message_key,
            texts=dict(rule.messages),
            language=state.care.language.split("-")[0].lower(),
            severity=alert.severity,
            emergency=rule.emergency,
            channel="emergency" if rule.emergency else rule.channel,
            level=alert.level,
            to=level.to,
            group=rule.group,
            session_id=alert.session_id,
            consent_id=state.care.consent_for("treatment", at)
            or alert.consent_id
            or state.last_consent_id,
            episode_id=alert.episode_id,
            zone=state.zone.key,
        )
    ]
