"""What a resource is of: the part of a patient's history that its key names."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

from rehab_clinical.vitals import ReadingKey

from rehab_emr.domain import keys
from rehab_emr.domain.keys import ResourceKey


class DeviceSubject(NamedTuple):
    """A program on a device, as envelopes name them; never what a person called it."""

    device_id: str
    app: str
    app_version: str
    model: str
    os: str


class SessionSubject(NamedTuple):
    session_id: str


class ExerciseSubject(NamedTuple):
    """One exercise and side of a session; `joint` where it is of one, `set_index` of one set."""

    session_id: str
    exercise_id: str
    side: int
    joint: str = ""
    set_index: int = 0


class PainSubject(NamedTuple):
    """`event_id` of the report that was told first: corrections of it are of the same pain."""

    event_id: str


class ReadingSubject(NamedTuple):
    """One reading or workout."""

    key: ReadingKey


class DaySubject(NamedTuple):
    """The readings of one metric, or the sleep, of one local day."""

    metric: str
    day: date


class WeekSubject(NamedTuple):
    monday: date


Subject = (
    DeviceSubject
    | SessionSubject
    | ExerciseSubject
    | PainSubject
    | ReadingSubject
    | DaySubject
    | WeekSubject
)


def key_of(clinic_id: str, patient_id: str, kind: str, subject: Subject) -> ResourceKey:
    """Pain goes by the id of its event, everything else by a UUID of what it is of."""
    if isinstance(subject, PainSubject):
        return ResourceKey(kind, subject.event_id)
    parts = subject.key if isinstance(subject, ReadingSubject) else subject
    return keys.opaque(kind, clinic_id, patient_id, *map(_text, parts))


def _text(part: object) -> str:
    return part.isoformat() if isinstance(part, date) else str(part)
