"""A patient's stream as the record system's side folds it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from rehab.events.v1 import event_pb2
from rehab_emr.domain.history import History
from rehab_emr.domain.keys import ResourceKey
from rehab_emr.domain.links import Links
from rehab_emr.domain.mapping import resource
from rehab_emr.domain.resource import Resource
from tests.projections.given import (
    at,
    body,
    completed,
    event,
    facts,
    item,
    observed,
    prescribed,
    rep,
    set_completed,
    started,
)

BASE = "https://rehab.example.org"
LINKS = Links(BASE, "Patient/p1")
BEGIN = at("2026-03-02T08:00:00+01:00")
HEEL_SLIDE = "heel_slide"


def history_of(events: Iterable[event_pb2.Event]) -> History:
    history = History.empty(fine=True)
    for fact in facts(events):
        history.step(fact)
    return history


def of_kind(history: History, kind: str) -> list[ResourceKey]:
    return sorted(key for key in history.keys() if key.kind == kind)  # noqa: SIM118


def only(history: History, kind: str, links: Links = LINKS, **how: Any) -> Resource:
    """The resource of the only key of the kind."""
    (key,) = of_kind(history, kind)
    made = resource(history, key, links, **how)
    assert made is not None
    return made


def by_phone(made: event_pb2.Event) -> event_pb2.Event:
    envelope = made.envelope
    envelope.device_id = "phone-1"
    source = envelope.source
    source.app, source.app_version = "RehabTrack Phone", "1.4.2"
    source.device_model, source.os = "Pixel 9", "Android 16"
    return made


def joint(name: str, low: float, high: float) -> dict[str, Any]:
    return {"joint": name, "min_deg": low, "max_deg": high, "rom_deg": high - low}


def session(
    number: int, name: str = "s1", when: datetime = BEGIN, reps: int = 3
) -> list[event_pb2.Event]:
    """A session before the camera: a set of heel slides on the left, seen and told."""
    seen = [
        rep(
            index,
            70 + 5 * index,
            rom_deg=90.0 + index,
            start_ms=4000 * index,
            joints=[joint("knee_left", 5.0, 95.0 + index)],
        )
        for index in range(1, reps + 1)
    ]
    side = "SIDE_LEFT"
    contents = [
        started(name),
        observed(name, seen, exercise=HEEL_SLIDE, side=side),
        set_completed(name, 1, reps, HEEL_SLIDE, side=side, duration_s=30),
        completed(name, 600),
    ]
    return [
        by_phone(event(number + i, when + timedelta(minutes=i), content))
        for i, content in enumerate(contents)
    ]


def plan(number: int, when: datetime = BEGIN, **more: Any) -> event_pb2.Event:
    """Heel slides every day at eight, for the two weeks from the second of March."""
    told = {"effective_until": "2026-03-15", **more}
    content = prescribed(item(HEEL_SLIDE, sets=1, reps=3, side="SIDE_LEFT"), **told)
    return event(number, when - timedelta(hours=1), content)


def pain(
    number: int, nprs: int, when: datetime = BEGIN, corrects: str = "", **more: Any
) -> event_pb2.Event:
    told = {"nprs": nprs, "phase": "PAIN_PHASE_PRE", "site": "knee", "side": "SIDE_LEFT", **more}
    return by_phone(event(number, when, body(pain_report=told), corrects=corrects))


def sample(start: datetime, *, end: datetime | None = None, **value: Any) -> dict[str, Any]:
    told: dict[str, Any] = {"start": start.isoformat(), "sources": ["Watch"], **value}
    if end is not None:
        told["end"] = end.isoformat()
    return told


def quantity(value: float, ucum: str) -> dict[str, Any]:
    told = {"value": value, "unit": ucum}
    return {"quantity": {**told, **({"canonical_value": value, "ucum": ucum} if ucum else {})}}


def spread(low: float, mean: float, high: float, ucum: str = "/min") -> dict[str, Any]:
    return {"range": {"min": low, "avg": mean, "max": high, "unit": ucum, "ucum": ucum}}


def pressure(systolic: float, diastolic: float) -> dict[str, Any]:
    return {"blood_pressure": {"systolic_mmhg": systolic, "diastolic_mmhg": diastolic}}


def samples(
    number: int, metric: str, *told: dict[str, Any], when: datetime = BEGIN, **more: Any
) -> event_pb2.Event:
    content = body(health_samples={"metric": metric, "samples": list(told)})
    return event(number, when, content, **more)


def sleep(number: int, when: datetime = BEGIN) -> event_pb2.Event:
    """A night of eight hours that ends at seven."""
    end = when - timedelta(hours=1)
    hours = {"core": 4.5, "deep": 1.25, "rem": 1.5, "awake": 0.75}
    told = {
        "start": (end - timedelta(hours=8)).isoformat(),
        "end": end.isoformat(),
        "stages": [{"stage": name, "hours": value} for name, value in hours.items()],
    }
    return event(number, when, body(sleep=told))


def workout(number: int, when: datetime = BEGIN) -> event_pb2.Event:
    told = {
        "workout_id": "w1",
        "activity": "walking",
        "start": when.isoformat(),
        "end": (when + timedelta(minutes=32)).isoformat(),
        "scalars": {
            "active_energy_burned": quantity(121.5, "kcal")["quantity"],
            "distance": quantity(2.4, "km")["quantity"],
        },
        "heart_rate": [
            sample(when, **spread(90, 101, 112)),
            sample(when + timedelta(minutes=1), **spread(95, 107, 120)),
        ],
    }
    return event(number, when, body(workout=told))
