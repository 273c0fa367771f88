"""Asks the pure formulae what a stream of events means."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime

from rehab_clinical.adherence import Adherence, adherence
from rehab_clinical.days import first_zone, local_date
from rehab_clinical.windows import Days, Window, bounds

from rehab.events.v1 import event_pb2
from rehab_projections.domain.history import PatientHistory, as_session, fold
from tests.projections.given import facts


def history_of(events: Iterable[event_pb2.Event]) -> PatientHistory:
    return fold(facts(events))


def adherence_of(
    events: Iterable[event_pb2.Event], as_of: datetime, window: Window | None = None
) -> Adherence:
    """Adherence of a patient with these events, over 28 days unless a window is told."""
    return adherence_in(history_of(events), as_of, window)


def adherence_in(
    history: PatientHistory, as_of: datetime, window: Window | None = None
) -> Adherence:
    zone = first_zone(history.care.zone_name())
    book = history.care.plans.as_of(as_of)
    first, last = bounds(window or Days(), local_date(as_of, zone), book.first_day())
    known = [as_session(record) for record in history.sessions.values()]
    counted = [session for session in known if session.started_at <= as_of]
    return adherence(book, counted, first=first, last=last, as_of=as_of, zone=zone)


def day(text: str) -> date:
    return date.fromisoformat(text)
