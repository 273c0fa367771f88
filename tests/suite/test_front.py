"""The whole front, over every service as it is run: let in by a device's key, held to consents,
seen by who treats the patient, traced, and out within seconds."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import grpc
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from rehab.errors.v1 import error_reason_pb2 as reasons
from rehab.events.v1 import event_pb2
from rehab.events.v1.event_pb2 import Event
from rehab.identity.v1 import account_service_pb2 as account_pb
from rehab.identity.v1 import consent_service_pb2 as consent_pb
from rehab.identity.v1 import device_service_pb2 as device_pb
from rehab.identity.v1 import identity_service_pb2 as identity_pb
from rehab.identity.v1 import session_service_pb2 as session_pb
from rehab.identity.v1.account_service_pb2_grpc import AccountServiceStub
from rehab.identity.v1.consent_service_pb2_grpc import ConsentServiceStub
from rehab.identity.v1.device_service_pb2_grpc import DeviceServiceStub
from rehab.identity.v1.identity_service_pb2_grpc import IdentityServiceStub
from rehab.identity.v1.session_service_pb2_grpc import SessionServiceStub
from rehab.ingest.v1 import ingest_service_pb2 as ingest_pb
from rehab.ingest.v1.ingest_service_pb2_grpc import IngestServiceStub
from rehab.projections.v1 import projections_service_pb2 as read_pb
from rehab.projections.v1.projections_service_pb2_grpc import ProjectionsServiceStub
from rehab_sdk import dev_token
from tests.identity.house import signed
from tests.ingest.given import rep
from tests.suite.test_commands import data

__all__ = ["data"]

CLINIC = "clinic-front"
PASSWORD = "correct horse battery staple"
GONE_S = 10.0
"""What is withdrawn is withdrawn everywhere within seconds, on a busy machine too."""

Credentials = list[tuple[str, str]]
ADMIN: Credentials = [("authorization", f"Bearer {dev_token('admin', CLINIC, 'admin-1')}")]


def showing(token: str) -> Credentials:
    return [("authorization", f"Bearer {token}")]


@contextmanager
def channels(folder: Path) -> Iterator[dict[str, grpc.Channel]]:
    addresses = json.loads((folder / "suite.json").read_text())["addresses"]
    opened = {name: grpc.insecure_channel(address) for name, address in addresses.items()}
    try:
        yield opened
    finally:
        for one in opened.values():
            one.close()


def account(to: Any, name: str, role: int) -> Credentials:
    """Somebody new, who logs in."""
    accounts, email = AccountServiceStub(to["identity"]), f"{name}@example.org"
    request = account_pb.CreateAccountRequest(
        account_id=name, clinic_id=CLINIC, role=role, password=PASSWORD
    )
    request.profile.email = email
    accounts.CreateAccount(request, metadata=ADMIN, timeout=20)
    asked = session_pb.LogInRequest(clinic_id=CLINIC, email=email, password=PASSWORD)
    tokens = SessionServiceStub(to["identity"]).LogIn(asked, timeout=20).tokens
    return showing(tokens.access_token)


def enrolled(to: Any, patient: str, by: Credentials) -> tuple[str, Credentials]:
    """A device with a key of its own, and what it shows."""
    devices, key = DeviceServiceStub(to["identity"]), Ed25519PrivateKey.generate()
    asked = device_pb.CreateEnrolmentCodeRequest(patient_id=patient)
    code = devices.CreateEnrolmentCode(asked, metadata=by, timeout=20).code
    public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    made = devices.EnrolDevice(
        device_pb.EnrolDeviceRequest(code=code, public_key=public), timeout=20
    )
    assert made.patient_id == patient
    now = int(time.time())
    claims = {"iss": made.device_id, "sub": made.device_id, "aud": "rehab", "iat": now}
    claims |= {"exp": now + 60, "jti": secrets.token_hex(8)}
    assertion = signed(key, {"alg": "Ed25519", "typ": "JWT"}, claims)
    request = session_pb.LogInDeviceRequest(assertion=assertion)
    tokens = SessionServiceStub(to["identity"]).LogInDevice(request, timeout=20).tokens
    return made.device_id, showing(tokens.access_token)


def observed(patient: str, consent: str) -> Event:
    event = rep(patient, clinic=CLINIC)
    event.envelope.occurred_at.FromDatetime(datetime.now(UTC))
    event.envelope.consent_id = consent
    return event


def logged(to: Any, who: Credentials, *events: Event) -> list[int]:
    """The reasons of refusal, 0 for what was stored."""
    request = ingest_pb.LogEventsRequest(events=events)
    answer = IngestServiceStub(to["ingest"]).LogEvents(request, metadata=who, timeout=20)
    return [verdict.failure.reason for verdict in answer.verdicts]


def reads(to: Any, who: Credentials, patient: str) -> str:
    """ "ok", or the code of the refusal."""
    request = read_pb.GetQualityRequest(patient_id=patient)
    request.window.days = 7
    try:
        ProjectionsServiceStub(to["projections"]).GetQuality(request, metadata=who, timeout=20)
    except grpc.RpcError as error:
        return str(error.code().name)
    return "ok"


def soon(look: Any, wanted: Any) -> None:
    deadline = time.monotonic() + GONE_S
    while (seen := look()) != wanted:
        assert time.monotonic() < deadline, f"still {seen}"
        time.sleep(0.1)


@pytest.fixture(scope="module")
def to(data: Path) -> Iterator[dict[str, grpc.Channel]]:
    with channels(data) as opened:
        yield opened


def test_from_a_new_patient_to_what_the_therapist_sees_and_back(to: Any) -> None:
    patient, ann, bob = "front-patient", "front-ann", "front-bob"
    own = account(to, patient, event_pb2.ROLE_PATIENT)
    treating = account(to, ann, event_pb2.ROLE_THERAPIST)
    other = account(to, bob, event_pb2.ROLE_THERAPIST)
    consents = ConsentServiceStub(to["identity"])
    device_id, phone = enrolled(to, patient, own)

    refused = logged(to, phone, observed(patient, "consent-front"))
    assert refused == [reasons.ERROR_REASON_CONSENT_NOT_IN_FORCE]
    granted = consents.GrantConsent(
        consent_pb.GrantConsentRequest(
            patient_id=patient, consent_id="consent-front", purpose="treatment"
        ),
        metadata=own,
        timeout=20,
    ).consent
    assert granted.in_force
    assert logged(to, phone, observed(patient, "consent-front")) == [0]
    foreign = logged(to, phone, observed("another-patient", "consent-front"))
    assert foreign == [reasons.ERROR_REASON_PERMISSION_DENIED]

    assert reads(to, treating, patient) == "PERMISSION_DENIED"
    consents.AssignTherapist(
        consent_pb.AssignTherapistRequest(patient_id=patient, therapist_id=ann),
        metadata=ADMIN,
        timeout=20,
    )
    soon(lambda: reads(to, treating, patient), "ok")
    assert reads(to, own, patient) == "ok"
    assert reads(to, other, patient) == "PERMISSION_DENIED"
    assert reads(to, ADMIN, patient) == "PERMISSION_DENIED"
    elsewhere = showing(dev_token("therapist", "clinic-9", ann))
    assert reads(to, elsewhere, patient) == "NOT_FOUND"

    consents.RevokeConsent(
        consent_pb.RevokeConsentRequest(patient_id=patient, consent_id="consent-front"),
        metadata=own,
        timeout=20,
    )
    soon(lambda: reads(to, treating, patient), "PERMISSION_DENIED")
    assert reads(to, own, patient) == "ok"
    soon(
        lambda: logged(to, phone, observed(patient, "consent-front")),
        [reasons.ERROR_REASON_CONSENT_NOT_IN_FORCE],
    )

    identity = IdentityServiceStub(to["identity"])

    def trail() -> set[tuple[str, bool]]:
        asked = identity_pb.ListAccessRequest(patient_id=patient, page_size=200)
        entries = identity.ListAccess(asked, metadata=own, timeout=20).entries
        return {(one.actor_id, one.allowed) for one in entries if "GetQuality" in one.rpc}

    wanted = {(ann, True), (ann, False), (bob, False), ("admin-1", False), (patient, True)}
    soon(lambda: trail() >= wanted, True)

    DeviceServiceStub(to["identity"]).RevokeDevice(
        device_pb.RevokeDeviceRequest(device_id=device_id, reason="lost"), metadata=own, timeout=20
    )

    def streams() -> str:
        try:
            logged(to, phone, observed(patient, "consent-front"))
        except grpc.RpcError as error:
            return str(error.code().name)
        return "ok"

    soon(streams, "UNAUTHENTICATED")


def test_emergency_access_opens_one_record_for_a_while_and_is_listed_for_review(to: Any) -> None:
    patient, eve = "front-urgent", "front-eve"
    own = account(to, patient, event_pb2.ROLE_PATIENT)
    clinician = account(to, eve, event_pb2.ROLE_THERAPIST)
    ConsentServiceStub(to["identity"]).GrantConsent(
        consent_pb.GrantConsentRequest(
            patient_id=patient, consent_id="consent-urgent", purpose="treatment"
        ),
        metadata=own,
        timeout=20,
    )
    assert logged(to, own, observed(patient, "consent-urgent")) == [0]
    assert reads(to, clinician, patient) == "PERMISSION_DENIED"
    identity = IdentityServiceStub(to["identity"])
    taken = identity.TakeEmergencyAccess(
        identity_pb.TakeEmergencyAccessRequest(patient_id=patient, reason="acute_event"),
        metadata=clinician,
        timeout=20,
    ).grant
    soon(lambda: reads(to, clinician, patient), "ok")
    asked = identity_pb.ListEmergencyAccessRequest(clinic_id=CLINIC, unreviewed=True)
    queue = identity.ListEmergencyAccess(asked, metadata=ADMIN, timeout=20).grants
    assert taken.grant_id in {one.grant_id for one in queue}
    identity.EndEmergencyAccess(
        identity_pb.EndEmergencyAccessRequest(grant_id=taken.grant_id),
        metadata=clinician,
        timeout=20,
    )
    soon(lambda: reads(to, clinician, patient), "PERMISSION_DENIED")


def test_a_watch_goes_on_as_long_as_its_caller_may_read_and_no_longer(to: Any) -> None:
    patient, ann, eve = "front-watched", "front-ann-too", "front-eve-too"
    own = account(to, patient, event_pb2.ROLE_PATIENT)
    treating = account(to, ann, event_pb2.ROLE_THERAPIST)
    clinician = account(to, eve, event_pb2.ROLE_THERAPIST)
    consents = ConsentServiceStub(to["identity"])
    consents.GrantConsent(
        consent_pb.GrantConsentRequest(
            patient_id=patient, consent_id="consent-watched", purpose="treatment"
        ),
        metadata=own,
        timeout=20,
    )
    consents.AssignTherapist(
        consent_pb.AssignTherapistRequest(patient_id=patient, therapist_id=ann),
        metadata=ADMIN,
        timeout=20,
    )
    assert logged(to, own, observed(patient, "consent-watched")) == [0]
    soon(lambda: reads(to, treating, patient), "ok")

    def watched(who: Credentials) -> Any:
        request = read_pb.WatchQualityRequest()
        request.asked.patient_id, request.asked.window.days = patient, 7
        return ProjectionsServiceStub(to["projections"]).WatchQuality(
            request, metadata=who, timeout=60
        )

    looking = watched(treating)
    assert next(looking).HasField("answer")
    consents.RevokeConsent(
        consent_pb.RevokeConsentRequest(patient_id=patient, consent_id="consent-watched"),
        metadata=own,
        timeout=20,
    )
    with pytest.raises(grpc.RpcError) as ended:
        list(looking)
    assert ended.value.code() is grpc.StatusCode.PERMISSION_DENIED

    # who may without the consent may watch without it
    IdentityServiceStub(to["identity"]).TakeEmergencyAccess(
        identity_pb.TakeEmergencyAccessRequest(patient_id=patient, reason="acute_event"),
        metadata=clinician,
        timeout=20,
    )
    soon(lambda: reads(to, clinician, patient), "ok")
    urgent = watched(clinician)
    assert next(urgent).HasField("answer")
    urgent.cancel()
