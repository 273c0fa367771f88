"""A changed book over the past, and why a rule fired."""

from __future__ import annotations

from collections.abc import Iterable

from rehab.events.v1.event_pb2 import RecordedEvent
from rehab_cli.clinic import simulate
from rehab_policy.domain.backtest import Comparison, Example, Load, backtest
from rehab_policy.domain.engine import Engine
from rehab_policy.domain.explaining import explain
from rehab_policy.domain.given import PATIENT
from tests.policy.domain.books import PAIN, book, events, fold, local, pain, shipped
from tests.policy.domain.test_engine import at


def _of(patient_id: str, recorded: list[RecordedEvent]) -> tuple[str, list[RecordedEvent]]:
    for one in recorded:
        one.envelope.subject_id = patient_id
    return patient_id, recorded


STREAMS = [
    _of(PATIENT, events(pain(0, "10:00", 6), pain(1, "11:00", 8), pain(4, "10:00", 7))),
    _of("p-other", events(pain(2, "10:00", 5))),
]
LOWER = book(PAIN.replace("limit.severe", "6u"))


def test_a_stricter_rule_shows_how_many_more_and_for_whom() -> None:
    found = backtest(book(), LOWER, STREAMS)
    assert (found.patients, found.events, found.days) == (2, 12, 5)
    assert found.rules["pain", "alert"].before == 2
    assert (found.rules["pain", "alert"].after, found.rules["pain", "alert"].more) == (3, 1)
    assert found.rules["pain", "alert"].fewer == 0
    assert found.by_patient[PATIENT].more == 1
    assert "p-other" not in found.by_patient
    assert found.more == [Example("pain", PATIENT, at(0, "10:00"))]


def test_the_other_way_round_it_is_fewer() -> None:
    found = backtest(LOWER, book(), STREAMS)
    assert (found.total.before, found.total.after) == (3, 2)
    assert (found.total.more, found.total.fewer) == (0, 1)
    assert [one.at for one in found.fewer] == [at(0, "10:00")]


def test_the_load_of_a_therapist_is_counted_by_day() -> None:
    found = backtest(book(), LOWER, STREAMS)
    assert found.load_before == (Load("t-test", 2, 0, 0.4, 1),)
    assert found.load_after == (Load("t-test", 3, 0, 0.6, 1),)


def test_days_are_those_where_the_patient_is() -> None:
    # at 00:30 and 23:30 of one day in Berlin, which lie on two days in UTC
    same_day = events(pain(2, "00:30", 8), pain(2, "23:30", 8, late_h=0))
    rules = book(PAIN.replace("cooldown: 1d", "cooldown: 1h"))
    found = backtest(rules, rules, [(PATIENT, same_day)])
    assert found.load_after[0].most_in_a_day == 2
    assert found.days == 3


def test_what_happened_before_a_moment_is_folded_and_not_counted() -> None:
    comparison = Comparison(book(), LOWER, since=at(3, "00:00"))
    for _, stream in STREAMS:
        for event in stream:
            comparison.fold(event)
    comparison.end_of_patients()
    found = comparison.result()
    assert (found.total.before, found.total.after, found.days) == (1, 1, 1)
    assert (found.patients, found.events) == (2, 12)


def test_progress_is_told_and_timers_after_the_last_event_count() -> None:
    rules = PAIN.replace("on: [pain_report]", "absence: {of: [exercise_session], hours: 48}")
    silent = book(
        rules.replace("pain_report.nprs >= limit.severe", "true").replace(
            "Pain {pain_report.nprs} of 10", "Silent"
        )
    )
    moved: list[tuple[int, int]] = []
    until = local(6, at(0, "00:00").time(), "Europe/Berlin")
    short = STREAMS[1:]
    with_end = backtest(silent, silent, short, until=until, moved=lambda *p: moved.append(p))
    assert moved == [(1, 5)]
    assert with_end.total.after > backtest(silent, silent, short).total.after


def test_a_rule_that_fails_is_named() -> None:
    failing = book(PAIN.replace("limit.severe", "10u / (pain_report.nprs - pain_report.nprs)"))
    found = backtest(book(), failing, STREAMS)
    assert found.failures == ("pain: INVALID_ARGUMENT: divide by zero (4 times)",)


def test_a_book_against_itself_differs_in_nothing_over_a_simulated_month() -> None:
    streams: dict[str, list[RecordedEvent]] = {}
    for timed in simulate(2, start=at(0, "00:00"), days=30, patients=3):
        envelope = timed.event.envelope
        stream = streams.setdefault(envelope.subject_id, [])
        one = RecordedEvent(envelope=envelope, body=timed.event.body.SerializeToString())
        one.envelope.recorded_at.FromDatetime(timed.at)
        one.envelope.stream_version = len(stream) + 1
        stream.append(one)
    found = backtest(shipped(), shipped(), streams.items())
    assert found.total.before == found.total.after > 50
    assert (found.total.more, found.total.fewer, found.failures) == (0, 0, ())


def _lines(lines: Iterable[str]) -> str:
    return "\n".join(lines)


def test_an_explanation_shows_the_figures_their_limits_and_their_sources() -> None:
    rules = PAIN.replace(
        "pain_report.nprs >= limit.severe",
        "pain_report.nprs >= limit.severe && patient.pain.count_7d > 0u"
        " && (!has(patient.pain.rise) || patient.pain.rise > 0u)",
    )
    recorded = events(pain(0, "10:00", 8))
    (firing,) = fold(Engine(book(rules)), recorded)
    told = explain(firing, book(rules))
    assert {fact.name: fact.value for fact in told.facts} == {
        "limit.severe": "7",
        "patient.pain.count_7d": "1",
        "patient.pain.rise": "absent",
    }
    shown = _lines(told.lines())
    assert "limit.severe = 7 {score} (a study)" in shown
    assert recorded[-1].envelope.event_id in shown
    assert "because" in shown


def test_a_firing_of_a_rule_that_is_gone_is_explained_as_far_as_it_goes() -> None:
    (firing,) = fold(Engine(book()), events(pain(0, "10:00", 8)))
    told = explain(firing, book(PAIN.replace("id: pain", "id: other")))
    assert (told.condition, told.rule_id) == ("", "pain")
