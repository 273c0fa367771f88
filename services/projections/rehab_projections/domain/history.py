"""Everything the read models know of one patient, folded from the patient's stream."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from rehab_clinical.adherence import Session
from rehab_clinical.done import done_in
from rehab_clinical.facts import Fact
from rehab_clinical.session_fold import SessionFold
from rehab_clinical.sessions import SessionRecord, session_id_of

from rehab_projections.domain import care
from rehab_projections.domain.care import CareRecord, is_erased
from rehab_projections.domain.monitoring import Mark, marks_of

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
    known: dict[str, SessionFold] = {}
    for fact in standing:
        if fact.kind in SESSION_KINDS:
            session_id = session_id_of(fact)
            if session_id not in known:
                known[session_id] = SessionFold()
            known[session_id].add(fact)
    return PatientHistory(
        care=care.fold(fact for fact in standing if fact.kind in care.KINDS),
        sessions={session_id: one.record() for session_id, one in known.items()},
        marks=marks_of(standing),
    )


def as_session(record: SessionRecord) -> Session:
    """A session as adherence counts it."""
    done = done_in(record)
    ref = record.start.ref if record.start else None
    return Session(record.session_id, record.started_at, record.zone, ref, lambda: done)
