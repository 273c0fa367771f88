from __future__ import annotations

from datetime import date

import pytest
from rehab_clinical.days import first_zone
from rehab_clinical.pain import PainSummary, band, pain_summary, rises

from tests.projections.ask import history_of
from tests.projections.given import at, event, pain

BERLIN = first_zone("Europe/Berlin")
NOW = at("2026-03-10T12:00")


def summary_of(*events, first: int = 1, last: int = 10) -> PainSummary:
    reports = history_of(events).care.pain
    return pain_summary(reports, date(2026, 3, first), date(2026, 3, last), NOW, BERLIN)


def test_no_answer_is_no_pain_figure():
    told = summary_of()
    assert (told.reports, told.latest, told.worst, told.mean_pre, told.mean_delta) == (
        0,
        None,
        None,
        None,
        None,
    )
    assert (told.band, told.days_since_last) == ("", None)


def test_an_answer_of_zero_is_an_answer():
    told = summary_of(event(1, at("2026-03-09T08:00"), pain(0)))
    assert told.latest is not None
    assert (told.latest.nprs, told.worst, told.mean_pre, told.band) == (0, 0, 0, "none")


def test_the_change_is_that_of_sessions_with_both_answers():
    told = summary_of(
        event(1, at("2026-03-09T08:00"), pain(3, "PRE", "a")),
        event(2, at("2026-03-09T08:30"), pain(5, "POST", "a")),
        event(3, at("2026-03-10T08:00"), pain(7, "PRE", "b")),
    )
    assert (told.mean_pre, told.mean_post, told.mean_delta, told.worst) == (5, 5, 2, 7)


def test_days_since_the_last_answer_are_local_days_even_outside_the_window():
    late_evening = event(1, at("2026-03-04T23:30"), pain(2))  # already the 5th in Berlin
    told = summary_of(late_evening, first=9)
    assert (told.reports, told.days_since_last) == (0, 5)


def test_the_worst_of_24_hours_is_told_apart_from_the_worst_of_the_window():
    told = summary_of(
        event(1, at("2026-03-09T08:00"), pain(8, "DURING")),
        event(2, at("2026-03-09T20:00"), pain(4, "24H")),
        event(3, at("2026-03-10T08:00"), pain(6, "24H")),
    )
    assert (told.worst, told.worst_24h) == (8, 6)
    assert summary_of(event(1, at("2026-03-09T08:00"), pain(8, "DURING"))).worst_24h is None


@pytest.mark.parametrize(
    ("nprs", "name"),
    [(0, "none"), (1, "mild"), (5, "mild"), (6, "moderate"), (7, "moderate"), (8, "severe")],
)
def test_bands_are_those_of_boonstra(nprs, name):
    assert band(nprs) == name


def test_a_rise_is_reckoned_from_the_report_before_of_the_same_phase():
    told = history_of(
        [
            event(1, at("2026-03-01T08:00"), pain(2, "PRE")),
            event(2, at("2026-03-01T08:30"), pain(6, "POST")),
            event(3, at("2026-03-02T08:00"), pain(3, "PRE")),
        ]
    ).care.pain
    assert [(report.nprs, rise) for report, rise in rises(told)] == [(3, 1)]
