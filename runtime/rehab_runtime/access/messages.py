"""Facts and principals as rehab.identity.v1 tells them, and back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from google.protobuf.timestamp_pb2 import Timestamp

from rehab.events.v1.event_pb2 import Role
from rehab.identity.v1 import consent_service_pb2, identity_service_pb2, principal_pb2
from rehab_runtime.access.facts import Care, Consent, Grant, PatientFacts
from rehab_runtime.auth import Principal

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def moment(stamp: Timestamp) -> datetime:
    """To the microsecond. Raises OverflowError outside the years 1 to 9999."""
    return _EPOCH + timedelta(seconds=stamp.seconds, microseconds=stamp.nanos // 1000)


def role_name(role: int) -> str:
    """The role as principals have it; empty for none."""
    return Role.Name(role).removeprefix("ROLE_").lower() if role in Role.values() and role else ""


def role_number(name: str) -> Role:
    return Role.Value(f"ROLE_{name.upper()}")


def principal_of(message: principal_pb2.Principal) -> Principal:
    return Principal(
        id=message.principal_id,
        role=role_name(message.role),
        clinic_id=message.clinic_id,
        patient_id=message.patient_id,
        session_id=message.session_id,
        scopes=frozenset(message.scopes),
    )


def facts_message(facts: PatientFacts) -> identity_service_pb2.PatientFacts:
    message = identity_service_pb2.PatientFacts(
        patient_id=facts.patient_id, clinic_id=facts.clinic_id, erased=facts.erased
    )
    for care in facts.team:
        told = message.team.add(therapist_id=care.therapist_id)
        _set(told.since, care.since)
        _set(told.until, care.until)
    for consent in facts.consents:
        given = message.consents.add(
            consent_id=consent.consent_id, purpose=consent.purpose, scope=sorted(consent.scope)
        )
        _set(given.valid_from, consent.since)
        _set(given.valid_until, consent.until)
    for grant in facts.grants:
        taken = message.grants.add(
            grant_id=grant.grant_id,
            principal_id=grant.principal_id,
            patient_id=facts.patient_id,
        )
        _set(taken.taken_at, grant.since)
        _set(taken.expires_at, grant.until)
    return message


def facts_of(message: identity_service_pb2.PatientFacts) -> PatientFacts:
    return PatientFacts(
        message.patient_id,
        message.clinic_id,
        message.erased,
        tuple(
            Care(one.therapist_id, moment(one.since), _maybe(one, "until")) for one in message.team
        ),
        tuple(_consent(one) for one in message.consents),
        tuple(
            Grant(one.grant_id, one.principal_id, moment(one.taken_at), moment(one.expires_at))
            for one in message.grants
        ),
    )


def _consent(message: consent_service_pb2.Consent) -> Consent:
    ends = [_maybe(message, "valid_until"), _maybe(message, "revoked_at")]
    return Consent(
        message.consent_id,
        message.purpose,
        moment(message.valid_from),
        min((one for one in ends if one is not None), default=None),
        frozenset(message.scope),
    )


def _maybe(
    message: consent_service_pb2.Consent | consent_service_pb2.Care, field: str
) -> datetime | None:
    return moment(getattr(message, field)) if message.HasField(field) else None


def _set(stamp: Timestamp, at: datetime | None) -> None:
    if at is not None:
        stamp.FromDatetime(at)
