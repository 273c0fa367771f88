"""What was refused is not lost: it is kept in the patient's own stream, sealed like the rest, until
somebody has looked at it (`rehab quarantine`)."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from hashlib import sha256

from rehab.errors.v1.error_reason_pb2 import ErrorReason
from rehab.events.v1 import event_pb2
from rehab.events.v1.event_pb2 import Event
from rehab.events.v1.kinds import KINDS
from rehab_ingest import metrics
from rehab_ingest.domain.rights import sayable
from rehab_runtime.auth import Principal
from rehab_runtime.clock import Clock
from rehab_runtime.errors import ConsentMissing, ConsentNotInForce, EventTooLarge, RehabError
from rehab_runtime.limits import Bucket, Limits, OwnCount

KIND = "quarantine"
BODILESS = (ConsentMissing, ConsentNotInForce, EventTooLarge)
"""Without a consent what was observed may not be kept; what is too large cannot be."""
KEPT_OF_A_CALLER = Limits(Bucket(rate=1, burst=200), Bucket(rate=20_000, burst=4_000_000))
"""An app with a fault, or somebody who means harm, does not fill the log."""
MAX_RULES, MAX_RULE = 100, 300


class Quarantine:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._budget = OwnCount(KEPT_OF_A_CALLER, clock)

    def kept(self, event: Event, refusal: RehabError, caller: Principal) -> Event | None:
        """The event that tells of it; None when it is not kept: it is not of the caller's own
        patient, or there were too many."""
        subject = event.envelope.subject_id
        if not subject or caller.patient_id != subject:
            metrics.quarantined.labels("not_own").inc()
            return None
        whole = not isinstance(refusal, BODILESS) and sayable(event, caller)
        size = event.ByteSize() if whole else 0
        if self._budget.take(f"{caller.clinic_id}:{caller.id}", 1, size):
            metrics.quarantined.labels("too_many").inc()
            return None
        metrics.quarantined.labels("kept").inc()
        return self._told(event, refusal, caller, whole=whole)

    def _told(self, event: Event, refusal: RehabError, caller: Principal, *, whole: bool) -> Event:
        content = event.SerializeToString(deterministic=True)
        made = Event()
        envelope = made.envelope
        # the same refusal of the same event is told once, however often it is sent
        envelope.event_id = _id(content, type(refusal).__name__)
        envelope.clinic_id, envelope.subject_id = caller.clinic_id, caller.patient_id
        envelope.kind, envelope.schema_version = KIND, KINDS[KIND].schema_version
        envelope.phi = KINDS[KIND].phi
        envelope.occurred_at.FromDatetime(self._clock.now())
        envelope.actor.id = caller.id
        envelope.actor.role = event_pb2.Role.Value(f"ROLE_{caller.role.upper()}")
        envelope.provenance = event_pb2.PROVENANCE_SYSTEM
        quarantine = made.body.quarantine
        quarantine.entry_id = envelope.event_id
        held = quarantine.held
        held.reason = ErrorReason.Name(refusal.reason)
        held.rules.extend(_rules(refusal))
        held.event_id = event.envelope.event_id[:36]
        if whole:
            held.event = content
        return made


def _rules(refusal: RehabError) -> Sequence[str]:
    return [f"{one.field}: {one.rule}"[:MAX_RULE] for one in refusal.violations[:MAX_RULES]]


def _id(content: bytes, reason: str) -> str:
    """A UUIDv7 by its form, made of the content."""
    made = int.from_bytes(sha256(reason.encode() + b"\0" + content).digest()[:16])
    made = (made & ~(0xF << 76)) | (7 << 76)
    return str(uuid.UUID(int=(made & ~(3 << 62)) | (2 << 62)))
