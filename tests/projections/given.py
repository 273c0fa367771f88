"""Builders for what a patient's stream may hold."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from google.protobuf import json_format
from rehab_clinical.facts import Fact, Stamp, fact_of

from rehab.events.v1 import event_pb2
from rehab.events.v1.kinds import KINDS, kind_of

PATIENT = "patient-1"
CLINIC = "clinic-1"
KNEE = "knee_flexion"


def at(text: str) -> datetime:
    """An instant; UTC unless the text says otherwise."""
    instant = datetime.fromisoformat(text)
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


def body(**kind: dict[str, Any]) -> event_pb2.Body:
    """A body from the proto's JSON form, such as body(pain_report={"nprs": 3, ...})."""
    return json_format.ParseDict(kind, event_pb2.Body())


def event_id(number: int) -> str:
    return str(uuid.UUID(int=(0x0190 << 112) | (0x7 << 76) | (0x8 << 60) | number))


def event(
    number: int,
    when: datetime,
    content: event_pb2.Body,
    *,
    patient: str = PATIENT,
    clinic: str = CLINIC,
    zone: str = "Europe/Berlin",
    corrects: str = "",
) -> event_pb2.Event:
    """An event as a device would send it; its number makes its id."""
    kind = kind_of(content)
    assert kind is not None
    made = event_pb2.Event(body=content)
    envelope = made.envelope
    envelope.event_id = event_id(number)
    envelope.clinic_id, envelope.subject_id = clinic, patient
    envelope.kind, envelope.schema_version = kind, KINDS[kind].schema_version
    envelope.occurred_at.FromDatetime(when)
    envelope.zone = zone
    envelope.actor.id, envelope.actor.role = patient, event_pb2.ROLE_PATIENT
    envelope.phi = KINDS[kind].phi
    if envelope.phi:
        envelope.consent_id = "consent-1"
    envelope.corrects = corrects
    return made


def recorded(
    made: event_pb2.Event, position: int, *, stream_version: int = 0
) -> event_pb2.RecordedEvent:
    """The event as the log would publish it at a position."""
    stored = event_pb2.RecordedEvent.FromString(made.SerializeToString())
    stored.envelope.position = position
    stored.envelope.stream_version = stream_version or position
    stored.envelope.recorded_at.CopyFrom(made.envelope.occurred_at)
    return stored


def facts(events: Iterable[event_pb2.Event]) -> list[Fact]:
    """The events as facts of a log that holds nothing else, in the given order."""
    return [fact_of(recorded(made, position)) for position, made in enumerate(events, start=1)]


def fact(number: int, when: datetime, content: event_pb2.Body, **told: Any) -> Fact:
    return fact_of(recorded(event(number, when, content, **told), number))


def moved(told: Fact, position: int) -> Fact:
    return told._replace(position=position)


def stamp(text: str, number: int = 1) -> Stamp:
    return Stamp(at(text), event_id(number))


def item(
    exercise: str = KNEE,
    *,
    sets: int = 3,
    reps: int = 10,
    side: str = "SIDE_UNSPECIFIED",
    times: Sequence[str] = ("08:00",),
    window_h: int = 12,
    weekdays: Sequence[int] = (),
    policy: str = "COMPLETION_POLICY_DURING_WINDOW",
    **more: Any,
) -> dict[str, Any]:
    """A prescribed item in the proto's JSON form, of repetitions unless another dose is told."""
    dose = {} if {"hold", "duration"} & set(more) else {"reps": {"sets": sets, "reps": reps}}
    schedule = {
        "times": list(times),
        "window_h": window_h,
        "weekdays": list(weekdays),
        "policy": policy,
    }
    return {"exercise_id": exercise, "side": side, "schedule": schedule, **dose, **more}


def prescribed(
    *items: dict[str, Any],
    plan: str = "plan-1",
    version: int = 1,
    effective_from: str = "2026-03-02",
    zone: str = "Europe/Berlin",
    **more: Any,
) -> event_pb2.Body:
    told = {"effective_from": effective_from, "zone": zone, "items": list(items) or [item()]}
    return body(plan={"plan_id": plan, "version": version, "prescribed": {**told, **more}})


def paused(until: str = "", *, plan: str = "plan-1", version: int = 1) -> event_pb2.Body:
    told = {"reason": "travel", **({"until": until} if until else {})}
    return body(plan={"plan_id": plan, "version": version, "paused": told})


def resumed(*, plan: str = "plan-1", version: int = 1) -> event_pb2.Body:
    return body(plan={"plan_id": plan, "version": version, "resumed": {}})


def ended(*, plan: str = "plan-1", version: int = 1) -> event_pb2.Body:
    return body(plan={"plan_id": plan, "version": version, "ended": {"reason": "completed"}})


def started(session: str, *, ref: tuple[str, date, str] | None = None) -> event_pb2.Body:
    told: dict[str, Any] = {"mode": "CAPTURE_MODE_CAMERA"}
    if ref:
        plan, day, slot = ref
        told["occurrence"] = {"plan_id": plan, "local_date": day.isoformat(), "slot": slot}
    return body(exercise_session={"session_id": session, "started": told})


def set_completed(
    session: str, index: int, reps: int, exercise: str = KNEE, **more: Any
) -> event_pb2.Body:
    told = {"exercise_id": exercise, "set_index": index, "reps": reps, **more}
    return body(exercise_session={"session_id": session, "set_completed": told})


def completed(session: str, duration_s: float = 600) -> event_pb2.Body:
    return body(exercise_session={"session_id": session, "completed": {"duration_s": duration_s}})


def rep(index: int, score: float | None = 80, **more: Any) -> dict[str, Any]:
    told = {"index": index, "duration_ms": 3000, "rom_deg": 100.0, "confidence": 0.9, **more}
    if score is None:
        return {**told, "unscored_reason": "UNSCORED_REASON_OCCLUDED"}
    return {**told, "score": score}


def observed(
    session: str,
    reps: Iterable[dict[str, Any]],
    *,
    index: int = 1,
    exercise: str = KNEE,
    side: str = "SIDE_UNSPECIFIED",
) -> event_pb2.Body:
    told = {"exercise_id": exercise, "side": side, "set_index": index, "reps": list(reps)}
    return body(rep_observation={"session_id": session, **told})


def pain(nprs: int, phase: str = "PRE", session: str = "") -> event_pb2.Body:
    return body(pain_report={"nprs": nprs, "phase": f"PAIN_PHASE_{phase}", "session_id": session})


def whole_session(
    number: int, session: str, when: datetime, sets: Sequence[int], exercise: str = KNEE
) -> list[event_pb2.Event]:
    """A session as its summary events: start, sets, completion; ids from `number` on."""
    contents = [
        started(session),
        *(set_completed(session, i, reps, exercise) for i, reps in enumerate(sets, start=1)),
        completed(session),
    ]
    return [
        event(number + i, when + timedelta(minutes=i), content)
        for i, content in enumerate(contents)
    ]
