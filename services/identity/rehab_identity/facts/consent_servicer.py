"""Consents and care relationships: message to event, record to message."""

from __future__ import annotations

from datetime import datetime

import grpc
from google.protobuf.timestamp_pb2 import Timestamp

from rehab.events.v1 import patient_pb2
from rehab.events.v1.event_pb2 import Body
from rehab.identity.v1 import consent_service_pb2 as pb
from rehab.identity.v1 import consent_service_pb2_grpc as pb_grpc
from rehab_identity.domain.record import Given, PatientRecord
from rehab_identity.domain.view import consents, facts
from rehab_identity.facts.messages import care_message, consent_message, moment_of
from rehab_identity.facts.patients import Patients
from rehab_identity.facts.storage import Storage
from rehab_identity.facts.telling import Teller, named_id
from rehab_runtime.clock import uuid7
from rehab_runtime.errors import (
    AlreadyExists,
    ConsentNotInForce,
    InvalidArgument,
    NotFound,
    Violation,
)
from rehab_runtime.validation import require_valid

Context = grpc.aio.ServicerContext
TREATMENT = "treatment"


class ConsentServicer(pb_grpc.ConsentServiceServicer):
    def __init__(self, patients: Patients, storage: Storage, teller: Teller) -> None:
        self._patients = patients
        self._storage = storage
        self._teller = teller

    async def GrantConsent(
        self, request: pb.GrantConsentRequest, context: Context
    ) -> pb.GrantConsentResponse:
        require_valid(request)
        _require_sound(request)
        patient = await self._patients.living(request.patient_id)
        now = self._teller.now()
        consent_id = request.consent_id or str(uuid7())
        if patient.consent(consent_id) is None:
            body = Body(consent=patient_pb2.Consent(consent_id=consent_id))
            body.consent.granted.CopyFrom(_granted(request, now))
            await self._teller.tell(
                patient,
                body,
                at=now,
                event_id=named_id(patient.patient_id, "consent_granted", consent_id),
                consent_id=consent_id,
            )
            patient = await self._patients.living(request.patient_id)
        given = _consent(patient, consent_id)
        if not _agrees(given, request):
            message = "must be a new id: a consent with other content has it"
            raise AlreadyExists(violations=[Violation("consent_id", "consent_id.new", message)])
        return pb.GrantConsentResponse(consent=self._told(patient, given))

    async def RevokeConsent(
        self, request: pb.RevokeConsentRequest, context: Context
    ) -> pb.RevokeConsentResponse:
        require_valid(request)
        patient = await self._patients.living(request.patient_id)
        given = _consent(patient, request.consent_id)
        now = self._teller.now()
        asked = moment_of(request, "effective_at")
        if asked is not None and asked < given.valid_from:
            message = "must not be before the consent is valid"
            raise _invalid("effective_at", "timestamp.not_before_valid_from", message)
        if patient.revoked_at(given.consent_id) is None:
            body = Body(consent=patient_pb2.Consent(consent_id=given.consent_id))
            # one that is not valid yet never will be
            effective_at = asked or max(now, given.valid_from)
            body.consent.revoked.effective_at.FromDatetime(effective_at)
            await self._teller.tell(
                patient,
                body,
                at=now,
                event_id=named_id(patient.patient_id, "consent_revoked", given.consent_id),
                consent_id=given.consent_id,
            )
            patient = await self._patients.living(request.patient_id)
        return pb.RevokeConsentResponse(consent=self._told(patient, given))

    async def ListConsents(
        self, request: pb.ListConsentsRequest, context: Context
    ) -> pb.ListConsentsResponse:
        require_valid(request)
        patient = await self._patients.record(request.patient_id)
        as_of = moment_of(request, "as_of")
        at = as_of or self._teller.now()
        return pb.ListConsentsResponse(
            consents=[consent_message(given, gone, at) for given, gone in consents(patient, as_of)]
        )

    async def AssignTherapist(
        self, request: pb.AssignTherapistRequest, context: Context
    ) -> pb.AssignTherapistResponse:
        require_valid(request)
        patient = await self._patients.living(request.patient_id)
        await self._require_therapist(request.therapist_id, patient.clinic_id)
        going_on = patient.treats(request.therapist_id)
        if going_on is None or going_on.primary != request.primary:
            now = self._teller.now()
            consent = facts(patient).consent_to(TREATMENT, now)
            if consent is None:
                message = "must have a consent to treatment in force"
                raise ConsentNotInForce(
                    violations=[Violation("patient_id", "consent.treatment", message)]
                )
            await self._tell_team(
                patient,
                patient_pb2.CareTeam(
                    therapist_id=request.therapist_id,
                    action=patient_pb2.CARE_TEAM_ACTION_ASSIGNED,
                    primary=request.primary,
                ),
                now,
                consent.consent_id,
            )
        return pb.AssignTherapistResponse()

    async def ReleaseTherapist(
        self, request: pb.ReleaseTherapistRequest, context: Context
    ) -> pb.ReleaseTherapistResponse:
        require_valid(request)
        patient = await self._patients.living(request.patient_id)
        if patient.treats(request.therapist_id) is not None:
            released = patient_pb2.CareTeam(
                therapist_id=request.therapist_id, action=patient_pb2.CARE_TEAM_ACTION_RELEASED
            )
            # to be released needs no consent in force, only one to tell it under
            on = [one.consent_id for one in patient.given if one.purpose == TREATMENT] or [
                one.consent_id for one in patient.given
            ]
            await self._tell_team(patient, released, self._teller.now(), (on or [""])[-1])
        return pb.ReleaseTherapistResponse()

    async def ListCareTeam(
        self, request: pb.ListCareTeamRequest, context: Context
    ) -> pb.ListCareTeamResponse:
        require_valid(request)
        patient = await self._patients.record(request.patient_id)
        return pb.ListCareTeamResponse(team=[care_message(one) for one in patient.team])

    async def _tell_team(
        self, patient: PatientRecord, change: patient_pb2.CareTeam, at: datetime, consent_id: str
    ) -> None:
        await self._teller.tell(patient, Body(care_team=change), at=at, consent_id=consent_id)

    async def _require_therapist(self, account_id: str, clinic_id: str) -> None:
        """One who has no account here yet is taken: without one nobody is let in as them."""
        account = await self._storage.account(account_id)
        if account is not None and account != (clinic_id, "therapist"):
            message = "must be a therapist of the patient's clinic"
            raise _invalid("therapist_id", "account.therapist", message)

    def _told(self, patient: PatientRecord, given: Given) -> pb.Consent:
        return consent_message(given, patient.revoked_at(given.consent_id), self._teller.now())


def _consent(patient: PatientRecord, consent_id: str) -> Given:
    found = patient.consent(consent_id)
    if found is None:
        raise NotFound("the consent is not known")
    return found


def _granted(request: pb.GrantConsentRequest, now: datetime) -> patient_pb2.ConsentGranted:
    granted = patient_pb2.ConsentGranted(
        purpose=request.purpose,
        scope=request.scope,
        text_sha256=request.text_sha256,
        text_version=request.text_version,
        mode=request.mode,
    )
    begins = Timestamp()
    begins.FromDatetime(now)
    granted.valid_from.CopyFrom(request.valid_from if request.HasField("valid_from") else begins)
    if request.HasField("valid_until"):
        granted.valid_until.CopyFrom(request.valid_until)
    return granted


def _agrees(given: Given, request: pb.GrantConsentRequest) -> bool:
    """Whether a consent is what is asked for; a time that is not told is none to disagree on."""
    begins = moment_of(request, "valid_from")
    return (
        given.purpose == request.purpose
        and set(given.scope) == set(request.scope)
        and begins in {None, given.valid_from}
        and moment_of(request, "valid_until") == given.valid_until
        and given.text_sha256 == request.text_sha256.hex()
        and given.text_version == request.text_version
        and given.mode == request.mode
    )


def _require_sound(request: pb.GrantConsentRequest) -> None:
    begins, ends = moment_of(request, "valid_from"), moment_of(request, "valid_until")
    if begins is not None and ends is not None and ends <= begins:
        message = "must be after valid_from"
        raise _invalid("valid_until", "timestamp.after_valid_from", message)
    if len(request.text_sha256) not in {0, 32}:
        raise _invalid("text_sha256", "bytes.len", "must be 32 bytes, or none")


def _invalid(field: str, rule: str, message: str) -> InvalidArgument:
    return InvalidArgument(violations=[Violation(field, rule, message)])
