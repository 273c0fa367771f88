"""Weeks of adherence, and what was missed of them."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st
from rehab_clinical.days import first_zone, local_date
from rehab_clinical.windows import (
    Calendar,
    DateRange,
    Unit,
    bounds,
    monday_of,
)

from rehab_projections.domain.history import PatientHistory, as_session
from rehab_projections.domain.weeks import WeekSnapshot, missed, weeks
from tests.projections.ask import adherence_in, history_of
from tests.projections.given import at, event, item, prescribed, whole_session
from tests.projections.streams import BEGIN, DAYS, streams

APRIL = at("2026-04-01T00:00")
MONDAY = at("2026-03-02T08:05")


def snapshots(
    history: PatientHistory, first: date, last: date, as_of: datetime = APRIL
) -> list[WeekSnapshot]:
    zone = first_zone(history.care.zone_name())
    sessions = [as_session(record) for record in history.sessions.values()]
    counted = [session for session in sessions if session.started_at <= as_of]
    book = history.care.plans.as_of(as_of)
    return weeks(book, counted, (first, last), as_of, zone)


def daily(days: int, reps: int = 30) -> PatientHistory:
    """A plan of 30 repetitions a day, done on the first days of it."""
    plan = event(1, at("2026-03-01T00:00"), prescribed(item(), sessions_per_week=7))
    done = [
        one
        for n in range(days)
        for one in whole_session(10 + 10 * n, f"s{n}", MONDAY + timedelta(days=n), [reps])
    ]
    return history_of([plan, *done])


def test_weeks_run_from_monday_to_sunday_and_come_newest_first():
    told = snapshots(daily(9), date(2026, 3, 4), date(2026, 3, 10))
    assert [(week.monday.isoformat(), week.sunday.isoformat()) for week in told] == [
        ("2026-03-09", "2026-03-15"),
        ("2026-03-02", "2026-03-08"),
    ]
    second, first = told
    assert (first.missed, first.adherence.started, first.adherence.sessions) == (0, 7, 7)
    assert (second.missed, second.adherence.started, second.adherence.sessions) == (5, 2, 2)
    assert first.adherence.weekly_frequency == 1


def test_a_week_that_goes_on_has_no_frequency_yet():
    (week,) = snapshots(daily(3), date(2026, 3, 3), date(2026, 3, 3), at("2026-03-05T00:00"))
    assert (week.ended, week.adherence.weekly_frequency) == (False, None)
    assert (len(week.adherence.due), week.missed) == (3, 0)


def test_a_week_in_which_nothing_was_due_has_no_ratio():
    (week,) = snapshots(daily(1), date(2026, 2, 17), date(2026, 2, 17))
    assert week.adherence.dose_ratio is None


def test_missed_are_windows_without_anything_and_if_asked_those_not_full():
    half = daily(2, reps=15)
    (week,) = snapshots(half, date(2026, 3, 2), date(2026, 3, 8))
    nothing = missed(week.adherence.due, incomplete=False)
    assert [one.occurrence.local_date.day for one in nothing] == [8, 7, 6, 5, 4]
    less = missed(week.adherence.due, incomplete=True)
    assert [one.occurrence.local_date.day for one in less] == [8, 7, 6, 5, 4, 3, 2]
    assert [one.started for one in less[-2:]] == [True, True]


@settings(max_examples=60, deadline=None)
@given(streams(), st.integers(0, 24 * (DAYS + 2)))
def test_the_weeks_of_a_window_add_up_to_the_window(events, hours: int):
    as_of = BEGIN + timedelta(hours=hours)
    history = history_of(events)
    first, last = date(2026, 3, 16), date(2026, 4, 12)
    told = snapshots(history, first, last, as_of)
    whole = adherence_in(history, as_of, DateRange(first, last))
    assert sum(len(week.adherence.due) for week in told) == len(whole.due)
    assert sum(week.adherence.full for week in told) == whole.full
    assert sum(week.adherence.sessions for week in told) == whole.sessions
    assert all(week.missed + week.adherence.started == len(week.adherence.due) for week in told)


def test_calendar_windows_are_those_of_the_patients_zone():
    berlin = ZoneInfo("Europe/Berlin")
    late = at("2026-03-01T23:30")  # the 2nd in Berlin, a Monday
    asked = {unit: bounds(Calendar(unit), local_date(late, berlin), None) for unit in Unit}
    assert asked[Unit.DAY] == (date(2026, 3, 2), date(2026, 3, 2))
    assert asked[Unit.WEEK] == (date(2026, 3, 2), date(2026, 3, 8))
    assert asked[Unit.MONTH] == (date(2026, 3, 1), date(2026, 3, 31))
    assert monday_of(date(2026, 3, 8)) == date(2026, 3, 2)
