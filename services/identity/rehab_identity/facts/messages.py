"""Records as rehab.identity.v1 tells them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp

from rehab.identity.v1 import consent_service_pb2, identity_service_pb2
from rehab_identity.domain.accesses import Entry
from rehab_identity.domain.record import Given, Treatment
from rehab_identity.domain.view import earliest
from rehab_identity.facts.notices import Notice
from rehab_identity.facts.storage import Taken
from rehab_runtime.access.messages import moment
from rehab_runtime.errors import InvalidArgument, Violation


def moment_of(message: Any, field: str) -> datetime | None:
    """None when it is absent. Raises InvalidArgument outside the years 1 to 9999."""
    if not message.HasField(field):
        return None
    try:
        return moment(getattr(message, field))
    except OverflowError:
        rule = Violation(field, "timestamp.range", "must be between the years 1 and 9999")
        raise InvalidArgument(violations=[rule]) from None


def consent_message(
    given: Given, revoked_at: datetime | None, at: datetime
) -> consent_service_pb2.Consent:
    """`in_force` is said of `at`."""
    message = consent_service_pb2.Consent(
        consent_id=given.consent_id,
        purpose=given.purpose,
        scope=given.scope,
        text_version=given.text_version,
        mode=given.mode,
        shard=given.shard,
        position=given.position,
    )
    ends = earliest(given.valid_until, revoked_at)
    message.in_force = given.valid_from <= at and (ends is None or at < ends)
    _set(message.valid_from, given.valid_from)
    _set(message.valid_until, given.valid_until)
    _set(message.revoked_at, revoked_at)
    return message


def care_message(one: Treatment) -> consent_service_pb2.Care:
    message = consent_service_pb2.Care(therapist_id=one.therapist_id, primary=one.primary)
    _set(message.since, one.since)
    _set(message.until, one.until)
    return message


def emergency_message(one: Taken) -> identity_service_pb2.EmergencyAccess:
    message = identity_service_pb2.EmergencyAccess(
        grant_id=one.grant_id,
        principal_id=one.principal_id,
        patient_id=one.patient_id,
        reason=one.reason,
        reviewed_by=one.reviewed_by,
        finding=one.finding,
    )
    _set(message.taken_at, one.taken_at)
    _set(message.expires_at, one.expires_at)
    _set(message.reviewed_at, one.reviewed_at)
    return message


def notice_message(one: Notice) -> identity_service_pb2.WatchEmergencyAccessResponse:
    notice = identity_service_pb2.EmergencyNotice(
        grant=emergency_message(one.taken),
        clinic_id=one.taken.clinic_id,
        recipients=one.recipients,
    )
    return identity_service_pb2.WatchEmergencyAccessResponse(seq=one.seq, notice=notice)


def entry_message(one: Entry) -> identity_service_pb2.AccessEntry:
    message = identity_service_pb2.AccessEntry(
        actor_id=one.actor_id,
        rpc=one.rpc,
        allowed=one.allowed,
        reason=one.reason,
        purpose=one.purpose,
        consent_id=one.consent_id,
        event_id=one.event_id,
        patient_id=one.patient_id,
        clinic_id=one.clinic_id,
    )
    message.role = one.role  # type: ignore[assignment]
    _set(message.at, one.at)
    _set(message.covered_until, one.covered_until)
    return message


def _set(stamp: Timestamp, at: datetime | None) -> None:
    if at is not None:
        stamp.FromDatetime(at)
