"""What must hold for every history: the same firings however it is cut, repeated or folded anew."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, time, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rehab_clinical.facts import moment

from rehab.events.v1.event_pb2 import RecordedEvent
from rehab_policy.domain.engine import Engine, Live
from rehab_policy.domain.facts import About, patient_facts
from rehab_policy.domain.firing import Firing
from rehab_policy.domain.given import PATIENT, Given, Setting, body_of, local, stream
from rehab_policy.domain.snapshot import dump, fingerprint, load
from rehab_policy.domain.state import PatientState
from tests.policy.domain.books import ZONE, shipped

ENGINE = Engine(shipped())
GROUPS = ("plan", "sessions", "adherence", "pain", "alerts", "consents")
DAYS = 14
SLOW = settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)


def _happened(kind: str, told: Callable[[int, int], dict[str, object]]) -> st.SearchStrategy[Given]:
    return st.builds(
        lambda day, hour, minute, value, late: Given(
            local(day, time(hour, minute), ZONE),
            kind,
            body_of(kind, told(day, value)),
            timedelta(hours=late),
        ),
        st.integers(0, DAYS),
        st.integers(0, 23),
        st.integers(0, 59),
        st.integers(0, 10),
        st.sampled_from([0, 0, 0, 5, 80]),
    )


def _session(day: int, value: int) -> dict[str, object]:
    session_id = f"s-{day}"
    if value < 2:
        return {"session_id": session_id, "abandoned": {"reason": "pain"}}
    if value < 5:
        return {"session_id": session_id, "completed": {"duration_s": 60}}
    done = {"exercise_id": "mini_squat", "side": "SIDE_BOTH", "set_index": 1, "reps": 2 * value}
    return {"session_id": session_id, "set_completed": done}


def _reps(day: int, value: int) -> dict[str, object]:
    reps = [{"index": n + 1, "score": 9.5 * value, "rom_deg": 5 * value} for n in range(4)]
    told = {"session_id": f"s-{day}", "exercise_id": "mini_squat", "side": "SIDE_BOTH"}
    return {**told, "set_index": 1, "reps": reps}


def _pain(day: int, value: int) -> dict[str, object]:
    phase = ("PAIN_PHASE_PRE", "PAIN_PHASE_DURING", "PAIN_PHASE_POST")[value % 3]
    return {"nprs": value, "phase": phase, "session_id": f"s-{day}"}


def _plan(day: int, value: int) -> dict[str, object]:
    action = {"paused": {"reason": "travel"}} if value < 5 else {"resumed": {}}
    return {"plan_id": "plan-test", "version": 1, **action}


def _symptom(day: int, value: int) -> dict[str, object]:
    code = ("dizziness", "swelling", "", "nausea", "chest_pain")[value % 5]
    return {"symptom": {"code": code, "severity": "SEVERITY_HIGH"}}


HISTORIES = st.lists(
    st.one_of(
        _happened("pain_report", _pain),
        _happened("exercise_session", _session),
        _happened("rep_observation", _reps),
        _happened("plan", _plan),
        _happened("symptom_report", _symptom),
    ),
    min_size=1,
    max_size=20,
)
END = local(DAYS + 4, time(0), ZONE)


def undisturbed(recorded: list[RecordedEvent]) -> list[Firing]:
    state = ENGINE.start(PATIENT)
    found = [firing for one in recorded for firing in ENGINE.step(state, one).firings]
    return [*found, *ENGINE.until(state, END).firings]


@SLOW
@given(HISTORIES, st.lists(st.integers(0, 18 * 24), max_size=6))
def test_a_ticker_at_any_times_changes_no_firing(history: list[Given], ticks: list[int]) -> None:
    """It may fire timers due before the next event, which is what a caught-up service does."""
    recorded = stream(Setting(), history)
    state = ENGINE.start(PATIENT)
    found: list[Firing] = []
    waiting = sorted(local(0, time(0), ZONE) + timedelta(hours=tick) for tick in ticks)
    for one in recorded:
        at = moment(one.envelope.recorded_at)
        for tick in [tick for tick in waiting if tick < at]:
            found += ENGINE.until(state, tick).firings
        found += ENGINE.step(state, one).firings
    found += ENGINE.until(state, END).firings
    assert found == undisturbed(recorded)


@SLOW
@given(HISTORIES, st.data())
def test_a_restart_at_any_point_makes_the_same_firings(
    history: list[Given], data: st.DataObject
) -> None:
    """A restarted service folds from the beginning, and says again what it may have said."""
    recorded = stream(Setting(), history)
    cut = data.draw(st.integers(0, len(recorded)))
    state = ENGINE.start(PATIENT)
    before = [firing for one in recorded[:cut] for firing in ENGINE.step(state, one).firings]
    every = undisturbed(recorded)
    assert before == every[: len(before)]
    again = ENGINE.start(PATIENT)
    for one in recorded[:cut]:
        ENGINE.step(again, one)
    after = [firing for one in recorded[cut:] for firing in ENGINE.step(again, one).firings]
    assert [*before, *after, *ENGINE.until(again, END).firings] == every


@SLOW
@given(HISTORIES, st.data())
def test_redelivered_events_make_no_firing_of_their_own(
    history: list[Given], data: st.DataObject
) -> None:
    recorded = stream(Setting(), history)
    state = ENGINE.start(PATIENT)
    found: list[Firing] = []
    for place, one in enumerate(recorded):
        found += ENGINE.step(state, one).firings
        back = data.draw(st.integers(0, place))
        for old in recorded[back : place + 1]:
            assert not ENGINE.step(state, old).firings
    assert [*found, *ENGINE.until(state, END).firings] == undisturbed(recorded)


@SLOW
@given(HISTORIES)
def test_timers_fired_one_by_one_are_those_of_a_ticker(history: list[Given]) -> None:
    recorded = stream(Setting(), history)
    state = ENGINE.start(PATIENT)
    found = [firing for one in recorded for firing in ENGINE.step(state, one).firings]
    step = ENGINE.until(state, state.now)
    for _ in range(2_000):
        if not step.timers or step.timers[0].due_at > END:
            break
        step = ENGINE.due(state, step.timers[0])
        found += step.firings
    assert found == undisturbed(recorded)


@SLOW
@given(HISTORIES)
def test_no_two_firings_share_an_id_and_no_alert_is_raised_twice(history: list[Given]) -> None:
    found = undisturbed(stream(Setting(), history))
    assert len({firing.firing_id for firing in found}) == len(found)
    raised = [f.alert_id for f in found if f.outcome == "decided" and f.action == "alert"]
    assert len(set(raised)) == len(raised)


def facts_of(recorded: list[RecordedEvent], order: list[int]) -> list[object]:
    """What is known at the end, when the events came in another order."""
    state: PatientState = ENGINE.start(PATIENT)
    prelude = len(recorded) - len(order)
    for version, place in enumerate([*range(prelude), *(prelude + one for one in order)], 1):
        one = RecordedEvent()
        one.CopyFrom(recorded[place])
        one.envelope.stream_version = version
        one.envelope.recorded_at.FromDatetime(local(DAYS + 1, time(0), ZONE).astimezone(UTC))
        ENGINE.step(state, one)
    about = About(state.now, state.now.astimezone(state.zone))
    groups = [group for group in GROUPS if group != "alerts"]
    points = {
        told: {part: kept.points for part, kept in parts.items()}
        for told, parts in state.points.items()
    }
    days = {
        key: {day: sorted(map(tuple, told.every().values())) for day, told in exercise.days.items()}
        for key, exercise in state.scores.by_exercise.items()
    }
    return [patient_facts(state, about, groups), points, days, state.pains, state.last_by_kind]


@SLOW
@given(HISTORIES, st.randoms(use_true_random=False))
def test_no_order_of_arrival_changes_what_is_known(history: list[Given], chance: object) -> None:
    recorded = stream(Setting(), history)
    prelude = len(recorded) - len(history)
    told = sorted(recorded[prelude:], key=lambda one: one.envelope.event_id)
    recorded = [*recorded[:prelude], *told]
    order = list(range(len(history)))
    chance.shuffle(order)  # type: ignore[attr-defined]
    assert facts_of(recorded, order) == facts_of(recorded, sorted(order))


def written_down(state: PatientState) -> PatientState:
    written = dump(state)
    again = load(written)
    assert dump(again) == written
    return again


def closed(state: PatientState) -> PatientState:
    return pickle.loads(pickle.dumps(state))


@pytest.mark.parametrize("put_aside", [written_down, closed])
@SLOW
@given(history=HISTORIES, data=st.data())
def test_a_state_that_was_put_aside_goes_on_as_if_it_had_not_been(
    put_aside: Callable[[PatientState], PatientState], history: list[Given], data: st.DataObject
) -> None:
    recorded = stream(Setting(), history)
    cut = data.draw(st.integers(0, len(recorded)))
    state = ENGINE.start(PATIENT)
    found = [firing for one in recorded[:cut] for firing in ENGINE.step(state, one).firings]
    again = put_aside(state)
    found += [firing for one in recorded[cut:] for firing in ENGINE.step(again, one).firings]
    assert [*found, *ENGINE.until(again, END).firings] == undisturbed(recorded)


@pytest.mark.parametrize("wrong", [b"", b"{}", b"[]", b'{"now": 1}', b"\xff"])
def test_what_is_no_snapshot_is_refused(wrong: bytes) -> None:
    with pytest.raises(ValueError, match="is no snapshot"):
        load(wrong)


def test_a_snapshot_is_of_the_rule_books_it_was_folded_with() -> None:
    book = shipped()
    first = fingerprint([Live(END, book)])
    assert first == fingerprint([Live(END, book)])
    assert first != fingerprint([Live(END + timedelta(days=1), book)])
    assert first != fingerprint([Live(END, replace(book, sha256="other"))])
