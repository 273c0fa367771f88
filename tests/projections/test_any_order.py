"""What a patient's events mean depends on which they are, not on the order they arrived in."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from rehab_clinical.adherence import Adherence
from rehab_clinical.days import first_zone, local_date
from rehab_clinical.done import done_in
from rehab_clinical.pain import pain_summary
from rehab_clinical.quality import ObservedSet, quality
from rehab_clinical.windows import WholePlan

from rehab.events.v1 import event_pb2
from rehab_projections.domain.history import PatientHistory
from rehab_projections.domain.monitoring import monitoring_days
from rehab_projections.domain.work_queue import standing
from tests.projections.ask import adherence_in, history_of
from tests.projections.streams import BEGIN, DAYS, streams

FIRST, LAST = date(2026, 3, 1), date(2026, 4, 30)


def meaning(history: PatientHistory, as_of: datetime) -> dict[str, Any]:
    """Every answer there is about a patient."""
    zone = first_zone(history.care.zone_name())
    sets = [
        ObservedSet(
            key.exercise_id,
            key.side,
            local_date(one.seen.at, zone),
            [one.reps[index] for index in sorted(one.reps)],
        )
        for _, session in sorted(history.sessions.items())
        for key, one in sorted(session.sets.items())
        if one.seen
    ]
    told = adherence_in(history, as_of, WholePlan())
    pain = pain_summary(history.care.pain, FIRST, LAST, as_of, zone)
    return {
        "zone": zone.key,
        "adherence": told,
        "ratios": (told.dose_ratio, told.full_ratio, told.quality_adjusted_dose, told.streak),
        "sessions": {
            name: (record.started_at, record.status, record.duration_s, done_in(record))
            for name, record in history.sessions.items()
        },
        "quality": quality(history.care.plans, sets),
        "days": monitoring_days(history.marks, FIRST, LAST, as_of, zone),
        "pain": (pain.reports, pain.worst, pain.mean_pre, pain.mean_delta, pain.band),
        "standing": standing(history.care),
    }


@settings(max_examples=200, deadline=None)
@given(streams(), st.randoms(use_true_random=False), st.integers(0, 24 * (DAYS + 2)))
def test_no_order_of_arrival_changes_any_answer(
    events: list[event_pb2.Event], random: Random, hours: int
) -> None:
    as_of = BEGIN + timedelta(hours=hours)
    shuffled = random.sample(events, len(events))
    assert meaning(history_of(shuffled), as_of) == meaning(history_of(events), as_of)


@settings(max_examples=80, deadline=None)
@given(streams(), st.integers(0, 24 * (DAYS + 2)))
def test_adherence_keeps_its_own_laws(events: list[event_pb2.Event], hours: int) -> None:
    as_of = BEGIN + timedelta(hours=hours)
    told: Adherence = adherence_in(history_of(events), as_of, WholePlan())
    due = len(told.due)
    assert told.full <= told.started <= due
    assert told.streak <= told.longest_streak <= told.started
    assert (told.dose_ratio is None) == (due == 0)
    for ratio in (told.dose_ratio, told.started_ratio, told.full_ratio, told.weekly_frequency):
        assert ratio is None or 0 <= ratio <= 1
    for ratio in (told.quality_adjusted_dose, told.scored_coverage):
        assert ratio is None or 0 <= ratio <= 1
    counted = [session for one in told.due for session in one.session_ids]
    assert len(counted) == len(set(counted)), "a session counts for one occurrence at most"
    assert all(one.occurrence.ends_at <= as_of for one in told.due)
