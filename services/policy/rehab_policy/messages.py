"""What is kept, as rehab.policy.v1 tells it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast

from google.protobuf.timestamp_pb2 import Timestamp

from rehab.events.v1 import common_pb2
from rehab.policy.v1 import policy_service_pb2 as pb
from rehab.policy.v1 import rule_service_pb2 as rules_pb
from rehab_policy.domain.backtest import Arm
from rehab_policy.domain.rules import Mode, Rule, RuleSet
from rehab_policy.storage.alerts import AlertRow, ArmFigures, RuleFigures, Step
from rehab_policy.storage.rule_sets import RuleSetRow

ROUTES = {
    "immediate": pb.ALERT_ROUTE_IMMEDIATE,
    "grouped": pb.ALERT_ROUTE_GROUPED,
    "digest": pb.ALERT_ROUTE_DIGEST,
}
ROUTE_NAMES = {number: name for name, number in ROUTES.items()}


def stamp(at: datetime | None) -> Timestamp | None:
    if at is None:
        return None
    told = Timestamp()
    told.FromDatetime(at)
    return told


def alert_message(row: AlertRow) -> pb.RaisedAlert:
    return pb.RaisedAlert(
        alert_id=row.alert_id,
        clinic_id=row.clinic_id,
        patient_id=row.patient_id,
        therapist_id=row.therapist_id,
        rule_id=row.rule_id,
        rule_version=row.rule_version,
        severity=cast("common_pb2.Severity", row.severity),
        channel=row.channel,
        emergency=row.emergency,
        message_key=row.message_key,
        status=_status(row),
        route=ROUTES[row.route],
        grouped_with=row.grouped_with,
        raised_at=stamp(row.raised_at),
        deadline=stamp(row.deadline),
        acknowledged_at=stamp(row.acknowledged_at),
        acknowledged_by=row.acknowledged_by,
        resolved_at=stamp(row.resolved_at),
        resolved_by=row.resolved_by,
        outcome=row.outcome,
        times=row.times,
        last_at=stamp(row.last_at or row.raised_at),
        **({} if row.useful is None else {"useful": row.useful}),
    )


def _status(row: AlertRow) -> pb.AlertStatus:
    if row.resolved_at is not None:
        return pb.ALERT_STATUS_RESOLVED
    if row.acknowledged_at is not None:
        return pb.ALERT_STATUS_ACKNOWLEDGED
    return pb.ALERT_STATUS_OPEN


def step_message(step: Step) -> pb.AlertStep:
    return pb.AlertStep(seq=step.seq, kind=step.kind, alert=alert_message(step.alert))


def rule_set_message(row: RuleSetRow) -> rules_pb.RuleSet:
    status = rules_pb.RuleSetStatus.Value(f"RULE_SET_STATUS_{row.status.upper()}")
    return rules_pb.RuleSet(
        version=row.version,
        status=status,
        sha256=row.sha256,
        author=row.author,
        created_at=stamp(row.created_at),
        approved_by=row.approved_by,
        approved_at=stamp(row.approved_at),
        shadow_from=stamp(row.shadow_from),
        live_from=stamp(row.live_from),
        ended_at=stamp(row.ended_at),
        rules=row.rules,
        note=row.note,
        files=[rules_pb.RuleFile(name=name, text=text) for name, text in row.files.items()],
    )


def rule_message(rule: Rule) -> rules_pb.Rule:
    return rules_pb.Rule(
        rule_id=rule.id,
        triggers=rule.on or ("schedule",),
        condition=rule.when,
        action=rule.action.value,
        severity=_severity(rule.severity),
        emergency=rule.emergency,
        owner=rule.owner,
        rationale=rule.rationale,
        source=rule.source,
        version=rule.version,
        enabled=rule.enabled,
        shadow=rule.mode is Mode.SHADOW,
        review=rule.review,
        trial=rule.trial.name if rule.trial else "",
        holdout=rule.trial.holdout if rule.trial else 0,
        merge=rule.merge,
    )


def limits_to_review(rules: RuleSet) -> list[rules_pb.RuleLimit]:
    return [
        rules_pb.RuleLimit(name=one.name, value=one.default, unit=one.unit, source=one.source)
        for one in rules.limits.values()
        if one.review
    ]


def _severity(number: Any) -> str:
    if not number:
        return ""
    return common_pb2.Severity.Name(number).removeprefix("SEVERITY_").lower()


def report_message(one: RuleFigures) -> rules_pb.RuleReport:
    judged = one.useful + one.not_useful
    return rules_pb.RuleReport(
        rule_id=one.rule_id,
        version=one.version,
        action=one.action,
        fired=one.fired,
        shadow=one.shadow,
        acknowledged=one.acknowledged,
        useful=one.useful,
        not_useful=one.not_useful,
        precision=one.useful / judged if judged else None,
        digested=one.digested,
        withheld=one.withheld,
        merged=one.merged,
    )


def arm_message(trial: str, arm: str, told: Arm | ArmFigures) -> rules_pb.TrialArm:
    return rules_pb.TrialArm(
        trial=trial,
        arm=arm,
        firings=told.firings,
        followed=told.followed,
        patients=told.patients,
        patients_followed=told.patients_followed,
    )
