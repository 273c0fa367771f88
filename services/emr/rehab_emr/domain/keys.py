"""Names of resources that never change, however often one is sent."""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID, uuid5

from rehab_clinical.facts import Fact

_NAMESPACE = UUID("6d2b0c52-7f0e-5a49-9d5c-3b1f6f2c8a10")
"""Of version 5 ids made here. Another one would give every resource a second name at receivers."""


class ResourceKey(NamedTuple):
    """One resource for ever. `kind` is one of KINDS; `id` is opaque: an event's, or a UUID made
    from patient, kind and what the resource is of. Neither holds PHI."""

    kind: str
    id: str


DEVICE, SESSION, SESSION_DURATION, SESSION_EXERCISE = (
    "device",
    "session",
    "session_duration",
    "session_exercise",
)
ROM, REP_SERIES, WEEK, PAIN = "rom", "rep_series", "week", "pain"
VITAL, READING, DAY, SLEEP, WORKOUT = "vital", "reading", "day", "sleep", "workout"
PROVENANCE = "provenance"

KINDS = frozenset(
    {
        *(DEVICE, SESSION, SESSION_DURATION, SESSION_EXERCISE, ROM, REP_SERIES, WEEK, PAIN),
        *(VITAL, READING, DAY, SLEEP, WORKOUT, PROVENANCE),
    }
)
FINE_KINDS = frozenset({REP_SERIES, READING})
"""Fine-grained data, which receivers do not expect: sent only where somebody asked for it."""


def opaque(kind: str, *of: str) -> ResourceKey:
    """The key of what is named by `of`, which begins with the clinic and the patient."""
    return ResourceKey(kind, str(uuid5(_NAMESPACE, "\x1f".join((kind, *of)))))


def of_patient(fact: Fact, kind: str, *of: str) -> ResourceKey:
    return opaque(kind, fact.clinic_id, fact.patient_id, *of)
