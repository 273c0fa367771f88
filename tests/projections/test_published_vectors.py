"""The vectors of docs/domain/adherence.md, run as they are printed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from fractions import Fraction
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from rehab_clinical.days import first_zone, instant_of, local_date
from rehab_clinical.windows import DateRange, Days, WholePlan, Window, bounds

from rehab.events.v1 import event_pb2
from rehab_projections.domain.history import PatientHistory
from rehab_projections.domain.monitoring import monitoring_days
from tests.projections.ask import adherence_in, history_of
from tests.projections.given import at, body, event, observed, rep, set_completed, started

PAGE = Path(__file__).parents[2] / "docs" / "domain" / "adherence.md"
VECTORS = [
    json.loads(block)
    for block in re.findall(r"```json vector\n(.*?)```", PAGE.read_text(), re.DOTALL)
]
PRESCRIBED_AT = at("2026-01-01T00:00")


def plan_events(vector: dict[str, Any]) -> Iterator[tuple[datetime, event_pb2.Body]]:
    told = {"plan_id": "plan-1", "version": 1}
    yield PRESCRIBED_AT, body(plan={**told, "prescribed": vector["plan"]})
    for step in vector.get("steps", ()):
        action = {key: value for key, value in step.items() if key != "at"}
        yield at(step["at"]), body(plan={**told, **action})


def sessions(vector: dict[str, Any]) -> list[dict[str, Any]]:
    told = list(vector.get("sessions", ()))
    if "daily" in vector:
        daily = vector["daily"]
        begin = at(daily["from"])
        told += [
            {"at": (begin + timedelta(days=n)).isoformat(), "sets": daily["sets"]}
            for n in range(daily["days"])
        ]
    if "weekly" in vector:
        told += weekly(vector["weekly"])
    return told


def weekly(told: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for n in range(told["days"]):
        local = date.fromisoformat(told["from"]) + timedelta(days=n)
        slot = told["at"].get(str(local.isoweekday()))
        if slot:
            begin = instant_of(local, time.fromisoformat(slot), first_zone(told["zone"]))
            yield {"at": begin.isoformat(), "sets": told["sets"]}


def session_events(name: str, told: dict[str, Any]) -> Iterator[tuple[datetime, event_pb2.Body]]:
    begin = at(told["at"])
    yield begin, started(name)
    for exercise, sets in told.get("sets", {}).items():
        for index, reps in enumerate(sets, start=1):
            yield begin, set_completed(name, index, reps, exercise)
    for summary in told.get("told", ()):
        yield begin, body(exercise_session={"session_id": name, "set_completed": summary})
    for seen in told.get("seen", ()):
        reps = [rep(index, score) for index, score in enumerate(seen["scores"], start=1)]
        yield begin, observed(name, reps, index=seen["set_index"], exercise=seen["exercise_id"])


def history(vector: dict[str, Any]) -> PatientHistory:
    zone = vector["plan"]["zone"]
    contents = list(plan_events(vector))
    for n, told in enumerate(sessions(vector)):
        contents += session_events(f"session-{n}", told)
    numbers = count(1)
    return history_of(event(next(numbers), when, told, zone=zone) for when, told in contents)


def window_of(vector: dict[str, Any]) -> Window:
    match vector.get("window"):
        case None:
            return Days()
        case "whole_plan":
            return WholePlan()
        case told:
            return DateRange(date.fromisoformat(told["from"]), date.fromisoformat(told["to"]))


@pytest.mark.parametrize("vector", VECTORS, ids=[vector["name"] for vector in VECTORS])
def test_the_published_vector_holds(vector):
    known, as_of = history(vector), at(vector["as_of"])
    answer = adherence_in(known, as_of, window_of(vector))
    expected = dict(vector["expect"])
    days = expected.pop("monitoring_days", None)
    for name, value in expected.items():
        found = len(answer.due) if name == "due" else getattr(answer, name)
        assert found == (Fraction(value) if isinstance(value, str) else value), name
    if days is not None:
        zone = first_zone(known.care.zone_name())
        first, last = bounds(window_of(vector), local_date(as_of, zone), None)
        assert monitoring_days(known.marks, first, last, as_of, zone) == days


def test_the_page_publishes_vectors():
    assert len(VECTORS) >= 10
