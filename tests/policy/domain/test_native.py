"""Conditions evaluated by Python say what the library says of them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rehab.events.v1 import exercise_pb2
from rehab.events.v1.event_pb2 import RecordedEvent
from rehab.policy.v1 import facts_pb2
from rehab_cli.clinic import simulate
from rehab_policy.domain.cel import Cel, CelScope
from rehab_policy.domain.engine import Engine
from rehab_policy.domain.expressions import EvaluationError, Type
from rehab_policy.domain.firing import Firing
from rehab_policy.domain.loading import load_paths
from rehab_policy.domain.programs import Asking, Programs
from rehab_policy.domain.shapes import shape
from rehab_policy.domain.snapshot import dump
from tests.policy.domain.books import BOOK

LIMITS = shape("limits", {"least": Type.NUMBER, "times": Type.COUNT})
VARIABLES = {
    "rep_observation": "rehab.events.v1.RepObservation",
    "patient": "rehab.policy.v1.PatientFacts",
    "limit": LIMITS.name,
    "now": "timestamp",
}
TRANSLATED = [
    "rep_observation.reps.exists(r, has(r.score) && r.score < limit.least)",
    "rep_observation.reps.all(r, r.duration_ms > 0u && double(r.duration_ms) < limit.least)",
    "rep_observation.reps.exists(r, r.compensations.exists(c, c.code in ['a', 'knee_valgus']))",
    "rep_observation.reps.exists(r, r.compensations.all(r, r.magnitude_deg > 3.0))",
    "uint(size(rep_observation.reps.filter(r, r.score > 20.0))) >= limit.times",
    "rep_observation.reps.all(r, r.unscored_reason == UnscoredReason.UNSCORED_REASON_OCCLUDED)",
    "[dyn('p'), dyn(rep_observation.reps.map(r, has(r.score) ? [dyn(r.score), dyn(true)] : []))]",
    "rep_observation.reps.map(r, r.score > 1.0, r.score * -limit.least + 1.5 - r.rom_deg)",
    "has(patient.exercise.trend) && patient.exercise.trend <= -limit.least",
    "patient.exercise.change == 'declined' || !has(patient.plan) || patient.quiet",
    "rep_observation.set_index in [1u, 2u] ? rep_observation.session_id + ':' : 'none'",
    "patient.plan.days_left * 24.0 < limit.least && patient.local_hour != 3u",
    "\"it's\\n\" + rep_observation.exercise_id + 'ü \\\\ {x}' == 'a' + \"'\"",
]
LEFT = [
    "1.0 / limit.least > 0.0",
    "int(limit.least) + 1 > 2",
    "rep_observation.reps[0].score > 1.0",
    "rep_observation.reps.exists_one(r, r.score > 1.0)",
    "rep_observation.exercise_id.matches('s.*')",
    "now > timestamp('2026-01-01T00:00:00Z')",
    "has(rep_observation.exercise_id)",
    "dyn(limit.least) == dyn(limit.times)",
    "limit.times + 1u > 2u",
    "patient.exercise",
    "patient.alerts.rules",
]
numbers = st.one_of(st.floats(allow_nan=True, width=32), st.sampled_from([0.0, 20.0, 50.0, -0.0]))


def _scopes() -> tuple[CelScope, CelScope]:
    return Cel().scope(VARIABLES), Cel(natively=False).scope(VARIABLES)


def _said(scope: CelScope, text: str, values: dict[str, Any]) -> str:
    try:
        return repr(scope.compile(text).value(scope.bind(values)))
    except EvaluationError as error:
        return f"failed: {error}"


@st.composite
def _values(draw: st.DrawFn) -> dict[str, Any]:
    seen = exercise_pb2.RepObservation(
        session_id=draw(st.sampled_from(["", "s-1"])), set_index=draw(st.integers(0, 3))
    )
    for _ in range(draw(st.integers(0, 3))):
        rep = seen.reps.add(duration_ms=draw(st.sampled_from([0, 3, 4_000_000_000])))
        rep.unscored_reason = draw(st.sampled_from([0, 1, 2, 3]))
        for name in draw(st.sets(st.sampled_from(["score", "rom_deg"]))):
            setattr(rep, name, draw(numbers))
        for code in draw(st.lists(st.sampled_from(["a", "knee_valgus", "ü"]), max_size=2)):
            rep.compensations.add(code=code, magnitude_deg=draw(numbers))
    patient = facts_pb2.PatientFacts(quiet=draw(st.booleans()))
    if draw(st.booleans()):
        patient.exercise.trend = draw(numbers)
        patient.exercise.change = draw(st.sampled_from(["", "declined"]))
    if draw(st.booleans()):
        patient.plan.days_left = draw(numbers)
    limits = LIMITS.message({"least": draw(numbers), "times": draw(st.integers(0, 3))})
    return {"rep_observation": seen, "patient": patient, "limit": limits}


@pytest.mark.parametrize("text", TRANSLATED)
def test_a_condition_that_cannot_fail_is_evaluated_by_python(text: str) -> None:
    assert Cel().scope(VARIABLES).compile(text).native is not None


@pytest.mark.parametrize("text", LEFT)
def test_what_may_fail_or_is_told_by_the_library_alone_stays_with_it(text: str) -> None:
    assert Cel().scope(VARIABLES).compile(text).native is None


@settings(max_examples=60, deadline=None, derandomize=True)
@given(_values(), st.sampled_from([*TRANSLATED, *LEFT[:2], *LEFT[6:9]]))
def test_python_and_the_library_say_the_same(values: dict[str, Any], text: str) -> None:
    natively, by_library = _scopes()
    assert _said(natively, text, values) == _said(by_library, text, values)


def test_a_value_that_is_missing_is_told_as_the_library_tells_it() -> None:
    natively, by_library = _scopes()
    for text in TRANSLATED:
        assert _said(natively, text, {}) == _said(by_library, text, {})
    assert _said(natively, TRANSLATED[0], {}).startswith("failed")


def test_no_text_of_a_rule_becomes_code() -> None:
    natively, by_library = _scopes()
    hostile = '\'); import os; (\' + rep_observation.session_id == """a\'\'\'\n\\\\"""'
    values = {"rep_observation": exercise_pb2.RepObservation(session_id="x")}
    assert natively.compile(hostile).native is not None
    assert _said(natively, hostile, values) == _said(by_library, hostile, values) == "False"


def test_every_condition_of_the_shipped_book_is_evaluated_by_python() -> None:
    programs = Programs(load_paths([BOOK], Cel()), Cel())
    every: list[Asking] = [*programs.on.values(), *programs.timed.values()]
    for asking in [*every, *programs.emergency.values()]:
        assert asking.all is not None
        assert asking.all.native is not None, [asked.rule.id for asked in asking.rules]  # type: ignore[attr-defined]


def _fold(natively: bool) -> tuple[list[Firing], dict[str, bytes]]:
    engine = Engine(load_paths([BOOK], Cel()), Cel(natively=natively))
    states: dict[str, Any] = {}
    firings: list[Firing] = []
    for timed in simulate(5, start=datetime(2026, 1, 5, tzinfo=UTC), days=21, patients=4):
        envelope = timed.event.envelope
        state = states.setdefault(envelope.subject_id, engine.start(envelope.subject_id))
        recorded = RecordedEvent(envelope=envelope, body=timed.event.body.SerializeToString())
        recorded.envelope.recorded_at.FromDatetime(timed.at)
        recorded.envelope.stream_version = state.stream_version + 1
        firings += engine.step(state, recorded).firings
    return firings, {patient: dump(state) for patient, state in states.items()}


def test_weeks_of_a_clinic_are_decided_alike_by_python_and_the_library() -> None:
    natively, by_library = _fold(natively=True), _fold(natively=False)
    assert natively == by_library
    assert len({firing.rule_id for firing in natively[0]}) > 5
