"""From conditions that hold to firings: cooldowns, quiet hours, consent, groups."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from rehab_clinical.days import instant_of, local_date
from rehab_clinical.facts import Fact, moment

from rehab.events.v1 import event_pb2
from rehab_policy.domain.expressions import EvaluationError
from rehab_policy.domain.firing import Firing, Outcome
from rehab_policy.domain.holdout import HOLDOUT, arm_of, await_session
from rehab_policy.domain.ids import uuid7_of
from rehab_policy.domain.moment import Moment, Ready
from rehab_policy.domain.programs import Asked
from rehab_policy.domain.rules import ActionKind, NudgeTrial, Rule
from rehab_policy.domain.state import MOST_ALERTS, NEVER, Deferred, OpenAlert, PatientState
from rehab_policy.domain.windows import Failed

FRESH = timedelta(seconds=10)
"""A cue for a repetition that is longer ago is noise."""
MOST_FIRED = 2_000
LONGEST_KEY = 128


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A rule that holds and that nothing holds back."""

    asked: Asked
    key: str
    shadow: bool
    reason: str = ""
    trial: NudgeTrial | None = None
    arm: str = ""
    into: OpenAlert | None = None
    """An alert of the rule and key that is open, and stands for this."""

    @property
    def rule(self) -> Rule:
        return self.asked.rule

    def group(self) -> tuple[str, str, bool, str]:
        """What a trial withholds, or an open alert stands for, speaks for nothing that is told."""
        apart = self.trial.name if self.trial and self.arm == HOLDOUT else ""
        if self.into is not None:
            apart = self.into.alert_id
        return self.rule.action, self.rule.group or f"\x00{self.rule.id}", self.shadow, apart

    def rank(self) -> tuple[bool, bool, int, int]:
        """The first is the one that speaks for its group."""
        rule = self.rule
        return not rule.emergency, not rule.stop, -rule.severity, self.asked.place


def decide(
    state: PatientState, held: Iterable[Asked], now: Moment, failed: Failed
) -> tuple[Firing, ...]:
    """What is done about rules whose conditions hold. Moves the state on."""
    wanted = [found for asked in held if (found := _wanted(state, asked, now, failed))]
    if not wanted:
        return ()
    for one in wanted:
        _remember(state, one, now)
    firings = []
    for first, also in _grouped(wanted):
        firing = firing_of(state.clinic_id, state.patient_id, first, now)
        firings.append(replace(firing, also=also, **_of_state(state, firing, first, now)))
    for firing in firings:
        if firing.outcome is not Outcome.RECURRED:
            _open(state, firing)
        await_session(state, firing)
    return tuple(firings)


def decide_emergencies(
    clinic_id: str, patient_id: str, held: Iterable[Asked], now: Moment
) -> tuple[Firing, ...]:
    """What emergency rules that hold make of an event by itself."""
    in_force = now.ready.in_force
    wanted = [
        _Wanted(asked, "", in_force.shadow(asked.rule, clinic_id, patient_id))
        for asked in held
        if in_force.enabled(asked.rule, clinic_id, patient_id)
    ]
    return tuple(
        replace(firing_of(clinic_id, patient_id, first, now), also=also)
        for first, also in _grouped(wanted)
    )


def _wanted(state: PatientState, asked: Asked, now: Moment, failed: Failed) -> _Wanted | None:
    rule, in_force = asked.rule, now.ready.in_force
    if not in_force.enabled(rule, state.clinic_id, state.patient_id):
        return None
    try:
        key = str(asked.key.value(now.bound))[:LONGEST_KEY] if asked.key else ""
    except EvaluationError as error:
        failed(rule.id, str(error))
        return None
    late = rule.action is ActionKind.FEEDBACK and not _fresh(now)
    if late or _rests(state, rule, key, now.ready, now.now):
        return None
    shadow = in_force.shadow(rule, state.clinic_id, state.patient_id)
    if rule.action is not ActionKind.NUDGE:
        return _Wanted(asked, key, shadow, into=_standing(state, rule, key, shadow))
    if now.quiet:
        _defer(state, rule, key, now)
        return None
    return _wanted_nudge(state, asked, key, shadow, now)


def _standing(state: PatientState, rule: Rule, key: str, shadow: bool) -> OpenAlert | None:
    """The newest alert that stands for a firing, acknowledged or not. Emergencies and what is more
    severe than the alert are told by themselves."""
    if not rule.merge or rule.emergency or shadow:
        return None
    standing = (
        alert
        for alert in state.alerts.values()
        if alert.own
        and (alert.rule_id, alert.key) == (rule.id, key)
        and alert.severity >= rule.severity
    )
    return max(standing, key=lambda alert: (alert.raised_at, alert.alert_id), default=None)


def _wanted_nudge(
    state: PatientState, asked: Asked, key: str, shadow: bool, now: Moment
) -> _Wanted:
    rule = asked.rule
    if not state.care.consent_for(rule.consent, now.now):
        return _Wanted(asked, key, shadow, "consent")
    # last of all, so that the arms differ in nothing but the nudge
    trial = now.ready.in_force.trial(rule, state.clinic_id, state.patient_id)
    if trial is None:
        return _Wanted(asked, key, shadow)
    arm = arm_of(trial, state.patient_id)
    return _Wanted(asked, key, shadow, HOLDOUT if arm == HOLDOUT else "", trial, arm)


def rests(state: PatientState, asked: Asked, ready: Ready) -> bool:
    """Whether a rule without a key is in its cooldown, which needs no facts to be known."""
    return asked.key is None and _rests(state, asked.rule, "", ready, state.now)


def _rests(state: PatientState, rule: Rule, key: str, ready: Ready, now: datetime) -> bool:
    last = state.fired.get((rule.id, key))
    if last is None:
        return False
    return now - last < ready.in_force.cooldown(rule, state.clinic_id, state.patient_id)


def _fresh(now: Moment) -> bool:
    envelope = now.fact.envelope if now.fact else None
    if envelope is None or not envelope.HasField("recorded_at"):
        return False
    skew = timedelta(milliseconds=envelope.clock_skew_ms)
    return moment(envelope.recorded_at) - (moment(envelope.occurred_at) - skew) <= FRESH


def _defer(state: PatientState, rule: Rule, key: str, now: Moment) -> None:
    """Until quiet hours end; then the rule is asked again, of what holds then."""
    if (rule.id, key) in state.deferred:
        return
    _, end = now.ready.in_force.quiet(state)
    zone = state.zone
    today = local_date(now.now, zone)
    due = instant_of(today, end, zone)
    if due <= now.now:
        due = instant_of(today + timedelta(days=1), end, zone)
    event = b""
    if now.fact is not None:
        told = event_pb2.Event(envelope=now.fact.envelope, body=now.fact.body)
        event = told.SerializeToString(deterministic=True)
    state.deferred[rule.id, key] = Deferred(rule.id, key, due, event)
    state.next_due = min(state.next_due, due)


def _remember(state: PatientState, one: _Wanted, now: Moment) -> None:
    if one.rule.cooldown or not one.rule.on:
        state.fired[one.rule.id, one.key] = now.now
        if len(state.fired) > MOST_FIRED:
            del state.fired[min(state.fired, key=lambda known: (state.fired[known], known))]


def _grouped(wanted: Iterable[_Wanted]) -> Iterable[tuple[_Wanted, tuple[str, ...]]]:
    """Of each group the one that speaks for it, with the others' ids. An emergency speaks before
    all that are none, so that it is the same wherever it is decided."""
    groups: dict[tuple[str, str, bool, str], list[_Wanted]] = {}
    for one in sorted(wanted, key=_Wanted.rank):
        groups.setdefault(one.group(), []).append(one)
    for first, *rest in groups.values():
        yield first, tuple(one.rule.id for one in rest if one.rule.id != first.rule.id)


def firing_of(clinic_id: str, patient_id: str, one: _Wanted, now: Moment) -> Firing:
    """What follows from the rule and its cause alone."""
    rule, fact = one.rule, now.fact
    at = _recorded_at(fact) if fact and rule.emergency else now.now
    parts = (rule.id, patient_id, one.key, now.cause_id, rule.action.value)
    suppressed = Outcome.SUPPRESSED if one.reason else Outcome.DECIDED
    return Firing(
        rule_id=rule.id,
        rule_version=rule.version,
        book_version=now.ready.rules.version,
        clinic_id=clinic_id,
        patient_id=patient_id,
        therapist_id="",
        at=at,
        action=rule.action,
        outcome=suppressed,
        key=one.key,
        firing_id=uuid7_of(at, "event", *parts),
        alert_id=uuid7_of(at, "alert", *parts),
        message_key=rule.message_key,
        texts=now.texts(rule),
        language="",
        severity=rule.severity,
        emergency=rule.emergency,
        shadow=one.shadow,
        reason=one.reason,
        channel="emergency" if rule.emergency else rule.channel,
        deadline=at + rule.answer_within if rule.answer_within else None,
        cue=rule.cue,
        stop=rule.stop,
        group=rule.group,
        trial=one.trial.name if one.trial else "",
        arm=one.arm,
        until=at + one.trial.within if one.trial else None,
        facts=now.facts(rule),
        **_cause(fact),
    )


def _recorded_at(fact: Fact) -> datetime:
    envelope = fact.envelope
    if envelope.HasField("recorded_at"):
        return moment(envelope.recorded_at)
    return fact.stamp.at


def _cause(fact: Fact | None) -> dict[str, Any]:
    if fact is None:
        return {}
    content = getattr(fact.body, fact.kind)
    return {
        "cause_id": fact.stamp.event_id,
        "cause_occurred_at": fact.stamp.at,
        "input_event_ids": (fact.stamp.event_id,),
        "session_id": getattr(content, "session_id", ""),
        "exercise_id": getattr(content, "exercise_id", ""),
        "consent_id": fact.envelope.consent_id,
        "episode_id": fact.envelope.episode_id,
        "zone": fact.envelope.zone,
    }


def _of_state(state: PatientState, firing: Firing, one: _Wanted, now: Moment) -> dict[str, Any]:
    """What the state adds. Of an emergency nothing that its event would show."""
    known: dict[str, Any] = {
        "therapist_id": state.care.therapist_id,
        "language": state.care.language.split("-")[0].lower(),
    }
    if one.rule.emergency:
        return known
    if one.into is not None:
        one.into.times += 1
        known |= {
            "outcome": Outcome.RECURRED,
            "alert_id": one.into.alert_id,
            "times": one.into.times,
            "deadline": None,
        }
    consent = (
        state.care.consent_for("treatment", now.now) or firing.consent_id or state.last_consent_id
    )
    return {
        **known,
        "consent_id": consent,
        "zone": state.zone.key,
        "episode_id": firing.episode_id or state.episode_id,
    }


def _open(state: PatientState, firing: Firing) -> None:
    if firing.action is not ActionKind.ALERT or firing.shadow:
        return
    if len(state.alerts) >= MOST_ALERTS:
        oldest = min(state.alerts.values(), key=lambda alert: (alert.raised_at, alert.alert_id))
        del state.alerts[oldest.alert_id]
    state.alerts[firing.alert_id] = OpenAlert(
        alert_id=firing.alert_id,
        rule_id=firing.rule_id,
        rule_version=firing.rule_version,
        severity=firing.severity,
        raised_at=firing.at,
        key=firing.key,
        own=True,
        session_id=firing.session_id,
        consent_id=firing.consent_id,
        episode_id=firing.episode_id,
    )
    state.next_due = NEVER
