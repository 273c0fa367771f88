"""Who saw a patient's data, entry by entry, from the audit streams."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from google.protobuf.message import DecodeError

from rehab.events.v1.event_pb2 import Body, RecordedEvent
from rehab_identity.domain.evolve import moment
from rehab_identity.domain.texts import storable
from rehab_runtime.access.streams import is_audit

KIND = "access"
LARGEST_ROLE = 2**15 - 1
"""smallint of PostgreSQL."""
NOBODY = ""
"""In the place of a patient, where it was denied before it was known whose it was."""


@dataclass(frozen=True, slots=True)
class Entry:
    """`role` is the number of rehab.events.v1.Role. Without a patient the clinic is the actor's."""

    patient_id: str
    at: datetime
    event_id: str
    actor_id: str
    role: int
    rpc: str
    allowed: bool
    reason: str
    purpose: str
    consent_id: str
    covered_until: datetime | None
    clinic_id: str = ""


def entries(event: RecordedEvent) -> Iterator[Entry]:
    """An entry for each subject, one for none. Only audit streams are believed: services alone
    write them."""
    envelope = event.envelope
    if envelope.kind != KIND or not is_audit(envelope.subject_id):
        return
    try:
        access = Body.FromString(event.body).access
        at = moment(envelope.occurred_at)
        until = moment(access.covered_until) if access.HasField("covered_until") else None
    except (DecodeError, OverflowError):
        return
    kept = storable(access) and storable(envelope.actor) and envelope.actor.role <= LARGEST_ROLE
    if not kept:
        return
    for subject in dict.fromkeys(access.subject_ids or [NOBODY]):
        yield Entry(
            subject,
            at,
            envelope.event_id,
            envelope.actor.id,
            envelope.actor.role,
            access.rpc,
            access.allowed,
            access.reason,
            access.purpose,
            access.consent_id,
            until,
            access.clinic_id if subject == NOBODY else "",
        )
