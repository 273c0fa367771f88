"""What is reckoned quickly is what its definition says."""

from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rehab_clinical.adherence import Session
from rehab_clinical.dose import exact_mean
from rehab_clinical.matching import match
from rehab_clinical.occurrences import Sliding, occurrences
from rehab_clinical.plan import PlanBook

from tests.projections import plainly
from tests.projections.plainly import DAYS, FIRST_DAY, ZONE

MANY = settings(
    max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)


def day(number: int) -> date:
    return FIRST_DAY + timedelta(days=number)


@MANY
@given(plainly.books(), st.integers(-3, DAYS), st.integers(0, DAYS))
def test_occurrences_are_those_of_the_definition(book: PlanBook, first: int, count: int) -> None:
    asked = day(first), day(first + count)
    assert occurrences(book, *asked, ZONE) == plainly.occurrences_of(book, *asked)


@MANY
@given(plainly.books(), plainly.sessions())
def test_sessions_are_matched_as_the_definition_says(
    book: PlanBook, sessions: list[Session]
) -> None:
    every = occurrences(book, day(0), day(DAYS + 8), ZONE)
    found = {i: [one.session_id for one in told] for i, told in match(every, sessions).items()}
    assert found == plainly.matched(every, sessions)


@MANY
@given(
    plainly.books(),
    st.integers(0, 20),
    st.lists(st.tuples(st.integers(-1, 4), st.integers(-1, 12)), max_size=12),
)
def test_days_that_move_on_give_what_is_reckoned_from_nothing(
    book: PlanBook, first: int, moves: list[tuple[int, int]]
) -> None:
    sliding, last = Sliding(book, ZONE), first + 12
    for step in [(0, 0), *moves]:
        first, last = first + step[0], max(first + step[0], last + step[1])
        asked = day(first), day(last)
        assert sliding.between(*asked) == occurrences(book, *asked, ZONE)


@MANY
@given(st.lists(st.fractions(0, 3, max_denominator=40), min_size=1, max_size=40))
def test_a_mean_is_exact(ratios: list[Fraction]) -> None:
    assert exact_mean(ratios) == plainly.mean(ratios)
