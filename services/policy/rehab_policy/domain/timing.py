"""When a patient's rules want to be asked again. Reckoned from the state, so that a state that was
folded anew has the same timers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from rehab_clinical.days import instant_of, local_date

from rehab_policy.domain.activity import active_from
from rehab_policy.domain.firing import Timer, TimerKind
from rehab_policy.domain.moment import Ready
from rehab_policy.domain.rules import Absence, Daily, Rule
from rehab_policy.domain.state import NEVER, OpenAlert, PatientState

ONE_DAY = timedelta(days=1)
_ASKED = frozenset({TimerKind.DAILY, TimerKind.ABSENCE})


def timers_of(state: PatientState, ready: Ready | None) -> tuple[Timer, ...]:
    """Everything that is due in future, soonest first."""
    if ready is None or state.erased:
        return ()
    return tuple(sorted([*_escalations(state, ready), *_deferred(state), *_asked(state, ready)]))


def _escalations(state: PatientState, ready: Ready) -> Iterator[Timer]:
    for alert in state.alerts.values():
        due = next_level_due(alert, ready)
        if due is not None:
            yield Timer(due, state.patient_id, TimerKind.ESCALATION, alert.rule_id, alert.alert_id)


def next_level_due(alert: OpenAlert, ready: Ready) -> datetime | None:
    """When the next level is told of an alert; acknowledging it ends the chain."""
    rule = ready.rules.rule(alert.rule_id) if alert.own and not alert.acknowledged else None
    if rule is None or alert.level >= len(rule.escalation):
        return None
    due = alert.raised_at + rule.escalation[alert.level].after
    return max(due, alert.snoozed_until) if alert.snoozed_until else due


def _deferred(state: PatientState) -> Iterator[Timer]:
    for waiting in state.deferred.values():
        yield Timer(
            waiting.due_at, state.patient_id, TimerKind.DEFERRED, waiting.rule_id, waiting.key
        )


def _asked(state: PatientState, ready: Ready) -> Iterator[Timer]:
    """Rules by the clock and by absence, while something is prescribed."""
    timed = ready.programs.timed
    if not timed:
        return
    active = active_from(state)
    if active is None:
        return
    for asking in timed.values():
        timer = _of_rule(state, ready, asking.rules[0].rule, active)
        if timer is not None:
            yield timer


def _of_rule(state: PatientState, ready: Ready, rule: Rule, active: datetime) -> Timer | None:
    if not ready.in_force.enabled(rule, state.clinic_id, state.patient_id):
        return None
    if rule.daily is not None:
        after = max(active, ready.since, state.asked.get(rule.id, NEVER))
        due = next_daily(rule.daily, after, state.zone)
        return Timer(due, state.patient_id, TimerKind.DAILY, rule.id)
    if rule.absence is not None:
        missing = _absence_due(state, ready, rule, rule.absence, active)
        if missing is not None:
            return Timer(missing, state.patient_id, TimerKind.ABSENCE, rule.id)
    return None


def ground(state: PatientState, ready: Ready | None) -> tuple[object, ...]:
    """What timers rest on, but for alerts and when rules were asked."""
    limits = ready.in_force.of(state, state.today)[0] if ready else None
    return ready, limits, active_from(state), state.zone, len(state.deferred)


def without_first(
    timers: tuple[Timer, ...], state: PatientState, ready: Ready | None
) -> tuple[Timer, ...] | None:
    """The timers after the first has fired and nothing came of it, while their ground is the same;
    None when they are to be reckoned anew."""
    first, *rest = timers
    active = active_from(state)
    if first.kind not in _ASKED or ready is None or active is None:
        return None
    again = _of_rule(state, ready, ready.programs.timed[first.rule_id].rules[0].rule, active)
    return tuple(sorted([*rest, again])) if again is not None else tuple(rest)


def next_daily(daily: Daily, after: datetime, zone: ZoneInfo) -> datetime:
    """The first of its times that is later."""
    day = local_date(after, zone)
    for _ in range(9):
        at = instant_of(day, daily.at, zone)
        if at > after and (not daily.weekdays or day.isoweekday() in daily.weekdays):
            return at
        day += ONE_DAY
    raise AssertionError("a week has every weekday")


def _absence_due(
    state: PatientState, ready: Ready, rule: Rule, absence: Absence, active: datetime
) -> datetime | None:
    """When nothing has come for so long; once more after each cooldown that nothing comes."""
    last = [state.last_by_kind[kind] for kind in absence.kinds if kind in state.last_by_kind]
    missed_from = max([active, *last])
    hours = _hours(state, ready, absence)
    due = max(missed_from + timedelta(hours=hours), ready.since)
    asked = state.asked.get(rule.id)
    if asked is None or asked < due:
        return due
    cooldown = ready.in_force.cooldown(rule, state.clinic_id, state.patient_id)
    return asked + cooldown if cooldown else None


def _hours(state: PatientState, ready: Ready, absence: Absence) -> float:
    if isinstance(absence.hours, str):
        return ready.in_force.of(state, state.today)[0][absence.hours]
    return absence.hours
