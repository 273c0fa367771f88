"""The oracle: by hand on small records, and beside the projections' own formulae on whole weeks."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta

import pytest
from rehab_clinical.days import first_zone, local_date
from rehab_clinical.done import GOOD_SCORE
from rehab_clinical.quality import ObservedSet, quality
from rehab_clinical.windows import WholePlan

from rehab.events.v1.event_pb2 import Event
from rehab_cli.clinic import TimedEvent, expected, oracle, simulate
from rehab_cli.clinic.deeds import (
    Deed,
    PainFelt,
    Paused,
    Prescribed,
    RepsSeen,
    Resumed,
    SessionBegun,
    SetDone,
)
from rehab_cli.clinic.library import BOTH, EXERCISES
from rehab_cli.clinic.prescription import DURING_WINDOW, WEEK, Item, Plan
from rehab_projections.domain.history import PatientHistory
from tests.projections.ask import adherence_in, history_of

START = datetime(2025, 2, 20, 10, tzinfo=UTC)
DAY = date(2025, 3, 3)
SQUATS = Item(EXERCISES["mini_squat"], BOTH, 3, 10, WEEK, ("08:00",), 60.0)
HOLDS = Item(EXERCISES["wall_sit"], BOTH, 2, 30, WEEK, ("08:00",))


def plan(*items: Item) -> Plan:
    return Plan("plan-1", 1, DAY, "Europe/Berlin", 12, DURING_WINDOW, items)


def at(hour: int, day: int = 3) -> datetime:
    return datetime(2025, 3, day, hour, tzinfo=UTC)


def sent(*deeds: Deed) -> list[TimedEvent]:
    event = Event()
    event.envelope.subject_id = "p-1"
    return [TimedEvent(START, "phone-1", event, (deed,)) for deed in deeds]


def begun(hour: int, day: int = 3) -> SessionBegun:
    return SessionBegun(f"s-{day}", at(hour, day), (date(2025, 3, day), "08:00"))


def done(item: Item, *amounts: int, day: int = 3) -> list[SetDone]:
    return [SetDone(f"s-{day}", item.exercise.id, item.side, amount) for amount in amounts]


def test_sets_of_10_10_and_4_of_10_are_exactly_a_full_dose() -> None:
    told = sent(Prescribed(plan(SQUATS)), begun(8), *done(SQUATS, 10, 10, 4))
    of = expected(told, at(20)).patients["p-1"]
    assert (of.due, of.started, of.full, of.dose_ratio) == (1, 1, 1, 0.8)


def test_one_repetition_less_is_not_full() -> None:
    told = sent(Prescribed(plan(SQUATS)), begun(8), *done(SQUATS, 10, 10, 3))
    assert expected(told, at(20)).patients["p-1"].full == 0


def test_each_exercise_is_capped_on_its_own() -> None:
    told = sent(Prescribed(plan(SQUATS, HOLDS)), begun(8), *done(SQUATS, 30, 30))
    of = expected(told, at(20)).patients["p-1"]
    assert (of.dose_ratio, of.full) == (0.5, 0)


def test_a_window_that_is_still_open_is_not_due() -> None:
    told = sent(Prescribed(plan(SQUATS)), begun(8), *done(SQUATS, 30))
    of = expected(told, at(18)).patients["p-1"]  # 19:00 in Berlin, the window ends at 20:00
    assert (of.due, of.dose_ratio, of.sessions) == (0, None, 1)


def test_nothing_is_due_in_a_pause_and_again_after_it() -> None:
    told = sent(Prescribed(plan(SQUATS)), Paused(at(4, 4), None), Resumed(at(4, 6)))
    assert expected(told, at(22, 5)).patients["p-1"].due == 1
    assert expected(told, at(22, 6)).patients["p-1"].due == 2


def test_a_pause_that_knows_its_end_needs_no_resumption() -> None:
    told = sent(Prescribed(plan(SQUATS)), Paused(at(4, 4), at(4, 6)))
    assert expected(told, at(22, 7)).patients["p-1"].due == 3


def test_pain_and_repetitions_count_from_when_they_happened() -> None:
    seen = RepsSeen("s-3", "mini_squat", BOTH, at(9), (69.9, 70.0, None), (50.0, 60.0, None))
    told = sent(PainFelt(at(8), 3), PainFelt(at(12), 6), seen)
    of = expected(told, at(10)).patients["p-1"]
    assert (of.pain_reports, of.latest_pain) == (1, 3)
    exercise = of.exercises["mini_squat", BOTH]
    assert (exercise.reps, exercise.scored, exercise.good) == (3, 2, 1)
    assert exercise.median_score == pytest.approx(69.95)
    assert exercise.p90_rom_deg == pytest.approx(59.0)
    assert expected(told, at(8)).patients["p-1"].exercises == {}


# beside the projections' formulae


@pytest.mark.parametrize("seed", [1, 2])
def test_it_agrees_with_the_projections_formulae_on_every_patient(seed: int) -> None:
    events = list(simulate(seed, start=START, days=45, patients=20))
    histories = histories_of(events)
    for days in (13, 45):
        as_of = START + timedelta(days=days)
        told = expected(events, as_of)
        assert len(told.patients) == 20
        for patient, of in told.patients.items():
            adherence = adherence_in(histories[patient], as_of, WholePlan())
            ratio = adherence.dose_ratio
            figures = (len(adherence.due), adherence.started, adherence.full, adherence.sessions)
            assert (of.due, of.started, of.full, of.sessions) == figures
            assert of.dose_ratio == (None if ratio is None else pytest.approx(float(ratio)))
            assert qualities_of(histories[patient], as_of) == [
                (*exercise, q.reps, q.scored, q.good, near(q.median_score), near(q.p90_rom_deg))
                for exercise, q in of.exercises.items()
            ]
    assert sum(of.full for of in told.patients.values()) > 100


def histories_of(events: Iterable[TimedEvent]) -> dict[str, PatientHistory]:
    streams: dict[str, list[Event]] = {}
    for timed in events:
        streams.setdefault(timed.event.envelope.subject_id, []).append(timed.event)
    return {patient: history_of(stream) for patient, stream in streams.items()}


def near(value: float | None) -> object:
    return None if value is None else pytest.approx(value)


def qualities_of(history: PatientHistory, as_of: datetime) -> list[tuple[object, ...]]:
    zone = first_zone(history.care.zone_name())
    seen = [
        ObservedSet(key.exercise_id, key.side, local_date(one.seen.at, zone), [*one.reps.values()])
        for record in history.sessions.values()
        for key, one in record.sets.items()
        if one.seen is not None and one.seen.at <= as_of
    ]
    return [
        (q.exercise_id, q.side, q.reps, q.scored, q.good, q.median_score, q.p90_rom_deg)
        for q in quality(history.care.plans, seen)
    ]


def test_a_good_repetition_is_the_same_to_both() -> None:
    assert oracle.GOOD_SCORE == GOOD_SCORE
