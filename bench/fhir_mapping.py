"""What a resource costs that is sent to a record system: mapped from the history, validated, made
text, beside json.dumps of the same dicts in the same run.

Process CPU time of one core, medians of RUNS alternating runs over the histories of a simulated
clinic with readings of wearables beside. RUNS, PATIENTS and DAYS may be set in the environment.
"""

from __future__ import annotations

import json
import os
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from uuid import UUID

from rehab_clinical.facts import fact_of

from bench.measure import Row
from rehab.events.v1.event_pb2 import Body, RecordedEvent
from rehab_cli.clinic import simulate
from rehab_emr.domain import validation
from rehab_emr.domain.history import History
from rehab_emr.domain.keys import ResourceKey
from rehab_emr.domain.links import Links, Options
from rehab_emr.domain.mapping import resource
from rehab_emr.domain.resource import Resource
from rehab_emr.domain.shapes import Shapes
from rehab_emr.domain.validation import problems

RUNS = int(os.environ.get("RUNS", "5"))
PATIENTS = int(os.environ.get("PATIENTS", "6"))
DAYS = int(os.environ.get("DAYS", "28"))
START = datetime(2026, 1, 5, tzinfo=UTC)
GOAL_PER_S = 1_500
LINKS = Links("https://rehab.example.org", "Patient/1", options=Options(rep_series=True))

Histories = Mapping[str, History]


def histories() -> dict[str, History]:
    """Of every patient: what the simulated phone told, and a month of blood pressure, weight and
    heart rate."""
    found: dict[str, History] = {}
    position = 0
    for timed in simulate(7, start=START, days=DAYS, patients=PATIENTS):
        position += 1
        recorded = RecordedEvent.FromString(timed.event.SerializeToString())
        recorded.envelope.position = position
        recorded.envelope.recorded_at.CopyFrom(recorded.envelope.occurred_at)
        fact = fact_of(recorded)
        found.setdefault(fact.patient_id, History.empty()).step(fact)
        last = recorded
    for patient, history in found.items():
        for number, body in enumerate(_readings(), start=1):
            last.envelope.event_id = str(UUID(int=number))
            last.envelope.subject_id = patient
            last.envelope.kind = "health_samples"
            history.step(fact_of(_with_body(last, body, position + number)))
    return found


def _with_body(envelope_of: RecordedEvent, body: Body, position: int) -> RecordedEvent:
    made = RecordedEvent.FromString(envelope_of.SerializeToString())
    made.envelope.position = position
    made.body = body.SerializeToString()
    return made


def _readings() -> Iterator[Body]:
    for day in range(DAYS):
        noon = START + timedelta(days=day, hours=12)
        body = Body()
        body.health_samples.metric = "blood_pressure"
        one = body.health_samples.samples.add()
        one.start.FromDatetime(noon)
        one.blood_pressure.systolic_mmhg, one.blood_pressure.diastolic_mmhg = 120 + day % 9, 80
        yield body
        body = Body()
        body.health_samples.metric = "weight"
        one = body.health_samples.samples.add()
        one.start.FromDatetime(noon)
        one.quantity.value = one.quantity.canonical_value = 80 - 0.1 * day
        one.quantity.unit = one.quantity.ucum = "kg"
        yield body


def keys_of(known: Histories) -> list[tuple[History, ResourceKey]]:
    wanted = LINKS.options.kinds
    return [
        (history, key)
        for history in known.values()
        for key in sorted(history.keys())
        if key.kind in wanted
    ]


def mapped(keys: list[tuple[History, ResourceKey]]) -> list[Resource]:
    made = [resource(history, key, LINKS) for history, key in keys]
    return [one for one in made if one is not None]


def rows() -> list[Row]:
    keys = keys_of(histories())
    made = mapped(keys)
    contents = [dict(one.content) for one in made]
    broken = [one.key.kind for one in made if problems(one.content)]
    assert not broken, broken

    def map_alone() -> None:
        mapped(keys)

    def whole() -> None:
        for one in mapped(keys):
            assert not problems(one.content)
            assert one.json

    def with_the_model_each_time() -> None:
        for one in mapped(keys):
            validation._SHAPES = Shapes()
            assert not problems(one.content)
            assert one.json

    def dumps_alone() -> None:
        for content in contents:
            json.dumps(content)

    took = _interleaved(
        {"map": map_alone, "whole": whole, "model": with_the_model_each_time, "dumps": dumps_alone}
    )
    per_s = {name: len(made) / seconds for name, seconds in took.items()}
    print(f"{len(made):,} resources of {PATIENTS} patients over {DAYS} days")
    return [
        _row("Mapped, validated and made text, a core", per_s["whole"], per_s["dumps"], goal=True),
        _row("The same, the model asked every time", per_s["model"], per_s["dumps"], goal=False),
        _row("Mapped alone", per_s["map"], per_s["dumps"], goal=False),
    ]


def _interleaved(parts: Mapping[str, Callable[[], None]]) -> dict[str, float]:
    """Seconds of CPU of each, the median, each in turn so that a noisy minute meets all."""
    took: dict[str, list[float]] = {name: [] for name in parts}
    for _ in range(RUNS):
        for name, part in parts.items():
            began = time.process_time()
            part()
            took[name].append(time.process_time() - began)
    return {name: statistics.median(seconds) for name, seconds in took.items()}


def _row(what: str, per_s: float, dumps_per_s: float, *, goal: bool) -> Row:
    return Row(
        what,
        round(per_s),
        "resources/s",
        "json.dumps of the same dicts, resources/s",
        round(dumps_per_s),
        round(per_s / dumps_per_s, 3),
        f">= {GOAL_PER_S:,}/s" if goal else "",
        per_s >= GOAL_PER_S if goal else None,
    )
