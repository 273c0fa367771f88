"""Adherence that is kept from day to day is what it would be if it were not."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rehab_clinical.adherence import Session, dosed_occurrences
from rehab_clinical.days import day_start, first_zone
from rehab_clinical.done import Done
from rehab_clinical.plan import PlanBook

from rehab_policy.domain.adherence import RECENT, WHOLE, AdherenceFigures, Reckoned, figures
from tests.projections import plainly
from tests.projections.plainly import DAYS, FIRST_DAY
from tests.projections.plainly import ZONE as NAME

ZONE = first_zone(NAME)
MANY = settings(
    max_examples=40, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)


@dataclass(frozen=True)
class Known:
    """As the state knows a session."""

    told: Session

    def session(self) -> Session:
        return self.told


def _told(found: AdherenceFigures) -> list[object]:
    spans = (found.recent, found.whole, found.before)
    every: list[object] = [(len(s.due), s.started, s.dose_ratio, s.full_ratio) for s in spans]
    return [*every, found.missed_in_a_row, found.started_in_a_row]


def _plainly(book: PlanBook, sessions: list[Session], number: int) -> list[object]:
    today = FIRST_DAY + timedelta(days=number)
    yesterday = today - timedelta(days=1)
    as_of = day_start(today, ZONE)
    due = dosed_occurrences(book, sessions, as_of, ZONE, (today - WHOLE, yesterday))
    recent = [one for one in due if one.occurrence.local_date >= today - RECENT]
    before = [one for one in due if one not in recent]
    spans = [
        (
            len(span),
            sum(one.started for one in span),
            plainly.mean([one.ratio for one in span]) if span else None,
            plainly.mean([plainly.Fraction(one.full) for one in span]) if span else None,
        )
        for span in (recent, due, before)
    ]
    started = [one.started for one in reversed(due)]
    in_a_row = (
        next((i for i, did in enumerate(started) if did is not holds), len(started))
        for holds in (False, True)
    )
    return [*spans, *in_a_row]


@MANY
@given(
    plainly.books(),
    plainly.sessions(),
    st.lists(st.integers(0, 3), min_size=3, max_size=8),
    st.data(),
)
def test_days_in_a_row_give_the_published_figures_whatever_comes_late(
    book: PlanBook, sessions: list[Session], steps: list[int], data: st.DataObject
) -> None:
    reckoned, number = Reckoned(book, ZONE), data.draw(st.integers(0, DAYS))
    for step in [0, *steps]:
        number += step
        today = FIRST_DAY + timedelta(days=number)
        begun = [one for one in sessions if one.started_at < day_start(today, ZONE)]
        if begun:
            late = data.draw(st.sampled_from(begun))
            sessions = [_more(one) if one is late else one for one in sessions]
            begun = [one for one in sessions if one.started_at < day_start(today, ZONE)]
        found = figures(reckoned, [Known(one) for one in begun], today)  # type: ignore[misc]
        assert _told(found) == _plainly(book, begun, number)


def _more(session: Session) -> Session:
    """An event came late: more was done than was known, and it began earlier."""
    more = {("squat", 1): Done(reps=3), ("bridge", 4): Done(reps=5)}
    done = {key: did + session.done().get(key, Done()) for key, did in more.items()}
    earlier = session.started_at - timedelta(minutes=5)
    return replace(session, started_at=earlier, done=lambda: done)
