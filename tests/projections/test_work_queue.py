from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from rehab_clinical.days import first_zone
from rehab_clinical.sessions import active_at

from rehab_projections.domain import rules
from rehab_projections.domain.absence import drop_since
from rehab_projections.domain.history import as_session
from rehab_projections.domain.work_queue import Status, WorkItem, standing, work_item
from tests.projections.ask import history_of
from tests.projections.given import (
    PATIENT,
    at,
    body,
    ended,
    event,
    facts,
    item,
    pain,
    paused,
    prescribed,
    resumed,
    whole_session,
)

MONDAY = at("2026-03-02T08:00")
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def symptom(code: str, severity: str = "SEVERITY_UNSPECIFIED", text: str = ""):
    told = {"code": code, "severity": severity, "text": text}
    return body(symptom_report={"symptom": told})


def fall(*, near: bool = False):
    return body(symptom_report={"fall": {"near": near}})


def review(**action):
    return body(review={"item_id": f"work:{PATIENT}", **action})


CLOSED = review(closed={"outcome": "contacted"})


def snoozed(until: str):
    return review(snoozed={"until": until})


def alert(alert_id: str = "alert-1", **action):
    return body(alert={"alert_id": alert_id, **action})


RAISED = alert(raised={"rule_id": "hr.high", "rule_version": 2, "severity": "SEVERITY_HIGH"})


def item_of(events, as_of: datetime = MONDAY) -> WorkItem | None:
    """The work item of a patient whose log holds these events, in this order."""
    told = facts(events)
    history = history_of(events)
    exercised = [active_at(f) for f in told if f.kind in ("exercise_session", "rep_observation")]
    zone = first_zone(history.care.zone_name())
    sessions = [as_session(record) for record in history.sessions.values()]
    dropped = drop_since(history.care.plans.as_of(as_of), sessions, as_of, zone)
    last = max(exercised, default=None)
    return work_item(PATIENT, standing(history.care), last, dropped, as_of)


def codes(found: WorkItem | None) -> list[tuple[str, int]]:
    return [(reason.code, reason.severity) for reason in found.reasons] if found else []


def at_hour(hours: float) -> datetime:
    return MONDAY + hours * HOUR


@pytest.mark.parametrize(
    ("content", "reasons"),
    [
        (pain(6), []),
        (pain(7), [("pain_severe", rules.CRITICAL)]),
        (fall(), [("fall", rules.CRITICAL)]),
        (fall(near=True), [("near_fall", rules.HIGH)]),
        (symptom("chest_pain"), [("red_flag_symptom", rules.CRITICAL)]),
        (symptom("", text="dolor"), [("unmapped_symptom", rules.HIGH)]),
        (symptom("", "SEVERITY_CRITICAL"), [("unmapped_symptom", rules.CRITICAL)]),
        (symptom("soreness"), [("unmapped_symptom", rules.LOW)]),
        (RAISED, [("alert", rules.HIGH)]),
        (
            review(opened={"reason": "call_back", "severity": "SEVERITY_HIGH"}),
            [("manual", rules.HIGH)],
        ),
        (review(opened={"reason": "call_back"}), [("manual", rules.LOW)]),
    ],
)
def test_an_event_is_a_reason_by_its_rule(content, reasons):
    assert codes(item_of([event(1, MONDAY, content)])) == reasons


@pytest.mark.parametrize(
    ("before", "after", "reasons"),
    [
        (3, 4, []),
        (3, 5, [("pain_rise", rules.HIGH)]),
        (4, 5, [("pain_rise", rules.LOW)]),
        (5, 5, []),
        (6, 7, [("pain_severe", rules.CRITICAL), ("pain_rise", rules.LOW)]),
    ],
)
def test_a_rise_of_pain_is_a_reason_by_its_size_and_level(before, after, reasons):
    events = [event(1, MONDAY, pain(before)), event(2, at_hour(1), pain(after))]
    assert codes(item_of(events)) == reasons


def test_a_late_report_between_two_others_changes_the_rise():
    first, last = event(1, MONDAY, pain(2)), event(3, at_hour(2), pain(5))
    between = event(2, at_hour(1), pain(4))
    assert codes(item_of([first, last])) == [("pain_rise", rules.HIGH)]
    late = item_of([first, last, between])
    assert codes(late) == codes(item_of([first, between, last]))
    assert late is not None
    assert late.reasons[0].event_ids == (between.envelope.event_id,)


def test_the_most_severe_reason_wins_and_the_first_to_arise_tells_how_long_one_waits():
    found = item_of([event(1, MONDAY, fall(near=True)), event(2, at_hour(3), fall())])
    assert found is not None
    assert (found.severity, found.waiting_since) == (rules.CRITICAL, MONDAY)
    assert found.due_at == at_hour(4)  # the fall within the hour, the near fall within a day
    assert not found.overdue(at_hour(3.9))
    assert found.overdue(at_hour(4))


def test_the_list_is_ordered_by_severity_then_waiting_then_patient():
    def of(patient: str, content, hours: float) -> WorkItem:
        history = history_of([event(1, at_hour(hours), content)])
        found = work_item(patient, standing(history.care), None, None, at_hour(9))
        assert found is not None
        return found

    near, later, same = fall(near=True), fall(), fall()
    listed = sorted(
        [of("a", near, 0), of("d", same, 2), of("c", later, 2), of("b", same, 3)],
        key=WorkItem.order,
    )
    assert [one.patient_id for one in listed] == ["c", "d", "b", "a"]


def test_nothing_of_a_patient_without_reasons_is_on_the_list():
    assert item_of([event(1, MONDAY, pain(3))]) is None


def test_closing_settles_every_reason_known_and_keeps_them_on_the_done_list():
    found = item_of([event(1, MONDAY, fall()), event(2, at_hour(1), CLOSED)])
    assert found is not None
    assert (found.status, codes(found)) == (Status.DONE, [("fall", rules.CRITICAL)])


def test_a_closed_item_opens_again_for_an_event_recorded_later_however_early_it_happened():
    events = [event(1, MONDAY, fall()), event(2, at_hour(9), CLOSED)]
    from_an_offline_phone = event(3, at_hour(-48), pain(9))
    found = item_of([*events, from_an_offline_phone])
    assert found is not None
    assert (found.status, codes(found)) == (Status.OPEN, [("pain_severe", rules.CRITICAL)])


def test_a_closing_recorded_before_its_evidence_does_not_settle_it():
    events = [event(2, at_hour(9), CLOSED), event(1, MONDAY, fall())]
    found = item_of(events)
    assert found is not None
    assert found.status == Status.OPEN


def test_a_snooze_holds_until_its_time():
    events = [event(1, MONDAY, fall()), event(2, at_hour(1), snoozed("2026-03-03T08:00:00Z"))]
    asleep = item_of(events, at_hour(23))
    assert asleep is not None
    assert (asleep.status, asleep.snoozed_until) == (Status.SNOOZED, at_hour(24))
    awake = item_of(events, at_hour(24))
    assert awake is not None
    assert (awake.status, awake.snoozed_until) == (Status.OPEN, None)


def test_a_snooze_ends_when_something_new_arises():
    events = [
        event(1, MONDAY, fall(near=True)),
        event(2, at_hour(1), snoozed("2026-03-09T08:00:00Z")),
        event(3, at_hour(2), fall()),
    ]
    found = item_of(events, at_hour(3))
    assert found is not None
    assert found.status == Status.OPEN


def test_an_item_belongs_to_whom_it_was_assigned_and_else_to_the_leading_therapist():
    def joins(name: str, *, primary: bool, action: str = "ASSIGNED"):
        return body(
            care_team={
                "therapist_id": name,
                "primary": primary,
                "action": f"CARE_TEAM_ACTION_{action}",
            }
        )

    team = [
        event(1, at_hour(-9), joins("ann", primary=True)),
        event(2, at_hour(-8), joins("bob", primary=False)),
    ]
    reason = event(3, MONDAY, fall())
    owned = item_of([*team, reason])
    left = event(4, MONDAY, joins("ann", primary=True, action="RELEASED"))
    handed = event(5, at_hour(1), review(assigned={"therapist_id": "cy"}))
    assert owned is not None
    assert owned.therapist_id == "ann"
    assert (after := item_of([*team, reason, left])) is not None
    assert after.therapist_id == "bob"
    assert (given := item_of([*team, reason, handed])) is not None
    assert given.therapist_id == "cy"


def test_an_alert_is_a_reason_until_it_is_resolved():
    raised = event(1, MONDAY, RAISED)
    acknowledged = event(2, at_hour(1), alert(acknowledged={}))
    resolved = event(3, at_hour(2), alert(resolved={"outcome": "acted"}))
    assert codes(item_of([raised, acknowledged])) == [("alert", rules.HIGH)]
    assert item_of([raised, resolved]) is None
    assert item_of([resolved, raised]) is None


def test_a_snoozed_alert_is_hidden_until_its_time():
    until = alert(snoozed={"until": "2026-03-02T10:00:00Z"})
    events = [event(1, MONDAY, RAISED), event(2, at_hour(1), until)]
    assert item_of(events, at_hour(1.9)) is None
    assert codes(item_of(events, at_hour(2))) == [("alert", rules.HIGH)]


def test_an_escalated_alert_opens_a_closed_item():
    escalated = alert(escalated={"level": 1, "to": "lead"})
    events = [event(1, MONDAY, RAISED), event(2, at_hour(1), CLOSED)]
    closed = item_of(events)
    assert closed is not None
    assert closed.status == Status.DONE
    opened = item_of([*events, event(3, at_hour(2), escalated)])
    assert opened is not None
    assert opened.status == Status.OPEN


def test_an_alert_whose_rule_fires_again_stays_one_reason_since_it_was_raised():
    events = [event(1, MONDAY, RAISED), event(2, at_hour(5), alert(recurred={"times": 2}))]
    item = item_of(events)
    assert item is not None
    (reason,) = item.reasons
    second = events[1].envelope.event_id
    assert (reason.code, reason.severity, reason.since) == ("alert", rules.HIGH, MONDAY)
    assert reason.event_ids == (*item_of(events[:1]).reasons[0].event_ids, second)


def test_an_alert_whose_rule_fires_again_opens_a_closed_item_until_it_is_resolved():
    again = event(3, at_hour(5), alert(recurred={"times": 2}))
    events = [event(1, MONDAY, RAISED), event(2, at_hour(1), CLOSED), again]
    assert item_of(events).status == Status.OPEN
    assert item_of([*events, event(4, at_hour(6), alert(resolved={"outcome": "acted"}))]) is None


PLAN = event(1, at("2026-02-01T00:00"), prescribed(item(sets=1), effective_from="2026-03-02"))
PLAN_BEGINS = at("2026-03-01T23:00")


def absent(events, as_of: datetime) -> list[tuple[str, int]]:
    return [reason for reason in codes(item_of(events, as_of)) if reason[0] == "no_session"]


@pytest.mark.parametrize(
    ("away", "reasons"),
    [
        (49 * HOUR - timedelta.resolution, []),
        (49 * HOUR, [("no_session", rules.LOW)]),
        (14 * DAY - timedelta.resolution, [("no_session", rules.LOW)]),
        (14 * DAY, [("no_session", rules.HIGH)]),
    ],
)
def test_absence_is_reckoned_from_the_last_session(away, reasons):
    last = event(
        9,
        at("2026-03-05T12:00"),
        body(exercise_session={"session_id": "s", "completed": {"duration_s": 60}}),
    )
    assert absent([PLAN, last], at("2026-03-05T12:00") + away) == reasons


def test_absence_is_reckoned_from_the_plans_beginning_when_there_was_no_session():
    assert absent([PLAN], PLAN_BEGINS + 49 * HOUR - timedelta.resolution) == []
    found = item_of([PLAN], PLAN_BEGINS + 49 * HOUR)
    assert found is not None
    assert found.waiting_since == PLAN_BEGINS + 49 * HOUR


def test_a_patient_without_an_active_plan_is_not_missed():
    pause = event(2, PLAN_BEGINS + 40 * HOUR, paused())
    assert absent([PLAN, pause], PLAN_BEGINS + 30 * DAY) == []
    over = event(2, PLAN_BEGINS + 40 * HOUR, ended())
    assert absent([PLAN, over], PLAN_BEGINS + 30 * DAY) == []
    assert absent([], PLAN_BEGINS + 30 * DAY) == []


def test_after_a_pause_absence_is_reckoned_from_its_end():
    pause = event(2, PLAN_BEGINS + 40 * HOUR, paused())
    again = event(3, PLAN_BEGINS + 10 * DAY, resumed())
    assert absent([PLAN, pause, again], PLAN_BEGINS + 10 * DAY + 48 * HOUR) == []
    assert absent([PLAN, pause, again], PLAN_BEGINS + 10 * DAY + 49 * HOUR) != []


def test_an_absence_closed_by_a_therapist_comes_back_when_the_long_threshold_passes():
    closed = event(2, PLAN_BEGINS + 3 * DAY, CLOSED)
    assert absent([PLAN, closed], PLAN_BEGINS + 14 * DAY - HOUR) == []
    assert absent([PLAN, closed], PLAN_BEGINS + 14 * DAY) == [("no_session", rules.HIGH)]
    again = event(3, PLAN_BEGINS + 15 * DAY, CLOSED)
    assert absent([PLAN, closed, again], PLAN_BEGINS + 29 * DAY - HOUR) == []
    assert absent([PLAN, closed, again], PLAN_BEGINS + 29 * DAY) == [("no_session", rules.HIGH)]


def four_weeks(doses) -> list:
    """A daily plan of 10 repetitions, and what was done on each of its days."""
    begin = at("2026-03-02T08:00")
    events = [PLAN]
    for n, reps in enumerate(doses):
        if reps:
            events += whole_session(100 + 10 * n, f"s{n}", begin + n * DAY, [reps])
    return events


def dropped(events, as_of: datetime) -> datetime | None:
    found = item_of(events, as_of)
    reasons = [r for r in found.reasons if r.code == "adherence_drop"] if found else []
    return reasons[0].since if reasons else None


def test_a_drop_of_three_tenths_of_the_dose_is_a_reason_and_a_smaller_one_is_not():
    on_day_29 = at("2026-03-30T10:00")
    assert dropped(four_weeks([10] * 21 + [7] * 7), on_day_29) == at("2026-03-29T22:00")
    assert dropped(four_weeks([10] * 21 + [8] * 7), on_day_29) is None


def test_a_drop_stands_since_the_first_day_on_which_it_showed():
    events = four_weeks([10] * 21 + [0, 0, 0, 0, 0, 0, 0])
    since = at("2026-03-25T23:00")
    # after three missed days of seven the mean of the week is 4/7, of the days before 1
    assert dropped(events, at("2026-03-26T09:00")) == since
    assert dropped(events, at("2026-03-29T09:00")) == since


def test_a_new_patient_has_nothing_to_drop_from():
    assert dropped(four_weeks([10, 10, 0, 0, 0, 0, 0]), at("2026-03-09T10:00")) is None


def test_a_closed_drop_does_not_come_back_by_itself():
    events = four_weeks([10] * 21 + [0] * 7)
    closed = event(2, at("2026-03-27T09:00"), CLOSED)
    assert dropped([*events, closed], at("2026-03-29T09:00")) is None
