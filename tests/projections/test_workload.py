"""The history of work items, who has how much to do, and what to do about it."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from rehab_clinical.days import UTC_ZONE

from rehab_projections.domain import rules
from rehab_projections.domain.signals import Reason
from rehab_projections.domain.templates import minutes_for, templates
from rehab_projections.domain.work_episodes import Episode, episodes
from rehab_projections.domain.work_queue import WorkItem, standing, work_item
from rehab_projections.domain.workload import loads, work_days
from tests.projections.ask import history_of
from tests.projections.given import PATIENT, at, body, event, pain
from tests.projections.given_care import by_clinician

NOON = at("2026-03-02T12:00")
HOUR = timedelta(hours=1)


def closed(number: int, when: datetime, who: str = "ann"):
    told = {"item_id": f"work:{PATIENT}", "closed": {"outcome": "contacted"}}
    return by_clinician(number, when, body(review=told), who)


def assigned(number: int, who: str):
    told = {"item_id": f"work:{PATIENT}", "assigned": {"therapist_id": who}}
    return by_clinician(number, NOON, body(review=told))


def alert(number: int, when: datetime, **action):
    return by_clinician(number, when, body(alert={"alert_id": "a1", **action}))


RAISED = {"rule_id": "r", "rule_version": 1, "severity": "SEVERITY_HIGH"}


def episodes_of(*events) -> list[Episode]:
    return episodes(history_of(events).care)


def test_an_episode_runs_from_its_first_reason_to_its_closing():
    (one,) = episodes_of(
        event(1, NOON, pain(8)), event(2, NOON + HOUR, pain(9)), closed(3, NOON + 2 * HOUR)
    )
    assert (one.opened_at, one.closed_at, one.severity) == (NOON, NOON + 2 * HOUR, rules.CRITICAL)
    assert (one.due_at, one.answered_in_time) == (NOON + HOUR, False)
    assert (one.closed_by, one.outcome) == ("ann", "contacted")


def test_a_reason_after_the_closing_opens_another_episode():
    first, second = episodes_of(
        event(1, NOON, pain(8)), closed(2, NOON + HOUR / 2), event(3, NOON + HOUR, pain(9))
    )
    assert (first.answered_in_time, first.number) == (True, 1)
    assert (second.closed_at, second.opened_at, second.number) == (None, NOON + HOUR, 2)


def test_what_the_log_learns_late_belongs_to_the_next_episode():
    events = (event(1, NOON, pain(8)), closed(2, NOON + HOUR), event(3, NOON - HOUR, pain(9)))
    assert [one.opened_at for one in episodes_of(*events)] == [NOON, NOON - HOUR]


def test_an_alert_that_is_resolved_ends_its_episode_by_itself():
    (one,) = episodes_of(
        alert(1, NOON, raised=RAISED), alert(2, NOON + HOUR, resolved={"outcome": "acted"})
    )
    assert (one.severity, one.closed_at, one.closed_by) == (rules.HIGH, NOON + HOUR, "ann")
    assert one.outcome == "acted"


def test_a_resolved_alert_does_not_end_what_has_another_reason():
    (one,) = episodes_of(
        alert(1, NOON, raised=RAISED),
        event(3, NOON, pain(8)),
        alert(2, NOON + HOUR, resolved={"outcome": "acted"}),
    )
    assert one.closed_at is None


def test_a_closing_without_a_reason_from_events_has_no_severity():
    (one,) = episodes_of(closed(1, NOON))
    assert (one.severity, one.opened_at, one.closed_at) == (0, NOON, NOON)


def test_days_tell_what_came_what_was_answered_and_what_was_left():
    told = episodes_of(
        event(1, NOON, pain(8)),
        closed(2, NOON + HOUR / 2),
        event(3, NOON + 2 * HOUR, pain(9)),
        closed(4, NOON + 26 * HOUR),
        event(5, NOON + 27 * HOUR, pain(9)),
    )
    first, second = work_days(told, date(2026, 3, 2), date(2026, 3, 3), UTC_ZONE)
    assert (first.opened, first.closed, first.in_time, first.late) == (2, 1, 1, 0)
    assert (first.open_at_end, first.overdue_at_end, first.median_answer_s) == (1, 1, 1800)
    assert (second.opened, second.closed, second.in_time, second.late) == (1, 1, 0, 1)
    assert (second.open_at_end, second.median_answer_s) == (1, 24 * 3600)


def items_of(*events, as_of: datetime) -> list[WorkItem]:
    item = work_item(PATIENT, standing(history_of(events).care), None, None, as_of)
    return [item] if item else []


def test_a_load_is_what_is_open_beside_how_fast_it_is_answered():
    events = (
        assigned(1, "ann"),
        event(2, NOON, pain(8)),
        closed(3, NOON + HOUR / 2),
        event(4, NOON + HOUR, pain(9)),
    )
    as_of = NOON + 5 * HOUR
    (ann,) = loads(items_of(*events, as_of=as_of), ["ann"], episodes_of(*events), as_of)
    assert (ann.therapist_id, ann.patients, ann.open(rules.CRITICAL)) == ("ann", 1, 1)
    assert (ann.overdue, ann.closed, ann.in_time, ann.median_answer_s) == (1, 1, 1, 1800)
    assert (ann.expected_minutes, ann.days_of_work) == (15, 28)


def test_closings_older_than_four_weeks_count_for_nothing():
    events = (event(2, NOON, pain(8)), closed(3, NOON + HOUR))
    as_of = NOON + timedelta(days=29)
    assert loads([], [], episodes_of(*events), as_of) == []
    (ann,) = loads([], ["ann"], episodes_of(*events), as_of)
    assert (ann.closed, ann.days_of_work, ann.median_answer_s) == (0, None, None)


def test_every_reason_that_can_arise_has_a_template():
    told = templates()
    assert {one.code for one in told} >= {
        rule.code for rule in vars(rules).values() if isinstance(rule, rules.Rule)
    }
    assert [one.severity for one in told] == sorted((one.severity for one in told), reverse=True)
    assert all(one.steps and one.minutes and one.words and one.source for one in told)


def test_one_conversation_serves_all_reasons_of_an_item():
    reasons = [Reason(code, 1, NOON, (), "") for code in ("fall", "pain_rise", "unknown")]
    assert minutes_for(reasons) == 20
