"""An alert that is open stands for later firings of its rule: they are counted, and wake nobody."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rehab.events.v1 import common_pb2
from rehab_policy.domain.actions import events_of
from rehab_policy.domain.backtest import backtest
from rehab_policy.domain.engine import Engine, Live
from rehab_policy.domain.firing import Firing
from rehab_policy.domain.given import PATIENT, Given
from rehab_policy.domain.snapshot import dump, load
from tests.policy.domain.books import PAIN, book, event, events, fold, pain, problems, shipped, told
from tests.policy.domain.test_engine import CHAIN, NUDGE, at

MERGING = PAIN.replace("cooldown: 1d", "cooldown: 1h\n    merge: true")
KEYED = MERGING.replace("merge: true", "merge: true\n    key: pain_report.session_id")
DAILY = [pain(day, "10:00", 8) for day in range(3)]


def answered(day: int, clock: str, alert_id: str, **action: object) -> Given:
    return event(day, clock, "alert", {"alert_id": alert_id, **action})


def _raised() -> Firing:
    (raised,) = fold(Engine(book(MERGING)), events(DAILY[0]))
    return raised


def test_a_firing_while_the_alert_is_open_is_counted_and_raises_no_other() -> None:
    first, second, third = fold(Engine(book(MERGING)), events(*DAILY))
    assert told([first, second, third]) == [
        ("pain", "decided"),
        ("pain", "recurred"),
        ("pain", "recurred"),
    ]
    assert {one.alert_id for one in (first, second, third)} == {first.alert_id}
    assert [one.times for one in (first, second, third)] == [1, 2, 3]
    (event_of_it,) = events_of(third)
    assert event_of_it.envelope.event_id == third.firing_id
    recurred = event_of_it.body.alert.recurred
    assert (recurred.times, recurred.rule_version) == (3, 2)
    assert list(recurred.input_event_ids) == [third.cause_id]


def test_each_firing_has_the_id_it_would_have_without_merging() -> None:
    plain = fold(Engine(book(MERGING.replace("merge: true", "merge: false"))), events(*DAILY))
    merged = fold(Engine(book(MERGING)), events(*DAILY))
    assert [one.firing_id for one in merged] == [one.firing_id for one in plain]
    assert [one.outcome for one in plain] == ["decided"] * 3


def test_an_alert_that_is_taken_stands_still_and_one_that_is_resolved_no_more() -> None:
    first = _raised()
    taken = answered(0, "12:00", first.alert_id, acknowledged={})
    assert told(fold(Engine(book(MERGING)), events(*DAILY[:2], taken)))[-1] == ("pain", "recurred")
    ended = answered(0, "12:00", first.alert_id, resolved={"outcome": "acted"})
    found = fold(Engine(book(MERGING)), events(*DAILY, ended))
    assert [one.outcome for one in found] == ["decided", "decided", "recurred"]
    assert found[1].alert_id == found[2].alert_id != first.alert_id
    assert found[2].times == 2


def test_alerts_of_different_keys_do_not_stand_for_each_other() -> None:
    engine = Engine(book(KEYED.replace("pain_report.session_id", "string(pain_report.nprs)")))
    found = fold(engine, events(pain(0, "10:00", 8), pain(0, "12:00", 9), pain(0, "14:00", 8)))
    assert [one.outcome for one in found] == ["decided", "decided", "recurred"]
    assert found[2].alert_id == found[0].alert_id


@pytest.mark.parametrize(
    ("then", "outcome"), [("critical", "decided"), ("high", "recurred"), ("low", "recurred")]
)
def test_what_has_become_more_severe_is_told_anew(then: str, outcome: str) -> None:
    before = replace(book(MERGING), sha256="1")
    later = book(MERGING.replace("severity: high", f"severity: {then}"))
    engine = Engine([Live(at(0, "00:00"), before), Live(at(1, "00:00"), later)])
    found = fold(engine, events(*DAILY[:2]))
    assert [one.outcome for one in found] == ["decided", outcome]


def test_another_alert_of_the_group_is_not_swallowed_by_one_that_is_open() -> None:
    rules = MERGING.replace("merge: true", "merge: true\n    group: pain")
    other = PAIN.replace("id: pain", "id: other").replace(
        "cooldown: 1d", "cooldown: 1d\n    group: pain"
    )
    engine = Engine(book(rules + other.replace("limit.severe", "9u")))
    found = fold(engine, events(pain(0, "10:00", 8), pain(0, "12:00", 9)))
    assert told(found) == [("pain", "decided"), ("pain", "recurred"), ("other", "decided")]


def test_a_cooldown_holds_back_what_would_recur() -> None:
    found = fold(Engine(book(MERGING)), events(pain(0, "10:00", 8), pain(0, "10:30", 8)))
    assert [one.outcome for one in found] == ["decided"]


def test_an_alert_escalates_by_when_it_was_raised_whatever_recurs() -> None:
    chained = PAIN.replace("cooldown: 1d", CHAIN.replace("1d", "30min") + "\n    merge: true")
    recorded = events(pain(0, "10:00", 8), pain(0, "10:45", 8), pain(0, "15:00", 1))
    found = fold(Engine(book(chained)), recorded)
    assert [(one.outcome, one.at) for one in found] == [
        ("decided", at(0, "10:00")),
        ("recurred", at(0, "10:45")),
        ("escalated", at(0, "11:00")),
        ("escalated", at(0, "12:00")),
    ]


def test_what_is_in_the_shadow_stands_for_nothing() -> None:
    shadow = book(MERGING.replace("merge: true", "merge: true\n    mode: shadow"))
    found = fold(Engine(shadow), events(*DAILY))
    assert [(one.outcome, one.shadow) for one in found] == [("decided", True)] * 3


def test_the_fast_lane_makes_the_same_emergencies_beside_rules_that_merge() -> None:
    urgent = PAIN.replace("id: pain", "id: urgent").replace("cooldown: 1d", "emergency: true")
    engine = Engine(book(MERGING.replace("severity: high", "severity: critical") + urgent))
    recorded = events(*DAILY)
    folded = [one for one in fold(engine, recorded) if one.emergency]
    ahead = [one for event in recorded for one in engine.emergencies(event)]
    assert [(one.firing_id, one.alert_id, one.outcome) for one in folded] == [
        (one.firing_id, one.alert_id, "decided") for one in ahead
    ]
    assert len({one.alert_id for one in ahead}) == 3, "each emergency is an alert of its own"


def test_a_state_that_was_written_down_goes_on_counting() -> None:
    engine = Engine(book(MERGING))
    state = engine.start(PATIENT)
    *first, last = events(*DAILY)
    for one in first:
        engine.step(state, one)
    (third,) = engine.step(load(dump(state)), last).firings
    assert (third.outcome, third.times) == ("recurred", 3)


def test_a_backtest_shows_what_merging_spares() -> None:
    found = backtest(
        book(MERGING.replace("merge: true", "merge: false")),
        book(MERGING),
        [(PATIENT, events(*DAILY))],
    )
    told_of = found.rules["pain", "alert"]
    assert (told_of.before, told_of.after, told_of.fewer, told_of.merged) == (3, 1, 2, 2)
    assert found.load_after[0].alerts == 1


@pytest.mark.parametrize("change", ["cooldown: 1d", "emergency: true"])
def test_emergencies_and_nudges_never_merge(change: str) -> None:
    rules = NUDGE if change == "cooldown: 1d" else PAIN
    found = problems(rules.replace("cooldown: 1d", f"{change}\n    merge: true"))
    assert any("`merge` is of an alert that is no emergency" in one for one in found), found
    wrong = problems(PAIN.replace("cooldown: 1d", "cooldown: 1d\n    merge: sometimes"))
    assert any("must be true or false" in one for one in wrong)


def test_the_shipped_book_merges_nothing_that_is_critical() -> None:
    merging = [rule for rule in shipped().rules if rule.merge]
    assert merging
    assert all(rule.severity < common_pb2.SEVERITY_CRITICAL for rule in merging)
