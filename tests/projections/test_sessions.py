from __future__ import annotations

from datetime import date

from rehab_clinical.done import Done, done_in, tally_of
from rehab_clinical.measures import median_of
from rehab_clinical.sessions import OccurrenceRef, SessionRecord

from tests.projections.ask import history_of
from tests.projections.given import (
    KNEE,
    at,
    body,
    completed,
    event,
    observed,
    rep,
    set_completed,
    started,
    whole_session,
)

BEGIN = at("2026-03-02T08:00")
UNTOLD = (KNEE, 0)


def session_of(*events) -> SessionRecord:
    (record,) = history_of(events).sessions.values()
    return record


def test_a_sets_summary_and_the_repetitions_seen_of_it_are_not_counted_twice():
    record = session_of(
        event(1, BEGIN, observed("s", [rep(i) for i in range(1, 9)])),
        event(2, BEGIN, set_completed("s", 1, 10)),
    )
    assert done_in(record)[UNTOLD].reps == 10


def test_repetitions_seen_count_where_the_summary_tells_fewer():
    record = session_of(
        event(1, BEGIN, observed("s", [rep(i) for i in range(1, 9)])),
        event(2, BEGIN, set_completed("s", 1, 5)),
    )
    assert done_in(record)[UNTOLD].reps == 8


def test_the_greater_account_is_taken_per_set_and_not_per_session():
    record = session_of(
        event(1, BEGIN, observed("s", [rep(i) for i in range(1, 9)], index=1)),
        event(2, BEGIN, set_completed("s", 1, 5)),
        event(3, BEGIN, set_completed("s", 2, 10)),
    )
    assert done_in(record)[UNTOLD].reps == 18


def test_a_repetition_seen_in_two_batches_counts_once_with_its_better_score():
    record = session_of(
        event(1, BEGIN, observed("s", [rep(1, 60), rep(2, None)])),
        event(2, BEGIN, observed("s", [rep(1, 75), rep(2, 65)])),
    )
    assert done_in(record)[UNTOLD] == Done(2, 6000, 6000, scored=2, good=1)
    assert median_of(tally_of(record).scores) == 70


def test_a_summarys_good_repetitions_count_only_where_none_were_seen():
    told_only = session_of(event(1, BEGIN, set_completed("s", 1, 10, good_reps=7)))
    assert done_in(told_only)[UNTOLD].good == 7
    seen_too = session_of(
        event(1, BEGIN, set_completed("s", 1, 10, good_reps=7)),
        event(2, BEGIN, observed("s", [rep(1, 80)])),
    )
    assert done_in(seen_too)[UNTOLD].good == 1


def test_held_seconds_are_the_greater_of_what_was_seen_and_what_was_told():
    record = session_of(
        event(1, BEGIN, observed("s", [rep(1, duration_ms=12_000)])),
        event(2, BEGIN, set_completed("s", 1, 1, hold_s=12.8)),
    )
    assert done_in(record)[UNTOLD].hold_ms == 12_800


def test_of_several_summaries_of_a_set_the_last_told_counts_whenever_it_arrives():
    early = event(1, BEGIN, set_completed("s", 1, 12))
    late = event(2, at("2026-03-02T08:01"), set_completed("s", 1, 9))
    assert done_in(session_of(early, late)) == done_in(session_of(late, early))
    assert done_in(session_of(late, early))[UNTOLD].reps == 9


def test_a_session_known_only_by_a_repetition_began_with_it_and_is_open():
    record = session_of(event(1, BEGIN, observed("s", [rep(1)])))
    assert (record.started_at, record.status, record.duration_s) == (BEGIN, "open", None)


def test_a_start_that_arrives_late_is_the_start_all_the_same():
    record = session_of(
        event(2, at("2026-03-02T08:05"), set_completed("s", 1, 10)),
        event(1, BEGIN, started("s")),
    )
    assert record.started_at == BEGIN


def test_a_completed_session_tells_its_duration():
    record = session_of(*whole_session(1, "s", BEGIN, [10]))
    assert (record.status, record.duration_s) == ("completed", 600)


def test_a_session_that_is_resumed_after_being_abandoned_ends_as_it_ended_last():
    abandoned = body(exercise_session={"session_id": "s", "abandoned": {"reason": "interrupted"}})
    events = [
        event(1, BEGIN, started("s")),
        event(2, at("2026-03-02T08:05"), abandoned),
        event(3, at("2026-03-02T08:20"), completed("s")),
    ]
    assert session_of(*events).status == "completed"
    assert session_of(*reversed(events)).status == "completed"


def test_a_self_report_began_when_the_patient_says_and_counts_its_sets():
    told = {
        "started_at": "2026-03-01T18:00:00Z",
        "sets": [
            {"exercise_id": KNEE, "set_index": 1, "reps": 10, "duration_s": 40},
            {"exercise_id": KNEE, "set_index": 2, "reps": 8, "duration_s": 50},
        ],
        "occurrence": {"plan_id": "plan-1", "local_date": "2026-03-01", "slot": "18:00"},
    }
    report = body(exercise_session={"session_id": "s", "self_reported": told})
    record = session_of(event(1, BEGIN, report))
    assert record.started_at == at("2026-03-01T18:00")
    assert (record.status, record.duration_s) == ("self_reported", 90)
    assert record.start is not None
    assert record.start.ref == OccurrenceRef("plan-1", date(2026, 3, 1), "18:00")
    assert done_in(record)[UNTOLD].reps == 18


def test_an_event_that_another_corrects_is_as_if_it_had_never_been_told():
    wrong = event(1, BEGIN, set_completed("s", 1, 100))
    right = event(2, BEGIN, set_completed("s", 1, 10), corrects=wrong.envelope.event_id)
    for events in ((wrong, right), (right, wrong)):
        assert done_in(session_of(*events))[UNTOLD].reps == 10
