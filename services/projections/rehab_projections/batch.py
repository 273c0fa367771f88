"""One batch of events while it is folded: whom it changes, and whose stream must be held back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from google.protobuf.message import DecodeError
from rehab_clinical import sessions
from rehab_clinical.facts import Fact, fact_of
from rehab_clinical.sessions import SessionRecord

from rehab.events.v1.event_pb2 import RecordedEvent
from rehab.events.v1.kinds import KINDS
from rehab_projections.changes import Changes, Parked, PatientChange, SessionChange
from rehab_projections.domain import care
from rehab_projections.domain.care import CareRecord, is_erased
from rehab_projections.domain.history import SESSION_KINDS, PatientHistory, fold
from rehab_projections.gathered import KINDS as GATHERED
from rehab_projections.patient_fold import PLANNING, PatientFold, SessionKey

# The parts of a kind may qualify for a monitoring day although the kind as a whole does not.
_MARKED = frozenset({"feedback", *(kind.name for kind in KINDS.values() if kind.rtm_qualifying)})
FOLDED = care.KINDS | SESSION_KINDS | _MARKED | GATHERED | {"erasure"}


class Batch:
    """A batch while it is folded. What it tells of, `patients`, patients whose care changes and
    sessions, is known when it is opened."""

    def __init__(self) -> None:
        self.facts: list[tuple[Fact, RecordedEvent]] = []
        self.patients: set[str] = set()
        self.cared: set[str] = set()
        self.session_keys: set[SessionKey] = set()
        self.cares: dict[str, CareRecord] = {}
        self.sessions: dict[SessionKey, SessionRecord] = {}
        self.afresh: set[str] = set()
        self.parked: dict[str, Parked] = {}
        self._patients: dict[str, PatientFold] = {}
        self._replaced: dict[str, PatientChange] = {}

    def open(self, events: Iterable[RecordedEvent]) -> None:
        """Open bodies; a stream whose body cannot be opened is parked from there on."""
        for event in events:
            if self.parked and event.envelope.subject_id in self.parked:
                continue
            try:
                fact = _opened(event)
            except (DecodeError, ValueError) as error:
                self._park(event, error)
                continue
            self.facts.append((fact, event))
            self.patients.add(fact.patient_id)
            if fact.kind in SESSION_KINDS:
                self.session_keys.add((fact.patient_id, sessions.session_id_of(fact)))
            elif fact.kind in care.KINDS:
                self.cared.add(fact.patient_id)

    def drop(self, held: set[str], void: set[str]) -> None:
        """Leave out streams held back, but for their erasure, and events already corrected.

        What a corrected event itself corrects stays void: such an event is kept, and its patient
        is folded anew.
        """
        if not held and not void:
            return
        self.parked = {p: parked for p, parked in self.parked.items() if p not in held}
        self.facts = [
            (fact, event)
            for fact, event in self.facts
            if is_erased(fact)
            or (fact.patient_id not in held and (fact.corrects or fact.stamp.event_id not in void))
        ]

    def fold(self, fact: Fact, event: RecordedEvent) -> None:
        """Fold one event; one that cannot be folded parks its stream, others go on."""
        patient_id = fact.patient_id
        poison = self.parked.get(patient_id)
        if poison is not None and poison.position <= fact.position:
            return
        if fact.corrects or is_erased(fact):
            self.afresh.add(patient_id)
        patient = self._patients.get(patient_id)
        if patient is None:
            patient = PatientFold(self.cares.get(patient_id), self.sessions)
        try:
            patient.add(fact, event)
        except Exception as error:
            self._park(event, error)
        else:
            self._patients[patient_id] = patient

    def replace(self, patient_id: str, events: Sequence[RecordedEvent], last: int) -> None:
        """Put a whole history in the place of what the batch, and the store, have of a patient."""
        self._patients.pop(patient_id, None)
        facts: list[Fact] = []
        for event in events:
            try:
                if not event.erased:
                    facts.append(_opened(event))
            except (DecodeError, ValueError) as error:
                self._park(event, error)
                return
        if not events:
            return
        clinic_id = events[0].envelope.clinic_id
        # where its own events end, whenever it is folded anew: versions are compared by it
        reached = facts[-1].position if facts else last
        try:
            self._replaced[patient_id] = _whole(clinic_id, reached, fold(facts), facts, events)
        except Exception as error:
            self._park(events[-1], error)

    def changes(self) -> Changes:
        """What all of it changes, which ends the batch."""
        patients = {patient_id: one.change() for patient_id, one in self._patients.items()}
        patients |= self._replaced
        erased = tuple(patient for patient, change in patients.items() if change.erased)
        parked = tuple(one for one in self.parked.values() if one.patient_id not in erased)
        return Changes(patients, parked, released=erased)

    def _park(self, event: RecordedEvent, error: Exception) -> None:
        self.parked[event.envelope.subject_id] = parked_by(event, error)


def parked_by(event: RecordedEvent, error: Exception) -> Parked:
    """Why a stream is held back: the kind of the fault, never a value."""
    envelope = event.envelope
    reason = f"{envelope.kind}: {type(error).__name__}"
    return Parked(envelope.subject_id, envelope.position, envelope.event_id, reason)


class SealedBodyError(ValueError):
    """A body is sealed and this service has no key for it."""


def _opened(event: RecordedEvent) -> Fact:
    """The event's fact. Raises SealedBodyError, ValueError or DecodeError."""
    if event.key_id:
        raise SealedBodyError(event.envelope.kind)
    fact = fact_of(event)
    if fact.body.WhichOneof("kind") != fact.kind:
        raise ValueError("the body is of another kind than the envelope says")
    return fact


def _whole(
    clinic_id: str,
    position: int,
    history: PatientHistory,
    facts: Sequence[Fact],
    events: Sequence[RecordedEvent],
) -> PatientChange:
    change = PatientChange(clinic_id, position, replaced=True, erased=history.erased)
    if history.erased:
        return change
    change.corrected = {fact.corrects for fact in facts if fact.corrects}
    standing = [f for f in facts if f.stamp.event_id not in change.corrected]
    known = {fact.position for fact in standing if fact.kind in care.KINDS}
    told_at = {sessions.session_id_of(f): f.position for f in standing if f.kind in SESSION_KINDS}
    planned = [fact.position for fact in standing if fact.kind in PLANNING]
    change.planned_at = max(planned, default=0)
    change.care = history.care
    change.care_events = [event for event in events if event.envelope.position in known]
    change.sessions = {
        session_id: SessionChange(record, told_at[session_id], frozenset(record.sets))
        for session_id, record in history.sessions.items()
    }
    change.marks = history.marks
    void = change.corrected
    for fact, event in zip(facts, (event for event in events if not event.erased), strict=True):
        if fact.stamp.event_id not in void:
            change.gathered.add(fact, event)
    exercised = [sessions.active_at(f) for f in standing if f.kind in SESSION_KINDS]
    change.active_at = max(exercised, default=None)
    return change
