"""Rows of the worksheet and how far they have come; what can still be done in time."""

from __future__ import annotations

import json
import re
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from rehab.events.v1 import event_pb2
from rehab_projections.domain import rtm
from rehab_projections.domain.rtm_gaps import Gap, gaps
from rehab_projections.domain.rtm_months import management_months
from rehab_projections.domain.rtm_policy import MSK, policy_on
from rehab_projections.domain.rtm_worksheet import Row, State, row
from tests.projections.given import at, event, facts, pain
from tests.projections.given_care import billed, by_clinician, monitoring, talked, worked
from tests.projections.test_rtm import LATER, START, papers, periods_of, reported

BERLIN = ZoneInfo("Europe/Berlin")
DAY = timedelta(days=1)
PERIOD = "rtm-device-2026-03-02"
CODES = ["98975", "98977"]


def month_of_care() -> list[event_pb2.Event]:
    return [*papers(), event(3, START, monitoring()), *reported(0, 16)]


def first_row(events: list[event_pb2.Event], as_of: datetime = LATER) -> Row:
    record = rtm.fold(fact for fact in facts(events) if fact.kind in rtm.KINDS)
    return row(periods_of(events, as_of)[0], record)


def ids(told: Row) -> list[str]:
    return [proof.event_id for proof in told.evidence]


def test_a_row_is_open_until_its_period_is_over_and_proposes_nothing():
    told = first_row(month_of_care(), START + 20 * DAY)
    assert (told.state, told.proposed) == (State.OPEN, ())
    assert told.figures.item_id == PERIOD


def test_a_row_is_ready_with_its_codes_and_all_events_that_prove_them():
    told = first_row(month_of_care())
    assert told.state == State.READY
    assert [code for code, _ in told.proposed] == CODES
    positions = [proof.position for proof in told.evidence]
    assert positions == list(range(1, 20))


def test_a_blocked_row_proposes_nothing():
    told = first_row([event(3, START, monitoring()), *reported(0, 16)])
    assert (told.state, told.proposed) == (State.BLOCKED, ())


def test_an_approved_row_stays_so_as_long_as_its_evidence_does():
    events = month_of_care()
    evidence = ids(first_row(events))
    events.append(by_clinician(50, LATER, billed(PERIOD, "APPROVED", CODES, evidence)))
    told = first_row(events)
    assert (told.state, told.approved_by, told.approved_codes) == (
        State.APPROVED,
        "ann",
        tuple(CODES),
    )
    events.append(by_clinician(51, LATER, billed(PERIOD, "EXPORTED", CODES, evidence)))
    assert first_row(events).state == State.EXPORTED


def test_a_late_event_reopens_an_approved_row_and_shows_the_difference():
    events = month_of_care()
    evidence = ids(first_row(events))
    gone = "0190aaaa-0000-7000-8000-000000000000"
    events.append(by_clinician(50, LATER, billed(PERIOD, "APPROVED", CODES, [*evidence, gone])))
    late = event(60, START + 20 * DAY, pain(2))
    events.append(late)
    told = first_row(events)
    assert told.state == State.REOPENED
    assert told.added == (late.envelope.event_id,)
    assert told.removed == (gone,)


def test_evidence_that_is_gone_reopens_an_approved_row():
    events = [*month_of_care(), event(60, START + 20 * DAY, pain(2))]
    evidence = ids(first_row(events))
    events.append(by_clinician(50, LATER, billed(PERIOD, "APPROVED", CODES, evidence)))
    assert first_row(events).state == State.APPROVED
    # One of 17 days is corrected away: 16 prove the same codes, but not as they were approved.
    fewer = first_row([one for one in events if one.envelope.event_id != evidence[-1]])
    assert (fewer.state, fewer.removed) == (State.REOPENED, (evidence[-1],))


def test_a_withdrawn_approval_makes_the_row_ready_again():
    events = month_of_care()
    evidence = ids(first_row(events))
    events.append(by_clinician(50, LATER, billed(PERIOD, "APPROVED", CODES, evidence)))
    events.append(by_clinician(51, LATER, billed(PERIOD, "WITHDRAWN", CODES)))
    told = first_row(events)
    assert (told.state, told.approved_by) == (State.READY, "")


def test_the_hash_of_the_inputs_follows_the_evidence_and_not_its_positions():
    events = month_of_care()
    told = first_row(events)
    assert first_row(list(reversed(events))).sha256 == told.sha256
    assert first_row([*events, event(60, START + 20 * DAY, pain(2))]).sha256 != told.sha256


def gaps_of(events: list[event_pb2.Event], as_of: datetime) -> list[Gap]:
    known = [one for one in facts(events) if one.stamp.at <= as_of]
    record = rtm.fold(fact for fact in known if fact.kind in rtm.KINDS)
    today = date(as_of.year, as_of.month, as_of.day)
    months = management_months(record, today, today, BERLIN, as_of, "medicare")
    return gaps(periods_of(events, as_of), months, BERLIN, BERLIN, as_of)


def test_two_days_short_with_five_left_is_a_gap():
    events = [*papers(), event(3, START, monitoring()), *reported(0, 14)]
    (gap,) = gaps_of(events, START + 25 * DAY)
    assert gap == Gap("days_short", 2, 5, date(2026, 3, 31), PERIOD)


def test_a_month_with_work_and_no_live_contact_is_a_gap():
    work = by_clinician(4, START, worked("e1", START, 31))
    codes = [(gap.code, gap.missing) for gap in gaps_of([*papers(), work], at("2026-03-20T09:00"))]
    assert codes == [("minutes_short", 9), ("no_live_interaction", 0)]
    call = event(5, START, talked(START))
    again = gaps_of([*papers(), work, call], at("2026-03-20T09:00"))
    assert [(gap.code, gap.days_left) for gap in again] == [("minutes_short", 12)]


def test_what_is_over_is_no_gap():
    events = [event(3, START, monitoring()), *reported(0, 14)]
    ended = [*events, event(90, START + 15 * DAY, monitoring(active=False))]
    assert gaps_of(ended, START + 20 * DAY) == []


PAGE = Path(__file__).parents[2] / "docs" / "domain" / "billing.md"
CASES = [
    case
    for block in re.findall(r"```json vector\n(.*?)```", PAGE.read_text(), re.DOTALL)
    for case in json.loads(block)["cases"]
]


@pytest.mark.parametrize("case", CASES, ids=json.dumps)
def test_the_published_codes_are_those_of_the_policy(case: dict[str, Any]):
    policy = policy_on(date.fromisoformat(case["on"]))
    if "days" in case:
        told = (policy.supply(MSK, case["days"]), policy.next_days(case["days"]))
        assert told == (case["supply"], case["next_days"])
    else:
        minutes = case["minutes"]
        assert dict(policy.management(minutes)) == case["codes"]
        assert policy.next_minutes(minutes) == case["next_minutes"]


def test_codes_are_published():
    assert len(CASES) == 10
