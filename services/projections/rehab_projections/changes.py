"""What a batch of events changes in the read models, before anything is written."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from rehab_clinical.sessions import SessionRecord, SetKey

from rehab.events.v1.event_pb2 import RecordedEvent
from rehab_projections.domain.care import CareRecord
from rehab_projections.domain.monitoring import Mark
from rehab_projections.gathered import Gathered


@dataclass(frozen=True)
class SessionChange:
    """A session as it is now, as of the last event that told of it, and which sets changed.
    `known_sets` were stored before; None of a session that was not."""

    record: SessionRecord
    position: int
    sets: Collection[SetKey]
    known_sets: Collection[SetKey] | None = None


@dataclass
class PatientChange:
    """Changes of one patient. `care` is None when nothing but sessions changed; `planned_at` is the
    position of the last plan or enrolment among them.

    `replaced` says that all that was kept of the patient before is to go.
    """

    clinic_id: str
    position: int
    planned_at: int = 0
    care: CareRecord | None = None
    care_events: list[RecordedEvent] = field(default_factory=list)
    sessions: dict[str, SessionChange] = field(default_factory=dict)
    marks: frozenset[Mark] = frozenset()
    active_at: datetime | None = None
    corrected: set[str] = field(default_factory=set)
    gathered: Gathered = field(default_factory=Gathered)
    replaced: bool = False
    erased: bool = False


@dataclass(frozen=True, slots=True)
class Parked:
    """A stream held back: the event that could not be folded and why, without patient data."""

    patient_id: str
    position: int
    event_id: str
    reason: str


@dataclass(frozen=True)
class Changes:
    """All changes of one batch."""

    patients: Mapping[str, PatientChange]
    parked: tuple[Parked, ...] = ()
    released: tuple[str, ...] = ()
