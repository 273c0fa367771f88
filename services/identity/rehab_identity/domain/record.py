"""What the log tells of a patient that decisions rest on, with when it was told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Given:
    """A consent as it was given; `told_at` is the log's time of it."""

    consent_id: str
    purpose: str
    scope: tuple[str, ...]
    valid_from: datetime
    valid_until: datetime | None
    text_sha256: str
    text_version: str
    mode: str
    shard: int
    position: int
    told_at: datetime


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """Kept apart from what was given: an order of the two is not to be relied on."""

    consent_id: str
    effective_at: datetime
    told_at: datetime


@dataclass(frozen=True, slots=True)
class Treatment:
    """A therapist treats the patient from `since` on, and ceased at `until`."""

    therapist_id: str
    primary: bool
    since: datetime
    told_at: datetime
    until: datetime | None = None
    ended_told_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Emergency:
    """Access that was taken in an emergency; `until` is when it ends by itself."""

    grant_id: str
    principal_id: str
    reason: str
    since: datetime
    until: datetime
    told_at: datetime
    ended_at: datetime | None = None
    ended_told_at: datetime | None = None
    reviewed_at: datetime | None = None
    reviewed_by: str = ""
    finding: str = ""

    @property
    def over_at(self) -> datetime:
        return self.until if self.ended_at is None else min(self.until, self.ended_at)


@dataclass(frozen=True, slots=True)
class PatientRecord:
    """`version` is that of the last event of the stream in it. `unreadable_at` is when the log told
    something that could not be read: what it was is not known, so from then on nothing is allowed
    on what came before."""

    patient_id: str
    clinic_id: str
    known_at: datetime
    version: int = 0
    given: tuple[Given, ...] = ()
    withdrawn: tuple[Withdrawal, ...] = ()
    team: tuple[Treatment, ...] = ()
    emergencies: tuple[Emergency, ...] = ()
    erased_at: datetime | None = None
    unreadable_at: datetime | None = None

    def consent(self, consent_id: str) -> Given | None:
        return next((one for one in self.given if one.consent_id == consent_id), None)

    def revoked_at(
        self, consent_id: str, told: Callable[[datetime], bool] = lambda _: True
    ) -> datetime | None:
        """When a consent ceases to be in force, by what had been told."""
        found = [
            one.effective_at
            for one in self.withdrawn
            if one.consent_id == consent_id and told(one.told_at)
        ]
        return min(found, default=None)

    def emergency(self, grant_id: str) -> Emergency | None:
        return next((one for one in self.emergencies if one.grant_id == grant_id), None)

    def treats(self, therapist_id: str) -> Treatment | None:
        """The treatment that goes on."""
        return next(
            (one for one in self.team if one.therapist_id == therapist_id and one.until is None),
            None,
        )
