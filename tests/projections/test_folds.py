"""Folding in place: what a fold began with stays as it was, in whatever parts it is told, and an
event that cannot be folded leaves nothing behind."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rehab_clinical.facts import Fact
from rehab_clinical.session_fold import SessionFold
from rehab_clinical.sessions import SessionRecord, session_id_of

from rehab.events.v1 import event_pb2, exercise_pb2
from rehab_projections.domain import care
from rehab_projections.domain.care import CareFold, CareRecord
from rehab_projections.domain.history import SESSION_KINDS, PatientHistory, fold
from rehab_projections.storage.codec import dump_reps, load_set
from tests.projections.given import (
    at,
    body,
    completed,
    event,
    facts,
    observed,
    prescribed,
    rep,
    set_completed,
    started,
)
from tests.projections.streams import streams

BEGIN = at("2026-03-02T08:00")


def in_parts(told: Sequence[Fact], cuts: Sequence[int]) -> PatientHistory:
    """Folded as batches are: each part onto what was known after the one before."""
    record = CareRecord()
    sessions: dict[str, SessionRecord] = {}
    for first, last in zip((0, *cuts), (*cuts, len(told)), strict=True):
        caring, folds = CareFold(record), dict[str, SessionFold]()
        before = repr((record, sessions))
        for fact in told[first:last]:
            if fact.kind in SESSION_KINDS:
                name = session_id_of(fact)
                if name not in folds:
                    folds[name] = SessionFold(sessions.get(name))
                folds[name].add(fact)
            elif fact.kind in care.KINDS:
                caring.add(fact)
        assert repr((record, sessions)) == before
        record = caring.record()
        sessions |= {name: one.record() for name, one in folds.items()}
    return PatientHistory(record, sessions)


@settings(max_examples=100, deadline=None)
@given(streams(), st.randoms(use_true_random=False))
def test_however_a_stream_is_cut_the_folds_give_the_same(
    events: list[event_pb2.Event], random: Random
) -> None:
    void = {made.envelope.corrects for made in events}
    told = [fact for fact in facts(events) if fact.stamp.event_id not in void]
    cuts = sorted(random.sample(range(len(told) + 1), min(3, len(told))))
    whole, parts = fold(told), in_parts(told, cuts)
    assert (parts.care, parts.sessions) == (whole.care, whole.sessions)


def no_such_day() -> event_pb2.Body:
    report = {
        "started_at": "2026-03-02T08:00:00Z",
        "sets": [{"exercise_id": "knee", "set_index": 7}],
        "occurrence": {"plan_id": "p", "local_date": "2026-02-30"},
    }
    return body(exercise_session={"session_id": "s", "self_reported": report})


def no_such_length() -> event_pb2.Body:
    told = {"exercise_id": "knee", "set_index": 7, "duration_s": "Infinity"}
    return body(exercise_session={"session_id": "s", "set_completed": told})


@pytest.mark.parametrize("impossible", [no_such_day(), no_such_length()])
def test_an_event_that_cannot_be_folded_leaves_nothing_behind(impossible: event_pb2.Body) -> None:
    good = [
        event(1, BEGIN, started("s")),
        event(2, BEGIN, set_completed("s", 1, 9)),
        event(3, BEGIN, completed("s")),
    ]
    folding, clean = SessionFold(), SessionFold()
    (bad,) = facts([event(4, at("2026-03-03T08:00"), impossible)])
    for fact in facts(good):
        clean.add(fact)
        folding.add(fact)
        with pytest.raises((ValueError, OverflowError)):
            folding.add(bad)
    assert folding.record() == clean.record()


def test_a_plan_that_cannot_be_leaves_the_care_as_it_was() -> None:
    folding = CareFold()
    (good, bad) = facts(
        [event(1, BEGIN, prescribed()), event(2, BEGIN, prescribed(effective_from="2026-02-30"))]
    )
    folding.add(good)
    with pytest.raises(ValueError, match="day is out of range"):
        folding.add(bad)
    assert folding.record() == care.fold([good])


@pytest.mark.parametrize("joints", [0, 1, 400])
def test_repetitions_of_any_length_are_stored_as_the_message_that_holds_them(joints: int) -> None:
    moved = [{"joint": f"joint {n}", "rom_deg": 1.0} for n in range(joints)]
    told = observed("s", [rep(2, joints=moved), rep(1), rep(300, None)])
    (record,) = fold(facts([event(1, BEGIN, told)])).sessions.values()
    (one,) = record.sets.values()
    in_order = exercise_pb2.RepObservation(reps=[one.reps[index] for index in sorted(one.reps)])
    assert dump_reps(one) == in_order.SerializeToString()
    assert load_set('[null,"",null]', dump_reps(one)).reps == one.reps
