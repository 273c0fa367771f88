"""Billing evidence: days, minutes, codes and what stands in their way."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from itertools import pairwise, permutations
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rehab.events.v1 import event_pb2
from rehab_projections.domain import rtm
from rehab_projections.domain.monitoring import marks_of
from rehab_projections.domain.rtm_months import ManagementMonth, management_months
from rehab_projections.domain.rtm_periods import DevicePeriod, device_periods
from rehab_projections.domain.rtm_policy import MSK, policy_on
from tests.projections.given import at, event, facts, pain
from tests.projections.given_care import (
    agreed,
    billed,
    by_clinician,
    certified,
    monitoring,
    sample,
    samples,
    talked,
    voided,
    withdrawn,
    worked,
)

LA = ZoneInfo("America/Los_Angeles")
BERLIN = ZoneInfo("Europe/Berlin")
START = at("2026-03-02T10:00")
LATER = at("2026-07-01T00:00")
DAY = timedelta(days=1)


def papers() -> list[event_pb2.Event]:
    return [
        event(1, START - DAY, agreed(START - DAY)),
        event(2, START - DAY, certified("2026-03-01", "2026-12-31")),
    ]


def reported(first: int, count: int, begin: datetime = START) -> list[event_pb2.Event]:
    """A pain report a day."""
    return [event(100 + first + n, begin + n * DAY, pain(3)) for n in range(count)]


def periods_of(
    events: list[event_pb2.Event], as_of: datetime = LATER, zone: ZoneInfo = BERLIN
) -> list[DevicePeriod]:
    known = [fact for fact in facts(events) if fact.stamp.at <= as_of]
    marks = marks_of(known)
    record = rtm.fold(fact for fact in known if fact.kind in rtm.KINDS)
    return device_periods(record, marks, zone, as_of, "medicare")


def month_of(
    events: list[event_pb2.Event], month: str = "2026-03", as_of: datetime = LATER
) -> ManagementMonth:
    first = date.fromisoformat(f"{month}-01")
    record = rtm.fold(fact for fact in facts(events) if fact.kind in rtm.KINDS)
    (told,) = management_months(record, first, first, BERLIN, as_of, "medicare")
    return told


@pytest.mark.parametrize(
    ("days", "supply"),
    [(0, None), (1, None), (2, "98985"), (15, "98985"), (16, "98977"), (30, "98977")],
)
def test_days_with_data_decide_the_device_code(days: int, supply: str | None):
    first = periods_of([*papers(), event(3, START, monitoring()), *reported(0, days)])[0]
    assert (len(first.days), first.supply) == (days, supply)
    assert (first.first.isoformat(), first.last.isoformat()) == ("2026-03-02", "2026-03-31")


def test_before_2026_fifteen_days_prove_nothing():
    assert policy_on(date(2025, 12, 31)).supply(MSK, 15) is None
    assert policy_on(date(2025, 12, 31)).management(15) == ()
    assert policy_on(date(2025, 12, 31)).supply(MSK, 16) == "98977"


def test_readings_of_a_watch_never_count_as_days():
    told = [event(9, START + n * DAY, samples(sample(START, 5, minutes=1))) for n in range(20)]
    assert periods_of([event(3, START, monitoring()), *told])[0].days == ()


def test_evenings_in_los_angeles_are_local_days():
    begin = at("2026-06-01T07:00")
    events = [event(3, begin, monitoring(), zone=LA.key)]
    number = 10
    for n in range(30):
        day = date(2026, 6, 1) + n * DAY
        clock = {1: 17, 3: 17, 5: 17, 2: 7, 6: 7}.get(day.isoweekday())
        if clock:
            when = datetime(day.year, day.month, day.day, clock, 30, tzinfo=LA)
            events.append(event(number, when, pain(2), zone=LA.key))
            number += 1
    (june, *_) = periods_of(events, zone=LA)
    assert len(june.days) == 22
    assert june.supply == "98977"


def test_each_day_is_proved_by_the_positions_of_its_events():
    events = [
        event(3, START, monitoring()),
        event(4, START, pain(1)),
        event(5, START + timedelta(minutes=1), pain(2)),
        event(6, START + timedelta(hours=2), pain(2)),
    ]
    (day,) = periods_of(events)[0].days
    assert [proof.position for proof in day.proofs] == [2, 4]


def test_the_next_window_begins_on_the_day_after_the_thirtieth():
    told = periods_of([event(3, START, monitoring())], as_of=START + 31 * DAY)
    assert [(one.first.isoformat(), one.closed) for one in told] == [
        ("2026-03-02", True),
        ("2026-04-01", False),
    ]


def test_a_start_while_monitoring_is_on_does_not_set_the_clock_back():
    again = event(4, START + 5 * DAY, monitoring())
    told = periods_of([event(3, START, monitoring()), again], as_of=START + 10 * DAY)
    assert [one.first.isoformat() for one in told] == ["2026-03-02"]


def test_after_an_interruption_the_window_goes_on_and_days_without_monitoring_do_not_count():
    events = [
        event(3, START, monitoring()),
        event(4, START + 5 * DAY, monitoring(active=False)),
        event(5, START + 8 * DAY, monitoring()),
        *reported(0, 29),
    ]
    first, second, *_ = periods_of(events)
    assert (first.monitored_until.isoformat(), len(first.days)) == ("2026-03-31", 27)
    assert second.first.isoformat() == "2026-04-01"


def test_a_start_after_the_last_window_begins_a_window_of_its_own():
    events = [
        event(3, START, monitoring()),
        event(4, START + 5 * DAY, monitoring(active=False)),
        event(5, START + 45 * DAY, monitoring()),
        *reported(0, 29),
    ]
    first, second, *_ = periods_of(events)
    assert (first.monitored_until.isoformat(), len(first.days)) == ("2026-03-07", 6)
    assert second.first.isoformat() == "2026-04-16"


def test_set_up_is_billed_once_an_episode():
    told = periods_of([*papers(), event(3, START, monitoring()), *reported(0, 60)])
    assert [one.setup for one in told] == ["98975", None, None, None, None]


def test_without_teaching_there_is_no_set_up():
    first = periods_of([*papers(), event(3, START, monitoring(taught=False)), *reported(0, 9)])[0]
    assert (first.setup, first.blocked_by) == (None, ("education_not_recorded",))


def test_days_missing_are_told_only_while_they_can_be_had():
    events = [*papers(), event(3, START, monitoring()), *reported(0, 14)]
    near = periods_of(events, as_of=START + 25 * DAY)[0]
    assert (near.days_missing, near.days_left) == (2, 5)
    gone = periods_of(events, as_of=START + 29 * DAY)[0]
    assert (gone.days_missing, gone.days_left) == (None, 1)


def test_what_is_missing_blocks_the_codes():
    told = periods_of([event(3, START, monitoring(system="UNSPECIFIED"))])[0]
    assert set(told.blocked_by) == {
        "no_consent",
        "no_plan_of_care",
        "system_unknown",
        "too_few_days",
    }
    paid = [*papers(), event(3, START, monitoring()), *reported(0, 16)]
    assert periods_of(paid)[0].blocked_by == ()
    over = [*paid, event(9, START - timedelta(hours=1), withdrawn(START - timedelta(hours=12)))]
    assert periods_of(over)[0].blocked_by == ("no_consent",)
    rpm = [*paid, event(9, START + 40 * DAY, billed("rpm-2026-03", "APPROVED", ["99454"]))]
    assert periods_of(rpm)[0].blocked_by == ("rpm_billed",)
    back = event(10, START + 41 * DAY, billed("rpm-2026-03", "WITHDRAWN", ["99454"]))
    assert periods_of([*rpm, back])[0].blocked_by == ()


@pytest.mark.parametrize(
    ("minutes", "codes"),
    [
        (9, ()),
        (10, (("98979", 1),)),
        (19.99, (("98979", 1),)),
        (20, (("98980", 1),)),
        (39, (("98980", 1),)),
        (40, (("98980", 1), ("98981", 1))),
        (85, (("98980", 1), ("98981", 3))),
    ],
)
def test_whole_minutes_of_a_month_decide_the_management_codes(minutes: float, codes: Any):
    told = month_of([by_clinician(4, START, worked("e1", START, minutes))])
    assert told.supported == codes


def test_overlapping_entries_of_one_clinician_count_once_and_of_two_twice():
    half = timedelta(minutes=5)
    events = [
        by_clinician(4, START, worked("e1", START, 10)),
        by_clinician(5, START, worked("e2", START + half, 10)),
        by_clinician(6, START, worked("e3", START + half, 10), who="bob", credential="PTA"),
    ]
    told = month_of([*papers(), *events])
    assert told.minutes == 25
    assert [(one.clinician_id, one.worked) for one in told.clinicians] == [
        ("ann", 3 * half),
        ("bob", 2 * half),
    ]
    assert told.modifiers == ("GP", "CQ")


def test_work_over_the_end_of_a_month_is_split_there():
    midnight = datetime(2026, 4, 1, tzinfo=BERLIN)
    events = [by_clinician(4, midnight, worked("e1", midnight - timedelta(minutes=12), 30))]
    assert month_of(events).minutes == 12
    assert month_of(events, "2026-04").minutes == 18


def test_minutes_of_two_clinicians_are_summed_before_they_are_whole():
    events = [
        by_clinician(4, START, worked("e1", START, 9.5)),
        by_clinician(5, START, worked("e2", START, 10.5), who="bob"),
    ]
    assert month_of(events).minutes == 20


def test_without_a_live_conversation_nothing_is_proposed_and_text_or_a_visit_is_none():
    work = [*papers(), by_clinician(4, START, worked("e1", START, 25))]
    assert month_of(work).blocked_by == ("no_live_interaction",)
    visit = event(5, START, talked(START, "in_person"))
    assert month_of([*work, visit]).blocked_by == ("no_live_interaction",)
    call = event(5, START, talked(START, "audio"))
    assert month_of([*work, call]).blocked_by == ()
    april = event(5, START, talked(START + 31 * DAY))
    assert month_of([*work, april]).blocked_by == ("no_live_interaction",)


def test_a_voided_entry_does_not_count_even_when_it_arrives_after_its_voiding():
    entry = by_clinician(4, START, worked("e1", START, 25))
    void = by_clinician(5, START + DAY, voided("e1"))
    for order in permutations((entry, void)):
        assert month_of(list(order)).minutes == 0


def test_a_month_misses_minutes_to_the_next_unit():
    told = month_of([by_clinician(4, START, worked("e1", START, 31))])
    assert told.minutes_missing == 9
    none = month_of([event(4, START, talked(START))])
    assert none.minutes_missing == 10


kinds = st.one_of(
    st.builds(
        lambda entry, n, length: worked(entry, START + n * DAY, length),
        st.sampled_from(["e1", "e2", "e3"]),
        st.integers(0, 40),
        st.integers(1, 30),
    ),
    st.sampled_from(["e1", "e2"]).map(voided),
    st.integers(0, 40).map(lambda n: talked(START + n * DAY)),
    st.booleans().map(lambda active: monitoring(active=active)),
    st.integers(0, 30).map(lambda n: agreed(START + n * DAY)),
    st.integers(0, 30).map(lambda n: withdrawn(START + n * DAY)),
    st.just(pain(3)),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(kinds, st.integers(0, 60)), max_size=20), st.randoms())
def test_neither_order_nor_repetition_changes_the_evidence(told: Any, random: Any):
    events = [
        by_clinician(n, START + days * DAY, content) for n, (content, days) in enumerate(told, 1)
    ]
    these = facts(events)
    mixed = random.sample(these, len(these)) + these
    assert marks_of(these) == marks_of(mixed)
    records = [
        rtm.fold(fact for fact in order if fact.kind in rtm.KINDS) for order in (these, mixed)
    ]
    assert records[0] == records[1]
    periods = device_periods(records[0], marks_of(these), BERLIN, LATER, "medicare")
    spans = sorted((one.first, one.last) for one in periods)
    assert all(one[1] < other[0] for one, other in pairwise(spans))
    assert all(one.first <= day.day <= one.monitored_until for one in periods for day in one.days)
