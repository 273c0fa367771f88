"""A state as bytes, and back: what a fold of a long stream would come to again.

What can be reckoned from the rest is not kept. A snapshot holds decisions, too (cooldowns, open
alerts), so it is good for the same rule books alone: `fingerprint` says which. Bodies of events are
in it in the clear; whoever stores it seals it.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from typing import Any

from rehab_clinical.facts import Stamp
from rehab_clinical.pain import PainReport

from rehab.events.v1 import event_pb2, exercise_pb2
from rehab_policy.domain.care import ToldCare
from rehab_policy.domain.engine import Live
from rehab_policy.domain.folding import refold_care
from rehab_policy.domain.points import Part
from rehab_policy.domain.sessions import KnownSession, Told
from rehab_policy.domain.state import Deferred, OpenAlert, PatientState, Trialled

VERSION = 3
"""Raised with every change of what a state remembers or how it is written."""
_SCALARS = ("patient_id", "clinic_id", "stream_version", "erased", "last_consent_id", "episode_id")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def fingerprint(live: Iterable[Live]) -> str:
    """Of the rule books that a state was folded with, and of this form of it."""
    books = [(one.since.isoformat(), one.rules.sha256) for one in live]
    return sha256(repr((VERSION, sorted(books))).encode()).hexdigest()


def dump(state: PatientState) -> bytes:
    told: dict[str, Any] = {name: getattr(state, name) for name in _SCALARS}
    told["now"] = _us(state.now)
    told["seen_zone"] = [_us(state.seen_zone[0]), state.seen_zone[1]]
    told["told"] = [_closed(one) for one in state.told.values()]
    told["sessions"] = [_session(one) for one in state.sessions.by_id.values()]
    told["pains"] = [
        [_us(r.stamp.at), r.stamp.event_id, r.position, r.zone, r.nprs, r.phase, r.session_id]
        for r in state.pains
    ]
    told["scores"] = [
        [exercise_id, side, day.isoformat(), event_id, scores]
        for (exercise_id, side), exercise in state.scores.by_exercise.items()
        for day, of_day in exercise.days.items()
        for event_id, scores in of_day.every().items()
    ]
    told["points"] = {
        defined: {name: _part(part) for name, part in parts.items()}
        for defined, parts in state.points.items()
    }
    told["last_by_kind"] = {kind: _us(at) for kind, at in state.last_by_kind.items()}
    told["void"] = list(state.void)
    told["alerts"] = [_plain(asdict(alert)) for alert in state.alerts.values()]
    told["fired"] = [[*key, _us(at)] for key, at in state.fired.items()]
    told["asked"] = {rule: _us(at) for rule, at in state.asked.items()}
    told["deferred"] = [
        [one.rule_id, one.key, _us(one.due_at), _text(one.event)] for one in state.deferred.values()
    ]
    told["trialled"] = [_plain(asdict(one)) for one in state.trialled.values()]
    told["pruned"] = state.pruned.isoformat()
    return json.dumps(told, separators=(",", ":")).encode()


def load(data: bytes) -> PatientState:
    """Raises ValueError for what `dump` has not made."""
    try:
        return _load(json.loads(data))
    except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        raise ValueError("is no snapshot of a patient's state") from error


def _load(told: dict[str, Any]) -> PatientState:
    state = PatientState(**{name: told[name] for name in _SCALARS})
    state.now, state.pruned = _at(told["now"]), date.fromisoformat(told["pruned"])
    state.seen_zone = (_at(told["seen_zone"][0]), told["seen_zone"][1])
    for at, event_id, zone, kind, body in told["told"]:
        state.told[event_id] = ToldCare(Stamp(_at(at), event_id), zone, kind, b64decode(body))
    if state.told:
        refold_care(state)
    for session in told["sessions"]:
        _load_session(state, *session)
    state.pains = [
        PainReport(Stamp(_at(at), event_id), *rest) for at, event_id, *rest in told["pains"]
    ]
    for exercise_id, side, day, event_id, scores in told["scores"]:
        seen = exercise_pb2.RepObservation(exercise_id=exercise_id, side=side)
        for score in scores:
            seen.reps.add(score=score)
        state.scores.add(event_id, date.fromisoformat(day), seen)
    for defined, parts in told["points"].items():
        state.points[defined] = {name: _part_of(part) for name, part in parts.items()}
    state.last_by_kind = {kind: _at(at) for kind, at in told["last_by_kind"].items()}
    state.void = OrderedDict.fromkeys(told["void"])
    for alert in told["alerts"]:
        state.alerts[alert["alert_id"]] = _alert(alert)
    state.fired = {(rule, key): _at(at) for rule, key, at in told["fired"]}
    state.asked = {rule: _at(at) for rule, at in told["asked"].items()}
    for rule_id, key, due, event in told["deferred"]:
        state.deferred[rule_id, key] = Deferred(rule_id, key, _at(due), b64decode(event))
    for one in told["trialled"]:
        times = {"at": _at(one["at"]), "until": _at(one["until"])}
        state.trialled[one["firing_id"]] = Trialled(**{**one, **times})
    return state


def _session(one: KnownSession) -> list[Any]:
    if not one.put_by:
        return [one.session_id, [_closed(told) for told in one.open.values()]]
    begun = None if one.begun_at is None else _us(one.begun_at)
    ended = None if one.ended is None else [_us(one.ended[0].at), one.ended[0].event_id]
    times = [None if one.first_at is None else _us(one.first_at), begun, ended]
    return [one.session_id, _text(one.put_by), *times, one.ended[1] if one.ended else ""]


def _load_session(state: PatientState, session_id: str, told: Any, *rest: Any) -> None:
    if not rest:
        for at, event_id, zone, kind, body in told:
            one = Told(Stamp(_at(at), event_id), zone, kind, b64decode(body))
            state.sessions.add(one, event_pb2.Body.FromString(one.body))
        return
    first, begun, ended, how = rest
    state.sessions.by_id[session_id] = KnownSession(
        session_id,
        put_by=b64decode(told),
        first_at=None if first is None else _at(first),
        begun_at=None if begun is None else _at(begun),
        ended=None if ended is None else (Stamp(_at(ended[0]), ended[1]), how),
    )


def _closed(one: Told | ToldCare) -> list[Any]:
    return [_us(one.stamp.at), one.stamp.event_id, one.zone, one.kind, _text(one.body)]


def _part(part: Part) -> list[Any]:
    points = [[_us(at), *rest] for at, *rest in part.points]
    return [part.within / _MICROSECOND, points]


def _part_of(told: list[Any]) -> Part:
    part = Part(told[0] * _MICROSECOND)
    part.add((_at(at), event_id, *rest) for at, event_id, *rest in told[1])
    return part


def _plain(told: dict[str, Any]) -> dict[str, Any]:
    return {name: _us(v) if isinstance(v, datetime) else v for name, v in told.items()}


def _alert(told: dict[str, Any]) -> OpenAlert:
    snoozed = told["snoozed_until"]
    times = {
        "raised_at": _at(told["raised_at"]),
        "snoozed_until": None if snoozed is None else _at(snoozed),
    }
    return OpenAlert(**{**told, **times})


def _us(at: datetime) -> int:
    return (at - _EPOCH) // _MICROSECOND


def _at(microseconds: int) -> datetime:
    return _EPOCH + microseconds * _MICROSECOND


def _text(data: bytes) -> str:
    return b64encode(data).decode()
