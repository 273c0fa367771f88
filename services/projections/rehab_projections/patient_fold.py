"""Folds what a batch of events tells of one patient."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from rehab_clinical.facts import Fact
from rehab_clinical.session_fold import SessionFold
from rehab_clinical.sessions import SessionRecord, active_at, session_id_of

from rehab.events.v1.event_pb2 import RecordedEvent
from rehab_projections.changes import PatientChange, SessionChange
from rehab_projections.domain import care
from rehab_projections.domain.care import CareFold, CareRecord
from rehab_projections.domain.history import SESSION_KINDS
from rehab_projections.domain.monitoring import MarkFold
from rehab_projections.gathered import KINDS as GATHERED
from rehab_projections.gathered import Gathered

SessionKey = tuple[str, str]
# What decides when something is due.
PLANNING = frozenset({"plan", "enrolment"})


class PatientFold:
    """Begins with what is known of the patient, which stays as it was."""

    def __init__(
        self, known_care: CareRecord | None, known_sessions: Mapping[SessionKey, SessionRecord]
    ) -> None:
        self._known_care = known_care
        self._known_sessions = known_sessions
        self._clinic_id = ""
        self._position = self._planned_at = 0
        self._care: CareFold | None = None
        self._care_events: list[RecordedEvent] = []
        self._sessions: dict[str, SessionFold] = {}
        self._told_at: dict[str, int] = {}
        self._active_at: datetime | None = None
        self._marks = MarkFold()
        self._gathered = Gathered()

    def add(self, fact: Fact, event: RecordedEvent) -> None:
        """Fold one event. Raises ValueError for one that cannot be, and is then as it was."""
        kind = fact.kind
        if kind in SESSION_KINDS:
            self._session(fact)
        elif kind in care.KINDS:
            self._cared(fact, event)
        if kind in GATHERED:
            self._gathered.add(fact, event)
        self._marks.add(fact)
        self._clinic_id = self._clinic_id or fact.clinic_id
        self._position = fact.position

    def change(self) -> PatientChange:
        """What all of it changes, which ends the fold."""
        change = PatientChange(self._clinic_id, self._position, self._planned_at)
        change.care = self._care.record() if self._care else None
        change.care_events = self._care_events
        change.sessions = {
            session_id: SessionChange(
                one.record(), self._told_at[session_id], one.touched, one.known_sets
            )
            for session_id, one in self._sessions.items()
        }
        change.marks = self._marks.marks()
        change.active_at = self._active_at
        change.gathered = self._gathered
        return change

    def _session(self, fact: Fact) -> None:
        session_id, active = session_id_of(fact), active_at(fact)
        fold = self._sessions.get(session_id)
        if fold is None:
            fold = SessionFold(self._known_sessions.get((fact.patient_id, session_id)))
        fold.add(fact)
        self._sessions[session_id] = fold
        self._told_at[session_id] = fact.position
        if self._active_at is None or active > self._active_at:
            self._active_at = active

    def _cared(self, fact: Fact, event: RecordedEvent) -> None:
        fold = self._care or CareFold(self._known_care)
        fold.add(fact)
        self._care = fold
        self._care_events.append(event)
        if fact.kind in PLANNING:
            self._planned_at = fact.position
