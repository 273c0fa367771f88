"""The rules at the door: what an event must be to come in. Names the field and the rule."""

from __future__ import annotations

from rehab.events.v1.event_pb2 import Event
from rehab.events.v1.kinds import KINDS, kind_of
from rehab_ingest.domain.calendar import impossible
from rehab_ingest.domain.texts import unstorable
from rehab_runtime.access.streams import is_audit
from rehab_runtime.errors import (
    ConsentMissing,
    EventTooLarge,
    InvalidArgument,
    RehabError,
    UnknownKind,
    Violation,
)
from rehab_runtime.validation import violations

MIN_SECONDS, MAX_SECONDS = -62_135_596_800, 253_402_300_799
"""Years 1 to 9999, as google.protobuf.Timestamp says."""
CONSENT_RULE = "envelope.consent_id"


def refusal(event: Event, clinic_id: str, max_bytes: int, skew_ms: int = 0) -> RehabError | None:
    """Why the event may not come in; None when it may. `skew_ms` is how far the clock of its device
    is ahead."""
    size = event.ByteSize()
    if size > max_bytes:
        rule = Violation("body", "event.max_bytes", f"the event must be at most {max_bytes} bytes")
        return EventTooLarge(
            violations=[rule], metadata={"limit_bytes": str(max_bytes), "bytes": str(size)}
        )
    unknown = _unknown(event)
    if unknown is not None:
        return UnknownKind(violations=[unknown])
    broken = [
        *_by_right_clock(event, skew_ms),
        *impossible(event),
        *unstorable(event),
        *_own_rules(event, clinic_id),
    ]
    if not broken:
        return None
    if all(item.rule == CONSENT_RULE for item in broken):
        return ConsentMissing(violations=[Violation(CONSENT_RULE, CONSENT_RULE, broken[0].message)])
    return InvalidArgument(violations=broken)


def _by_right_clock(event: Event, skew_ms: int) -> list[Violation]:
    """The rules of the contract, by what a clock that is right would have shown."""
    if not skew_ms or not event.envelope.HasField("occurred_at"):
        return by_contract(event)
    told = event.envelope.occurred_at.seconds
    right = told - round(skew_ms / 1000)
    if not MIN_SECONDS <= right <= MAX_SECONDS:
        return by_contract(event)
    event.envelope.occurred_at.seconds = right
    try:
        return by_contract(event)
    finally:
        event.envelope.occurred_at.seconds = told


def by_contract(event: Event) -> list[Violation]:
    """What `violations` finds in the whole event, but for a whole one in its two parts: the engine
    would look at each of the kinds that it might have been, which costs as much as all the rest."""
    kind = kind_of(event.body)
    if kind is None or not event.HasField("envelope"):
        return violations(event)
    told = getattr(event.body, kind)
    return [*violations(event.envelope, "envelope"), *violations(told, f"body.{kind}")]


def _unknown(event: Event) -> Violation | None:
    kind = KINDS.get(event.envelope.kind)
    if kind is None and event.envelope.kind:
        return Violation("envelope.kind", "kind.known", "must be a kind of the contract")
    if kind is not None and event.envelope.schema_version > kind.schema_version:
        newest = f"must be at most {kind.schema_version}"
        return Violation("envelope.schema_version", "schema_version.known", newest)
    return None


def _own_rules(event: Event, clinic_id: str) -> list[Violation]:
    envelope, broken = event.envelope, []
    named = kind_of(event.body)
    if named is not None and envelope.kind != named:
        broken.append(
            Violation("envelope.kind", "kind.matches_body", "must be the kind of the body")
        )
    elif named is not None and envelope.phi != KINDS[named].phi:
        stated = "true" if KINDS[named].phi else "false"
        broken.append(Violation("envelope.phi", "phi.kind", f"must be {stated} for this kind"))
    if is_audit(envelope.subject_id):
        broken.append(
            Violation(
                "envelope.subject_id", "subject.patient", "must be a patient, no audit stream"
            )
        )
    if envelope.clinic_id != clinic_id:
        broken.append(Violation("envelope.clinic_id", "clinic.own", "must be the caller's clinic"))
    return broken
