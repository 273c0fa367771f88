"""Who may say what of whom, and on which consent: decided for every event, from facts alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from google.protobuf.timestamp_pb2 import Timestamp
from rehab_clinical.facts import by_right_clock

from rehab.events.v1 import patient_pb2
from rehab.events.v1.event_pb2 import ROLE_DEVICE, ROLE_PATIENT, Envelope, Event, Role
from rehab.events.v1.kinds import KINDS
from rehab.events.v1.tellers import SUITE, tellers
from rehab_runtime.access.facts import Care, Consent, PatientFacts
from rehab_runtime.auth import Principal
from rehab_runtime.errors import (
    ConsentNotInForce,
    Erased,
    PermissionDenied,
    RehabError,
    Violation,
)

ADMITTING = frozenset({"consent", "enrolment", "care_team"})
"""What a clinician may tell of a patient whom nobody treats yet."""
SELVES = frozenset({"patient", "device"})
TREATMENT = "treatment"
T = TypeVar("T")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Told:
    """What came in a moment ago, and identity may not have heard of."""

    consents: tuple[Consent, ...] = ()
    team: tuple[Care, ...] = ()
    withdrawn: tuple[tuple[str, datetime], ...] = ()
    clinic_id: str = ""

    def __or__(self, later: Told) -> Told:
        """Both; of what both tell it is told once."""
        return Told(
            _joined(self.consents, later.consents),
            _team(self.team, later.team),
            _joined(self.withdrawn, later.withdrawn),
            self.clinic_id or later.clinic_id,
        )

    def added_to(self, facts: PatientFacts) -> PatientFacts:
        if facts.clinic_id and not (self.consents or self.team or self.withdrawn):
            return facts
        known = {one.consent_id for one in facts.consents}
        consents = [*facts.consents, *(one for one in self.consents if one.consent_id not in known)]
        return replace(
            facts,
            clinic_id=facts.clinic_id or self.clinic_id,
            team=_team(facts.team, self.team),
            consents=tuple(_withdrawn(one, self.withdrawn) for one in consents),
        )

    def and_of(self, event: Event) -> Told:
        """The same after one more event."""
        told = self if self.clinic_id else replace(self, clinic_id=event.envelope.clinic_id)
        return told._and_content(event)

    def _and_content(self, event: Event) -> Told:
        match event.body.WhichOneof("kind"):
            case "consent":
                return self._and_consent(event.body.consent, event.envelope)
            case "care_team":
                return self._and_care(event.body.care_team, moment(event.envelope.occurred_at))
        return self

    def _and_care(self, told: patient_pb2.CareTeam, at: datetime) -> Told:
        if told.action == patient_pb2.CARE_TEAM_ACTION_ASSIGNED:
            return replace(self, team=(*self.team, Care(told.therapist_id, at)))
        ended = (
            replace(one, until=max(one.since, at))
            if one.therapist_id == told.therapist_id and one.until is None
            else one
            for one in self.team
        )
        return replace(self, team=tuple(ended))

    def _and_consent(self, told: patient_pb2.Consent, envelope: Envelope) -> Told:
        if told.HasField("revoked"):
            gone = (told.consent_id, by_right_clock(moment(told.revoked.effective_at), envelope))
            return replace(self, withdrawn=(*self.withdrawn, gone))
        granted = told.granted
        given = Consent(
            told.consent_id,
            granted.purpose,
            by_right_clock(moment(granted.valid_from), envelope),
            moment(granted.valid_until) if granted.HasField("valid_until") else None,
            frozenset(granted.scope),
        )
        return replace(self, consents=(*self.consents, given))


def _joined(earlier: tuple[T, ...], later: tuple[T, ...]) -> tuple[T, ...]:
    return tuple(dict.fromkeys((*earlier, *later)))


def _team(earlier: tuple[Care, ...], later: tuple[Care, ...]) -> tuple[Care, ...]:
    """What the earlier tells to have ended has ended, whatever else tells of its beginning."""
    begun = {(one.therapist_id, one.since) for one in earlier}
    return (*earlier, *(one for one in later if (one.therapist_id, one.since) not in begun))


def _withdrawn(consent: Consent, gone: Sequence[tuple[str, datetime]]) -> Consent:
    for consent_id, at in gone:
        if consent_id == consent.consent_id and (consent.until is None or at < consent.until):
            consent = replace(consent, until=at)
    return consent


def moment(stamp: Timestamp) -> datetime:
    """To the microsecond; the door has seen to it that the year is one there is."""
    return _EPOCH + timedelta(seconds=stamp.seconds, microseconds=stamp.nanos // 1000)


def refusal(
    event: Event, caller: Principal, facts: PatientFacts, now: datetime, skew_ms: int = 0
) -> RehabError | None:
    """Why the caller may not say it of the patient; None when they may."""
    return (
        _by_actor(event, caller)
        or _by_kind(event, caller)
        or _by_relation(event, caller, facts, now)
        or _by_consent(event, facts, skew_ms)
    )


def sayable(event: Event, caller: Principal) -> bool:
    """Whether somebody like the caller may say such a thing of a patient of their clinic. What they
    may not is not kept, for whoever sends it again later would say it for them."""
    own = event.envelope.clinic_id == caller.clinic_id
    return own and not (_by_kind(event, caller) or _by_actor(event, caller))


def may_change(error: RehabError) -> bool:
    """Whether it may be refused only because identity has not heard yet what the log has."""
    return isinstance(error, ConsentNotInForce | PermissionDenied) and any(
        one.rule in {"consent.known", "patient.treated"} for one in error.violations
    )


def _by_kind(event: Event, caller: Principal) -> RehabError | None:
    """By the table of kinds. A phone tells as its patient or as itself, as the event says."""
    kind, role = event.envelope.kind, caller.role
    if kind not in KINDS:
        return None  # the door knows of none
    if role in SELVES:
        role = _told_as(event, caller)
    may = tellers(kind, event.body)
    if role in may:
        return None
    if may == SUITE:
        return _denied("envelope.kind", "kind.suite", "must be a kind that people may tell")
    return _denied("envelope.kind", "kind.role", f"must be a kind that a {role} may tell")


def _told_as(event: Event, caller: Principal) -> str:
    """A phone that names its patient tells what its patient says."""
    actor = event.envelope.actor
    themselves = caller.role == "patient" or actor.id == caller.patient_id
    return "patient" if themselves and actor.role == ROLE_PATIENT else "device"


def _by_actor(event: Event, caller: Principal) -> RehabError | None:
    """Nobody speaks in another's name. A phone may name itself, or its patient."""
    actor, role = event.envelope.actor, caller.role
    if role == "service":
        return None
    if role in SELVES:
        names = {caller.id, caller.patient_id, event.envelope.device_id}
        own = actor.id in names and actor.role in (ROLE_PATIENT, ROLE_DEVICE)
    else:
        own = actor.id == caller.id and Role.Name(actor.role) == f"ROLE_{role.upper()}"
    return None if own else _denied("envelope.actor", "actor.own", "must be who calls")


def _by_relation(
    event: Event, caller: Principal, facts: PatientFacts, now: datetime
) -> RehabError | None:
    if caller.role == "service":
        return None
    field = "envelope.subject_id"
    if facts.erased:
        return Erased("the patient was erased")
    if facts.known and not caller.may_act_for(facts.clinic_id):
        return _denied(field, "patient.clinic", "must be a patient of the caller's clinic")
    if caller.role in SELVES:
        own = caller.patient_id == facts.patient_id
        rule, message = "patient.own", "must be the patient for whom the caller acts"
    else:
        untreated = not any(one.at(now) for one in facts.team)
        admits = untreated and event.envelope.kind in ADMITTING
        own = admits or facts.treated_by(caller.id, now) or facts.granted_to(caller.id, now)
        rule, message = "patient.treated", "must be a patient whom the caller treats"
    return None if own else _denied(field, rule, message)


def _by_consent(event: Event, facts: PatientFacts, skew_ms: int) -> RehabError | None:
    envelope = event.envelope
    if not envelope.phi or envelope.kind == "consent":
        return None
    field, consent = "envelope.consent_id", facts.consent(envelope.consent_id)
    if consent is None:
        rule = Violation(field, "consent.known", "must be a consent that the patient gave")
        return ConsentNotInForce(violations=[rule])
    if consent.purpose != (envelope.consent_purpose or TREATMENT):
        rule = Violation(field, "consent.purpose", "must be a consent to the purpose relied on")
        return ConsentNotInForce(violations=[rule])
    at = moment(envelope.occurred_at) - timedelta(milliseconds=skew_ms)
    if not consent.covers(at, envelope.kind):
        rule = Violation(field, "consent.in_force", "must be in force when the data arose")
        return ConsentNotInForce(violations=[rule])
    return None


def _denied(field: str, rule: str, message: str) -> PermissionDenied:
    return PermissionDenied(violations=[Violation(field, rule, message)])
