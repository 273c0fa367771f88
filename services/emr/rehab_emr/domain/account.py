"""The account of disclosures: what left, to whom, why, on which consent, and what came of it."""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass, replace
from datetime import datetime

from rehab.events.v1 import care_pb2
from rehab.events.v1.event_pb2 import PROVENANCE_SYSTEM, ROLE_SERVICE, Body, Event
from rehab.events.v1.kinds import KINDS
from rehab_emr.domain.resource import Resource

KIND = "emr_delivery"
MOST_EVENTS = 64
"""As rehab.events.v1.EmrDelivery says."""
Outcome = care_pb2.DeliveryOutcome
PUSHED = care_pb2.DELIVERY_OUTCOME_PUSHED
ACCEPTED = care_pb2.DELIVERY_OUTCOME_ACCEPTED
REJECTED = care_pb2.DELIVERY_OUTCOME_REJECTED
PULLED = care_pb2.DELIVERY_OUTCOME_PULLED
OUTCOMES = {PUSHED: "pushed", ACCEPTED: "accepted", REJECTED: "rejected", PULLED: "pulled"}


@dataclass(frozen=True, slots=True)
class Disclosure:
    """One resource, as it was at one position of the log, that left for one endpoint."""

    delivery_id: str
    at: datetime
    endpoint_id: str
    resource_type: str
    resource_kind: str
    resource_id: str
    event_ids: tuple[str, ...]
    purpose: str
    consent_id: str
    outcome: Outcome = PUSHED
    remote_id: str = ""

    @classmethod
    def of(cls, told: care_pb2.EmrDelivery, at: datetime) -> Disclosure:
        return cls(
            told.delivery_id,
            at,
            told.endpoint_id,
            told.resource_type,
            told.resource_kind,
            told.resource_id,
            tuple(told.event_ids),
            told.purpose,
            told.consent_id,
        )

    def after(self, told: care_pb2.EmrDelivery) -> Disclosure:
        if told.outcome == PUSHED:
            return self
        return replace(self, outcome=told.outcome, remote_id=told.remote_id)


@dataclass(frozen=True, slots=True)
class Leaving:
    """Who tells of whom, to whom, and by which consent."""

    clinic_id: str
    patient_id: str
    endpoint_id: str
    consent_id: str
    purpose: str


def delivery_id(leaving: Leaving, resource: Resource, position: int, at: datetime) -> str:
    """Of a resource as a position of the log left it, on its way since `at`: the same however often
    it is sent. It does not depend on what the resource says, for that would outlive erasure."""
    return named_id(
        *(leaving.endpoint_id, leaving.patient_id, *resource.key, leaving.consent_id),
        *(str(position), at.isoformat()),
    )


def told_of(
    leaving: Leaving,
    resource: Resource,
    identity: str,
    at: datetime,
    outcome: Outcome,
    remote: str = "",
) -> Event:
    """The event that tells of it: before it leaves, or of its answer."""
    body = Body(
        emr_delivery=care_pb2.EmrDelivery(
            delivery_id=identity,
            endpoint_id=leaving.endpoint_id,
            resource_type=resource.type,
            remote_id=remote[:128],
            outcome=outcome,
            consent_id=leaving.consent_id,
            resource_id=resource.key.id,
            resource_kind=resource.key.kind,
            event_ids=resource.event_ids[-MOST_EVENTS:],
            purpose=leaving.purpose,
        )
    )
    event = Event(body=body)
    envelope = event.envelope
    envelope.event_id = named_id(identity, OUTCOMES[outcome], remote)
    envelope.clinic_id, envelope.subject_id = leaving.clinic_id, leaving.patient_id
    envelope.kind, envelope.schema_version = KIND, KINDS[KIND].schema_version
    envelope.occurred_at.FromDatetime(at)
    envelope.actor.id, envelope.actor.role = "emr", ROLE_SERVICE
    envelope.phi, envelope.consent_id = True, leaving.consent_id
    envelope.provenance = PROVENANCE_SYSTEM
    return event


def named_id(*parts: str) -> str:
    """Of the same name it is the same. It has the form of a UUID version 7, as event ids have, but
    tells no time."""
    digest = bytearray(hashlib.sha256("\0".join(parts).encode()).digest()[:16])
    digest[6] = digest[6] & 0x0F | 0x70
    digest[8] = digest[8] & 0x3F | 0x80
    return str(uuid.UUID(bytes=bytes(digest)))
