"""What a decision about a patient rests on."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Care:
    """A therapist treats the patient from `since`, before `until`."""

    therapist_id: str
    since: datetime
    until: datetime | None = None

    def at(self, moment: datetime) -> bool:
        return self.since <= moment and (self.until is None or moment < self.until)


@dataclass(frozen=True, slots=True)
class Consent:
    """The patient agrees to a purpose, for the kinds of events in `scope` or, without any, for all.
    `until` is when it ends by itself or was withdrawn, whichever is earlier."""

    consent_id: str
    purpose: str
    since: datetime
    until: datetime | None = None
    scope: frozenset[str] = field(default_factory=frozenset)

    def covers(self, moment: datetime, kind: str = "") -> bool:
        if kind and self.scope and kind not in self.scope:
            return False
        return self.since <= moment and (self.until is None or moment < self.until)


@dataclass(frozen=True, slots=True)
class Grant:
    """Emergency access of one principal, taken at `since`, ended at `until`."""

    grant_id: str
    principal_id: str
    since: datetime
    until: datetime

    def at(self, moment: datetime) -> bool:
        return self.since <= moment < self.until


@dataclass(frozen=True, slots=True)
class PatientFacts:
    """`clinic_id` is empty for a patient who is not known."""

    patient_id: str
    clinic_id: str = ""
    erased: bool = False
    team: tuple[Care, ...] = ()
    consents: tuple[Consent, ...] = ()
    grants: tuple[Grant, ...] = ()

    @property
    def known(self) -> bool:
        return bool(self.clinic_id)

    def treated_by(self, therapist_id: str, moment: datetime) -> bool:
        return any(one.therapist_id == therapist_id and one.at(moment) for one in self.team)

    def granted_to(self, principal_id: str, moment: datetime) -> bool:
        return any(one.principal_id == principal_id and one.at(moment) for one in self.grants)

    def consent_to(self, purpose: str, moment: datetime, kind: str = "") -> Consent | None:
        """A consent to the purpose that is in force; of several, the one that began last."""
        found = [
            one for one in self.consents if one.purpose == purpose and one.covers(moment, kind)
        ]
        return max(found, key=lambda one: (one.since, one.consent_id), default=None)

    def consent(self, consent_id: str) -> Consent | None:
        return next((one for one in self.consents if one.consent_id == consent_id), None)
