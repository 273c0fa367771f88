"""Reasons that events give by themselves: pain, falls, symptoms, alerts, a person's wish."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from rehab_clinical.pain import rises

from rehab_projections.domain import rules
from rehab_projections.domain.care import AlertStep, CareRecord

SHOWN_EVENTS = 20
"""Of a reason's events the newest ones are shown; the log holds them all."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a patient is on the list. Hidden until a time when its alert was snoozed."""

    code: str
    severity: int
    since: datetime
    event_ids: tuple[str, ...]
    rule: str
    hidden_until: datetime | None = None

    def order(self) -> tuple[int, datetime, str]:
        return -self.severity, self.since, self.code


@dataclass(frozen=True, slots=True)
class Signal:
    """A reason with the position of the log at which it became known."""

    position: int
    reason: Reason


def signals_of(care: CareRecord) -> list[Signal]:
    """Every reason that events give, each with the position at which it became known."""
    found = [
        Signal(e.position, Reason(e.rule.code, e.severity, *_told(e.stamp), e.rule.words))
        for e in care.evidence
    ]
    for report, rise in rises(care.pain):
        rule = _rise_rule(report.nprs, rise)
        if rule:
            reason = Reason(rule.code, rule.severity, *_told(report.stamp), rule.words)
            found.append(Signal(report.position, reason))
    severe = rules.PAIN_SEVERE
    found += [
        Signal(r.position, Reason(severe.code, severe.severity, *_told(r.stamp), severe.words))
        for r in care.pain
        if r.nprs >= rules.PAIN_SEVERE_NPRS
    ]
    found += _alert_signals(care.alerts)
    found += [
        Signal(
            step.position,
            Reason("manual", step.severity, *_told(step.stamp), f"opened: {step.reason}"),
        )
        for step in care.reviews
        if step.action == "opened"
    ]
    return found


def _told(stamp: tuple[datetime, str]) -> tuple[datetime, tuple[str, ...]]:
    at, event_id = stamp
    return at, (event_id,)


def _rise_rule(nprs: int, rise: int) -> rules.Rule | None:
    if rise >= rules.PAIN_RISE_HIGH_BY:
        return rules.PAIN_RISE_HIGH
    if rise >= rules.PAIN_RISE_LOW_BY and nprs >= rules.PAIN_RISE_LOW_NPRS:
        return rules.PAIN_RISE_LOW
    return None


def _alert_signals(steps: Iterable[AlertStep]) -> list[Signal]:
    """One signal per unresolved alert. An escalation makes it new again, and so does its rule's
    firing again: a closing of before did not settle that."""
    by_alert: dict[str, list[AlertStep]] = {}
    for step in sorted(steps, key=lambda step: step.stamp):
        by_alert.setdefault(step.alert_id, []).append(step)
    found: list[Signal] = []
    for of_alert in by_alert.values():
        actions = [step.action for step in of_alert]
        raised = next((step for step in of_alert if step.action == "raised"), None)
        if raised is None or "resolved" in actions:
            continue
        telling = [step for step in of_alert if step.action in ("raised", "escalated")]
        again = [step for step in of_alert if step.action == "recurred"]
        proof = (*(step.stamp.event_id for step in telling), *raised.inputs)[:SHOWN_EVENTS]
        snoozes = [step.until for step in of_alert if step.action == "snoozed"]
        reason = Reason(
            code="alert",
            severity=raised.severity,
            since=raised.stamp.at,
            event_ids=(*proof, *(step.stamp.event_id for step in again))[-SHOWN_EVENTS:],
            rule=raised.rule,
            hidden_until=snoozes[-1] if snoozes else None,
        )
        found.append(Signal(max(step.position for step in (*telling, *again)), reason))
    return found


def reasons_of(signals: Iterable[Signal]) -> tuple[Reason, ...]:
    """Signals of one rule are one reason, standing since the first of them."""
    grouped: dict[tuple[str, int, str, datetime | None], list[Reason]] = {}
    for signal in signals:
        reason = signal.reason
        key = (reason.code, reason.severity, reason.rule, reason.hidden_until)
        grouped.setdefault(key, []).append(reason)
    merged = []
    for (code, severity, rule, hidden_until), reasons in grouped.items():
        ordered = sorted(reasons, key=lambda r: (r.since, r.event_ids))
        event_ids = dict.fromkeys(event_id for r in ordered for event_id in r.event_ids)
        shown = tuple(event_ids)[-SHOWN_EVENTS:]
        merged.append(Reason(code, severity, ordered[0].since, shown, rule, hidden_until))
    return tuple(sorted(merged, key=Reason.order))
