"""Everything the read models know of one patient, folded from the patient's stream."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from rehab_projections.domain import care, sessions
from rehab_projections.domain.adherence import Session
from rehab_projections.domain.care import CareRecord, is_erased
from rehab_projections.domain.done import done_in
from rehab_projections.domain.facts import Fact
from rehab_projections.domain.monitoring import Mark, mark_of
from rehab_projections.domain.sessions import SessionRecord

SESSION_KINDS = frozenset({"exercise_session", "rep_observation"})


@dataclass(frozen=True)
class PatientHistory:
    """One patient's facts. Once erased, nothing of it is kept and nothing is added."""

    care: CareRecord = field(default_factory=CareRecord)
    sessions: Mapping[str, SessionRecord] = field(default_factory=dict)
    marks: frozenset[Mark] = frozenset()
    erased: bool = False


def fold(facts: Iterable[Fact]) -> PatientHistory:
    """Fold a patient's stream from its beginning.

    An event that another one corrects is as if it had never been told, wherever in the stream the
    correction stands. Raises ValueError for an event that cannot be.
    """
    told = list(facts)
    if any(is_erased(fact) for fact in told):
        return PatientHistory(erased=True)
    corrected = {fact.corrects for fact in told if fact.corrects}
    standing = [fact for fact in told if fact.stamp.event_id not in corrected]
    record = CareRecord()
    known: dict[str, SessionRecord] = {}
    marks: list[Mark] = []
    for fact in standing:
        if fact.kind in care.KINDS:
            record = care.with_fact(record, fact)
        elif fact.kind in SESSION_KINDS:
            session_id = sessions.session_id_of(fact)
            known[session_id] = sessions.with_fact(known.get(session_id), fact)
        mark = mark_of(fact)
        if mark is not None:
            marks.append(mark)
    return PatientHistory(record, known, united(marks))


def united(marks: Iterable[Mark]) -> frozenset[Mark]:
    """One mark per zone and quarter: the one with the earliest moment."""
    earliest: dict[tuple[str, object], Mark] = {}
    for mark in marks:
        known = earliest.get((mark.zone, mark.quarter))
        if known is None or mark.order() < known.order():
            earliest[(mark.zone, mark.quarter)] = mark
    return frozenset(earliest.values())


def as_session(record: SessionRecord) -> Session:
    """A session as adherence counts it."""
    done = done_in(record)
    ref = record.start.ref if record.start else None
    return Session(record.session_id, record.started_at, record.zone, ref, lambda: done)
