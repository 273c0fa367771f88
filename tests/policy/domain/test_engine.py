"""What the engine decides, and what holds it back."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import pytest

from rehab.events.v1.event_pb2 import RecordedEvent
from rehab_policy.domain.engine import Engine, Live
from rehab_policy.domain.firing import Firing, TimerKind
from rehab_policy.domain.given import CLINIC, PATIENT, Setting, local
from rehab_policy.domain.rules import RuleSet
from tests.policy.domain.books import PAIN, ZONE, book, event, events, fold, pain, told

CHAIN = "cooldown: 1d\n    escalate: [{after: 1h, to: lead}, {after: 2h, to: on_call}]"
NUDGE = """
  - id: nudge
    version: 1
    on: [pain_report]
    when: pain_report.nprs <= 2u
    action: nudge
    cooldown: 1d
    owner: us
    rationale: because
    source: a study
    message: {en: "Well done"}
"""


def at(day: int, clock: str) -> datetime:
    return local(day, time.fromisoformat(clock), ZONE)


def test_a_cooldown_holds_a_rule_back_and_ends() -> None:
    recorded = events(*(pain(day, "10:00", 8) for day in range(3)), pain(0, "11:00", 9))
    fired = fold(Engine(book()), recorded)
    assert [firing.at for firing in fired] == [at(0, "10:00"), at(1, "10:00"), at(2, "10:00")]


def test_firings_of_different_keys_do_not_hold_each_other_back() -> None:
    keyed = book(PAIN.replace("cooldown: 1d", "cooldown: 1d\n    key: string(pain_report.nprs)"))
    recorded = events(*(pain(0, f"1{n}:00", nprs) for n, nprs in enumerate((8, 9, 8, 9, 10))))
    assert [firing.key for firing in fold(Engine(keyed), recorded)] == ["8", "9", "10"]


def test_of_one_cause_and_group_the_most_severe_speaks_for_all() -> None:
    worse = PAIN.replace("id: pain", "id: worse").replace("severity: high", "severity: critical")
    other = PAIN.replace("id: pain", "id: other")
    grouped = (PAIN + worse).replace("cooldown: 1d", "cooldown: 1d\n    group: pain") + other
    fired = fold(Engine(book(grouped)), events(pain(0, "10:00", 8), pain(0, "11:00", 8)))
    assert [(f.rule_id, f.also) for f in fired] == [("worse", ("pain",)), ("other", ())]


def test_an_alert_escalates_until_it_is_acknowledged() -> None:
    engine = Engine(book(PAIN.replace("cooldown: 1d", CHAIN)))
    (raised,) = fold(engine, events(pain(0, "10:00", 8)))
    taken = event(0, "11:30", "alert", {"alert_id": raised.alert_id, "acknowledged": {}})
    recorded = events(pain(0, "10:00", 8), taken, pain(0, "15:00", 1))
    fired = fold(engine, recorded)
    assert told(fired) == [("pain", "decided"), ("pain", "escalated")]
    assert (fired[1].level, fired[1].to, fired[1].at) == (1, "lead", at(0, "11:00"))
    assert fired[1].alert_id == raised.alert_id


def test_a_snoozed_alert_escalates_when_the_snooze_is_over() -> None:
    engine = Engine(book(PAIN.replace("cooldown: 1d", CHAIN)))
    (raised,) = fold(engine, events(pain(0, "10:00", 8)))
    until = {"until": "2026-03-02T13:00:00Z"}
    snoozed = event(0, "10:30", "alert", {"alert_id": raised.alert_id, "snoozed": until})
    fired = fold(engine, events(pain(0, "10:00", 8), snoozed, pain(0, "15:00", 1)))
    assert [firing.at for firing in fired[1:]] == [at(0, "14:00"), at(0, "14:00")]


def test_a_resolved_alert_is_no_open_one() -> None:
    asks = PAIN.replace("pain_report.nprs >= limit.severe", "patient.alerts.open == 0u").replace(
        "cooldown: 1d", "cooldown: 1s"
    )
    engine = Engine(book(asks))
    first = events(pain(0, "10:00", 1))
    (raised,) = fold(engine, first)
    resolved = {"alert_id": raised.alert_id, "resolved": {"outcome": "acted"}}
    recorded = events(
        pain(0, "10:00", 1),
        pain(0, "11:00", 1),
        event(0, "12:00", "alert", resolved),
        pain(0, "13:00", 1),
    )
    assert [firing.at for firing in fold(engine, recorded)] == [at(0, "10:00"), at(0, "13:00")]


def test_a_nudge_waits_for_the_morning_and_is_asked_again_then() -> None:
    engine = Engine(book(NUDGE))
    state = engine.start(PATIENT)
    for one in events(pain(0, "22:00", 1)):
        step = engine.step(state, one)
        assert not step.firings
    (timer,) = step.timers
    assert (timer.kind, timer.due_at) == (TimerKind.DEFERRED, at(1, "08:00"))
    (fired,) = engine.due(state, timer).firings
    assert fired.at == at(1, "08:00")
    assert not engine.due(state, timer).firings, "a timer that has fired is due no more"


def test_quiet_hours_are_the_patients_own() -> None:
    night = "overrides:\n  - {patient: p-test, quiet_hours: ['09:00', '12:00']}\n"
    fired = fold(Engine(book(NUDGE, night)), events(pain(0, "10:00", 1), pain(0, "22:00", 1)))
    assert [firing.at for firing in fired] == [at(0, "12:00")]


def test_quiet_hours_are_those_of_the_zone_the_patient_is_in() -> None:
    here = pain(0, "12:00", 1)
    away = replace(here, envelope={"zone": "Pacific/Honolulu"})
    engine = Engine(book(NUDGE))
    assert len(fold(engine, events(here))) == 1
    assert not fold(engine, events(away)), "noon in Berlin is one in the morning in Honolulu"


def test_an_alert_is_never_deferred() -> None:
    assert len(fold(Engine(book()), events(pain(0, "03:00", 9)))) == 1


def test_a_nudge_without_consent_is_withheld_and_says_why() -> None:
    recorded = events(pain(0, "10:00", 1), setting=Setting(consents=()))
    (fired,) = fold(Engine(book(NUDGE)), recorded)
    assert (fired.outcome, fired.reason) == ("suppressed", "consent")


def test_one_failing_rule_stops_no_other_and_is_told_once() -> None:
    failing = PAIN.replace("id: pain", "id: bad").replace(
        "pain_report.nprs >= limit.severe", "10u / (pain_report.nprs - pain_report.nprs) > 1u"
    )
    engine = Engine(book(failing + PAIN))
    fired = fold(engine, events(*(pain(day, "10:00", 8) for day in range(3))))
    assert [firing.rule_id for firing in fired] == ["pain"] * 3
    assert {(f.name, f.what): n for f, n in engine.failures().items()} == {
        ("bad", "INVALID_ARGUMENT: divide by zero"): 3
    }


def test_a_failing_window_is_told_and_the_others_go_on() -> None:
    windows = """
        windows:
          bad: {count: pain_report, where: 10u / (pain_report.nprs - 8u) > 1u, within: 1d}
          good: {count: pain_report, within: 1d}
        """
    rules = PAIN.replace("pain_report.nprs >= limit.severe", "window.good > 0u")
    engine = Engine(book(rules, windows))
    assert len(fold(engine, events(pain(0, "10:00", 8)))) == 1
    assert [failure.name for failure in engine.failures()] == ["bad"]


def test_failures_name_no_value_of_the_patients() -> None:
    rules = PAIN.replace(
        "pain_report.nprs >= limit.severe", "timestamp(pain_report.session_id) > now"
    )
    engine = Engine(book(rules))
    fold(engine, events(pain(0, "10:00", 8)))
    (failure,) = engine.failures()
    assert "s-1" not in failure.what


def test_the_plans_limit_wins_over_the_patients_the_clinics_and_the_books() -> None:
    head = "overrides:\n  - {clinic: c-test, limits: {severe: 5}}\n"
    both = head + "  - {patient: p-test, limits: {severe: 6}}\n"
    for more, limit in (("", 7), (head, 5), (both, 6)):
        engine = Engine(book(PAIN, more))
        state = engine.start(PATIENT)
        for one in events():
            engine.step(state, one)
        assert engine.limits_of(state) == {"severe": limit}


def test_a_clinic_may_switch_a_rule_off_or_into_shadow() -> None:
    off = "overrides:\n  - {clinic: c-test, rules: {pain: {enabled: false}}}\n"
    shadow = "overrides:\n  - {clinic: c-test, rules: {pain: {mode: shadow}}}\n"
    recorded = events(pain(0, "10:00", 8))
    assert not fold(Engine(book(PAIN, off)), recorded)
    (fired,) = fold(Engine(book(PAIN, shadow)), recorded)
    assert fired.shadow


def test_a_shadow_alert_neither_opens_nor_escalates() -> None:
    quiet = book(PAIN.replace("cooldown: 1d", f"{CHAIN}\n    mode: shadow"))
    engine = Engine(quiet)
    state = engine.start(PATIENT)
    for one in events(pain(0, "10:00", 8)):
        step = engine.step(state, one)
    assert [firing.shadow for firing in step.firings] == [True]
    assert not step.timers
    assert not state.alerts


def test_folding_history_from_before_a_book_went_live_decides_nothing() -> None:
    recorded = events(*(pain(day, "10:00", 8) for day in range(4)))
    live = Engine([Live(at(2, "00:00"), book())])
    assert [firing.at for firing in fold(live, recorded)] == [at(2, "10:00"), at(3, "10:00")]


def test_what_was_folded_before_a_book_went_live_is_known_to_it() -> None:
    windows = "windows:\n  w: {count: pain_report, within: 30d}\n"
    rules = PAIN.replace("pain_report.nprs >= limit.severe", "window.w >= 3u")
    recorded = events(*(pain(day, "10:00", 1) for day in range(4)))
    fired = fold(Engine([Live(at(3, "00:00"), book(rules, windows))]), recorded)
    assert [firing.at for firing in fired] == [at(3, "10:00")]


def test_each_book_decides_in_its_own_time() -> None:
    def numbered(version: int) -> RuleSet:
        return replace(book(), version=version, sha256=str(version))

    engine = Engine([Live(at(2, "00:00"), numbered(2)), Live(at(0, "00:00"), numbered(1))])
    fired = fold(engine, events(*(pain(day, "10:00", 8) for day in range(4))))
    assert [firing.book_version for firing in fired] == [1, 1, 2, 2]


def test_a_corrected_event_is_as_if_it_had_never_been_told() -> None:
    windows = "windows:\n  w: {count: pain_report, within: 30d}\n"
    rules = PAIN.replace("pain_report.nprs >= limit.severe", "window.w >= 2u")
    engine = Engine(book(rules, windows))
    wrong, right, next_one = pain(0, "10:00", 9), pain(0, "11:00", 1), pain(0, "12:00", 1)
    recorded = events(wrong, right, next_one)
    (first,) = [r for r in recorded if r.envelope.kind == "pain_report"][:1]
    recorded[-2].envelope.corrects = first.envelope.event_id
    assert [firing.at for firing in fold(engine, recorded)] == [at(0, "12:00")]


def test_a_correction_that_comes_before_what_it_corrects_voids_it() -> None:
    recorded = events(pain(0, "10:00", 9, late_h=5), pain(0, "11:00", 1))
    late = recorded[-1]
    recorded[-2].envelope.corrects = late.envelope.event_id
    assert not fold(Engine(book()), recorded)


def test_an_erased_patient_is_forgotten_and_nothing_is_due() -> None:
    engine = Engine(book(PAIN.replace("cooldown: 1d", CHAIN)))
    state = engine.start(PATIENT)
    erased = event(0, "10:30", "erasure", {"stage": "ERASURE_STAGE_DONE", "reason": "request"})
    for one in events(pain(0, "10:00", 8), erased):
        step = engine.step(state, one)
    assert not step.timers
    assert (state.pains, state.points, state.alerts, state.told) == ([], {}, {}, {})
    assert not engine.until(state, at(9, "00:00")).firings


def test_an_erased_or_sealed_event_only_moves_the_version_on() -> None:
    engine = Engine(book())
    for change in ({"erased": True, "body": b""}, {"key_id": "k-1"}):
        state = engine.start(PATIENT)
        *before, last = events(pain(0, "10:00", 9))
        for one in before:
            engine.step(state, one)
        closed = RecordedEvent(envelope=last.envelope, body=last.body)
        for name, value in change.items():
            setattr(closed, name, value)
        assert not engine.step(state, closed).firings
        assert state.stream_version == last.envelope.stream_version


def test_an_event_that_comes_twice_changes_nothing() -> None:
    engine = Engine(book(PAIN.replace("cooldown: 1d", "cooldown: 1s")))
    recorded = events(pain(0, "10:00", 8), pain(0, "11:00", 8))
    twice = [one for event in recorded for one in (event, event)]
    assert fold(engine, twice) == fold(engine, recorded)
    assert fold(engine, recorded + recorded[2:]) == fold(engine, recorded)


def test_a_clock_of_the_log_that_goes_back_does_not() -> None:
    engine = Engine(book())
    recorded = events(pain(0, "10:00", 8), pain(1, "11:00", 8))
    recorded[-1].envelope.recorded_at.FromDatetime(at(0, "03:00").astimezone(UTC))
    assert [firing.at for firing in fold(engine, recorded)] == [at(0, "10:00")]


def test_the_fast_lane_makes_the_same_emergency_as_the_fold() -> None:
    urgent = book(PAIN.replace("cooldown: 1d", "emergency: true"))
    engine = Engine(urgent)
    recorded = events(pain(0, "10:00", 8), pain(0, "10:01", 6), pain(0, "10:02", 9))
    folded = fold(engine, recorded)
    fast = [firing for one in recorded for firing in engine.emergencies(one)]
    assert len(folded) == len(fast) == 2

    def plain(firing: Firing) -> Firing:
        return replace(firing, therapist_id="", language="")

    assert [plain(firing) for firing in folded] == [plain(firing) for firing in fast]


def test_the_fast_lane_takes_the_limits_it_is_given() -> None:
    engine = Engine(book(PAIN.replace("cooldown: 1d", "emergency: true")))
    one = events(pain(0, "10:00", 5))[-1]
    assert not engine.emergencies(one)
    assert len(engine.emergencies(one, {"severe": 5})) == 1


def test_the_lead_therapist_and_the_clinic_stand_in_a_firing() -> None:
    (fired,) = fold(Engine(book()), events(pain(0, "10:00", 8)))
    assert (fired.clinic_id, fired.patient_id, fired.therapist_id) == (CLINIC, PATIENT, "t-test")
    assert fired.facts == {"limit.severe": 7}


@pytest.mark.parametrize("days", [1, 30, 400])
def test_what_is_remembered_is_bounded(days: int) -> None:
    windows = "windows:\n  w: {count: pain_report, within: 2d}\n"
    rules = PAIN.replace("pain_report.nprs >= limit.severe", "window.w > 1000u")
    engine = Engine(book(rules, windows))
    state = engine.start(PATIENT)
    for one in events(*(pain(day, "10:00", 1) for day in range(days))):
        engine.step(state, one)
    (parts,) = state.points.values()
    assert len(parts[""].points) <= 2
    assert len(state.pains) <= 61
    assert timedelta(days=61) >= state.pains[-1].stamp.at - state.pains[0].stamp.at


def test_an_event_with_a_day_that_does_not_exist_stops_nothing_that_follows() -> None:
    engine = Engine(book())
    occurrence = {"plan_id": "plan-test", "local_date": "2026-02-31", "slot": "08:00"}
    wrong = event(
        0, "09:00", "exercise_session", {"session_id": "s", "started": {"occurrence": occurrence}}
    )
    assert len(fold(engine, events(wrong, pain(0, "10:00", 8)))) == 1
    assert [failure.name for failure in engine.failures()] == ["event.exercise_session"]
