"""What a record says to a decision: now, or as it was known at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime

from rehab_identity.domain.record import Given, PatientRecord, Treatment
from rehab_runtime.access.facts import Care, Consent, Grant, PatientFacts


def facts(record: PatientRecord, as_of: datetime | None = None) -> PatientFacts:
    """By what the log had told at `as_of`; by all that it told without."""
    told = _told_by(as_of)
    if not told(record.known_at):
        return PatientFacts(record.patient_id)
    if record.erased_at is not None and told(record.erased_at):
        return PatientFacts(record.patient_id, record.clinic_id, erased=True)
    if record.unreadable_at is not None and told(record.unreadable_at):
        return PatientFacts(record.patient_id, record.clinic_id)
    return PatientFacts(
        record.patient_id,
        record.clinic_id,
        team=tuple(
            Care(one.therapist_id, one.since, ended(one, told))
            for one in record.team
            if told(one.told_at)
        ),
        consents=tuple(
            Consent(
                one.consent_id,
                one.purpose,
                one.valid_from,
                earliest(one.valid_until, record.revoked_at(one.consent_id, told)),
                frozenset(one.scope),
            )
            for one in record.given
            if told(one.told_at)
        ),
        grants=tuple(_grants(record, told)),
    )


def consents(
    record: PatientRecord, as_of: datetime | None = None
) -> Iterator[tuple[Given, datetime | None]]:
    """Each consent with when it was withdrawn, in the order told."""
    told = _told_by(as_of)
    for one in record.given:
        if told(one.told_at):
            yield one, record.revoked_at(one.consent_id, told)


def earliest(one: datetime | None, other: datetime | None) -> datetime | None:
    return min((moment for moment in (one, other) if moment is not None), default=None)


Told = Callable[[datetime], bool]


def ended(one: Treatment, told: Told) -> datetime | None:
    known = one.ended_told_at is not None and told(one.ended_told_at)
    return one.until if known else None


def _grants(record: PatientRecord, told: Told) -> Iterator[Grant]:
    for one in record.emergencies:
        if told(one.told_at):
            known = one.ended_told_at is not None and told(one.ended_told_at)
            until = one.over_at if known else one.until
            yield Grant(one.grant_id, one.principal_id, one.since, until)


def _told_by(as_of: datetime | None) -> Told:
    return lambda moment: as_of is None or moment <= as_of
