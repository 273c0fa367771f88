"""What an event changes in what is known of a patient. Decisions are made elsewhere.

By the time an event occurred, never by the order of arrival: two orders of the same events give the
same facts, as far as the log lets them (what only the log's own order tells, such as when an alert
was acknowledged, follows it).
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from sys import intern
from typing import NamedTuple

from rehab_clinical.days import day_start, first_zone, local_date
from rehab_clinical.facts import Fact, Stamp, moment
from rehab_clinical.pain import PainReport, pain_report

from rehab.events.v1 import admin_pb2, alert_pb2, event_pb2
from rehab_policy.domain import care, points
from rehab_policy.domain.care import ToldCare, care_of
from rehab_policy.domain.points import Point
from rehab_policy.domain.sessions import Told
from rehab_policy.domain.state import MOST_ALERTS, MOST_VOID, NEVER, OpenAlert, PatientState

PAIN_KEPT = timedelta(days=60)
MOST_PAINS = 2_000
LATE_SESSIONS = timedelta(days=14)
"""A phone that was offline for so long may still tell that a session followed a nudge."""
PATIENTS_OWN = frozenset({event_pb2.ROLE_PATIENT, event_pb2.ROLE_DEVICE})


class Opened(NamedTuple):
    """An event with its opened body."""

    fact: Fact
    recorded: event_pb2.RecordedEvent


class Seen(NamedTuple):
    """The points that an event leaves, the part it belongs to, and for how long they are of use, by
    definition of the window."""

    points: Mapping[str, Sequence[Point]]
    parts: Mapping[str, str]
    within: Mapping[str, timedelta]


NOTHING_SEEN = Seen({}, {}, {})


def together(found: Iterable[Seen]) -> Seen:
    """What the windows of several books see."""
    points: dict[str, Sequence[Point]] = {}
    parts: dict[str, str] = {}
    within: dict[str, timedelta] = {}
    for one in found:
        points.update(one.points)
        parts.update(one.parts)
        within.update(one.within)
    return Seen(points, parts, within)


def fold(state: PatientState, opened: Opened, seen: Seen) -> bool:
    """Move the state on by one event. False when another event has corrected it before it came."""
    fact = opened.fact
    if fact.corrects:
        _correct(state, fact.corrects)
    if fact.stamp.event_id in state.void:
        return False
    _envelope(state, fact)
    if fact.kind == "erasure" and fact.body.erasure.stage == admin_pb2.ERASURE_STAGE_DONE:
        state.erase()
        return True
    apply = _OF_KIND.get(fact.kind)
    if apply is not None:
        apply(state, opened)
    for window, of_window in seen.points.items():
        parts = state.points.get(window)
        if parts is None:
            parts = state.points[window] = {}
        name = seen.parts[window]
        part = parts.get(name) or points.begun(parts, name, seen.within[window])
        part.add(of_window)
    if state.pruned != state.today:
        _prune(state)
    return True


def _session(state: PatientState, opened: Opened) -> None:
    fact = opened.fact
    told = Told(fact.stamp, intern(fact.zone), intern(fact.kind), opened.recorded.body)
    session = state.sessions.add(told, fact.body)
    reckoned = state.adherence
    if reckoned and session.earliest_at < day_start(reckoned[0], state.plan_zone):
        state.adherence = None


def _reps(state: PatientState, opened: Opened) -> None:
    _session(state, opened)
    fact = opened.fact
    day = local_date(fact.stamp.at, first_zone(fact.zone, state.plan_zone.key))
    state.scores.add(fact.stamp.event_id, day, fact.body.rep_observation)


def _pain(state: PatientState, opened: Opened) -> None:
    insort(state.pains, pain_report(opened.fact), key=_stamp)


def _care(state: PatientState, opened: Opened) -> None:
    fact = opened.fact
    if len(state.told) < care.MOST:
        state.told[fact.stamp.event_id] = ToldCare(
            fact.stamp, fact.zone, fact.kind, opened.recorded.body
        )
    refold_care(state)


def refold_care(state: PatientState) -> None:
    state.care = care_of(
        Fact(
            *(state.patient_id, state.clinic_id, 0, told.stamp, told.zone, told.kind),
            *(event_pb2.Body.FromString(told.body), "", event_pb2.Envelope()),
        )
        for told in state.told.values()
    )
    state.adherence = None
    state.next_due = NEVER


def _envelope(state: PatientState, fact: Fact) -> None:
    envelope = fact.envelope
    if envelope.consent_id:
        state.last_consent_id = envelope.consent_id
    if envelope.episode_id:
        state.episode_id = envelope.episode_id
    if envelope.actor.role in PATIENTS_OWN:
        at = fact.stamp.at
        if fact.zone and (at, fact.zone) > state.seen_zone:
            if fact.zone != state.seen_zone[1]:
                state.next_due, state.adherence = NEVER, None
            state.seen_zone = (at, fact.zone)
        last = state.last_by_kind.get(fact.kind)
        if last is None or at > last:
            state.last_by_kind[fact.kind] = at


def _correct(state: PatientState, event_id: str) -> None:
    """As if the corrected event had never been told, whether it has come already or not."""
    state.void[event_id] = None
    if len(state.void) > MOST_VOID:
        state.void.popitem(last=False)
    if state.told.pop(event_id, None) is not None:
        refold_care(state)
    session = state.sessions.forget(event_id)
    if session is not None:
        state.adherence = None
    state.pains = [report for report in state.pains if report.stamp.event_id != event_id]
    state.scores.forget(event_id)
    for parts in state.points.values():
        points.forget(parts, event_id)


def _alert(state: PatientState, opened: Opened) -> None:
    told, stamp = opened.fact.body.alert, opened.fact.stamp
    action = told.WhichOneof("action")
    known = state.alerts.get(told.alert_id)
    if action == "raised" and known is None:
        _foreign(state, told, stamp)
    elif known is not None:
        if action == "acknowledged":
            known.acknowledged = True
        elif action == "resolved":
            del state.alerts[told.alert_id]
        elif action == "snoozed":
            known.snoozed_until = moment(told.snoozed.until)
        state.next_due = NEVER


def _foreign(state: PatientState, told: alert_pb2.Alert, stamp: Stamp) -> None:
    """An alert that was not decided here: by a person, or by a book of before."""
    if len(state.alerts) < MOST_ALERTS:
        state.alerts[told.alert_id] = OpenAlert(
            alert_id=told.alert_id,
            rule_id=told.raised.rule_id,
            rule_version=told.raised.rule_version,
            severity=told.raised.severity,
            raised_at=stamp.at,
        )


def _prune(state: PatientState) -> None:
    state.pruned = state.today
    state.sessions.prune(state.now)
    for parts in state.points.values():
        points.prune(parts, state.now)
    late = state.now - LATE_SESSIONS
    state.trialled = {name: one for name, one in state.trialled.items() if one.until > late}
    oldest = state.now - PAIN_KEPT
    state.pains = [report for report in state.pains if report.stamp.at > oldest][-MOST_PAINS:]


def _stamp(report: PainReport) -> Stamp:
    return report.stamp


_OF_KIND: Mapping[str, Callable[[PatientState, Opened], None]] = {
    "exercise_session": _session,
    "rep_observation": _reps,
    "pain_report": _pain,
    "alert": _alert,
    **dict.fromkeys(care.KINDS, _care),
}
