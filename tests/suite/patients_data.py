"""What a simulated clinic's people would tell of themselves, told to a running suite: who they are,
to identity; free text in every field that takes any, to the log. And what goes wrong with it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

import grpc
from google.protobuf.message import Message

from rehab.events.v1 import event_pb2
from rehab.events.v1.event_pb2 import Body, Event
from rehab.events.v1.kinds import KINDS, is_free_text
from rehab.identity.v1 import account_service_pb2 as account_pb
from rehab.identity.v1 import api_key_service_pb2 as key_pb
from rehab.identity.v1 import device_service_pb2 as device_pb
from rehab.identity.v1 import identity_service_pb2 as identity_pb
from rehab.identity.v1 import session_service_pb2 as session_pb
from rehab.identity.v1.account_service_pb2_grpc import AccountServiceStub
from rehab.identity.v1.api_key_service_pb2_grpc import ApiKeyServiceStub
from rehab.identity.v1.device_service_pb2_grpc import DeviceServiceStub
from rehab.identity.v1.identity_service_pb2_grpc import IdentityServiceStub
from rehab.identity.v1.session_service_pb2_grpc import SessionServiceStub
from rehab.ingest.v1 import ingest_service_pb2 as ingest_pb
from rehab.ingest.v1.ingest_service_pb2_grpc import IngestServiceStub
from rehab.projections.v1 import projections_service_pb2 as read_pb
from rehab.projections.v1.projections_service_pb2_grpc import ProjectionsServiceStub
from rehab_cli.clinic.people import Clinic, Patient, Person
from rehab_runtime.auth import Principal, bearer, service_principal
from rehab_runtime.clock import uuid7
from tests.contract.golden import bodies

TEXT = "Zqxkvorth: it's her left knee, worse at night"
WORDS = ("Zqxkvorth", "worse at night")
"""What of it stands in short fields, too, and what only in long ones."""
PASSWORD = "Zqxkvpass phrase of the test"
WRONG = "Zqxkvwrong"
SECRETS = (*WORDS, "Zqxkvpass", WRONG)
NOT_OURS = frozenset({"access", "archive", "erasure", "quarantine"})
"""Kinds that change or prove the log itself."""
TIMEOUT_S = 20


@dataclass(frozen=True)
class Told:
    """Kinds that were stored, how often something was refused, and all that an export gave back."""

    stored: set[str] = field(default_factory=set)
    refused: list[str] = field(default_factory=list)
    exported: list[str] = field(default_factory=list)


def filled(message: Message) -> int:
    """Put the text into every field for a person's own words; how many there are."""
    count = 0
    for descriptor, value in message.ListFields():
        if descriptor.message_type is not None:
            if not descriptor.message_type.GetOptions().map_entry:
                parts = value if descriptor.is_repeated else [value]
                count += sum(filled(part) for part in parts)
        elif is_free_text(descriptor):
            setattr(message, descriptor.name, TEXT)
            count += 1
    return count


def free_bodies(kind: str) -> Iterator[Body]:
    """One for each way to choose among exclusive fields, with the text wherever it may stand."""
    for body in bodies(kind):
        filled(body)
        yield body


def events_of(patient: Patient, body: Body, who: Principal) -> Event:
    event = Event(body=body)
    envelope, kind = event.envelope, str(body.WhichOneof("kind"))
    envelope.event_id, envelope.kind, envelope.schema_version = str(uuid7()), kind, 1
    envelope.clinic_id, envelope.subject_id = patient.clinic_id, patient.id
    envelope.occurred_at.FromDatetime(datetime.now(UTC))
    envelope.zone = patient.zone
    envelope.actor.id = who.id
    envelope.actor.role = event_pb2.Role.Value(f"ROLE_{who.role.upper()}")
    if KINDS[kind].phi:
        envelope.phi, envelope.consent_id = True, patient.consent_id
    return event


class Teller:
    """Tells it. `to` are channels by service."""

    def __init__(self, to: Mapping[str, grpc.Channel], clinic: Clinic) -> None:
        self._to = to
        self._clinic = clinic
        self._admin = [bearer(Principal("admin-of-all", "admin", clinic.id))]
        self.told = Told()

    def tell(self) -> Told:
        for therapist in self._clinic.therapists:
            self._account(therapist.id, therapist.person, event_pb2.ROLE_THERAPIST)
        for patient in self._clinic.patients:
            self._account(patient.id, patient.person, event_pb2.ROLE_PATIENT)
            self._named(patient)
        patient = self._clinic.patients[0]
        for kind in sorted(set(KINDS) - NOT_OURS):
            for body in free_bodies(kind):
                self._event(patient, body)
        self._nonsense(patient)
        self._read_back(patient)
        return self.told

    def _account(self, name: str, person: Person, role: int) -> None:
        accounts, given_family = AccountServiceStub(self._to["identity"]), person.name.split(" ")
        profile = account_pb.Profile(
            given_name=given_family[0],
            family_name=given_family[-1],
            email=person.email,
            phone=person.phone,
            birth_date=person.birth_date,
            credential=TEXT,
        )
        request = account_pb.CreateAccountRequest(
            account_id=name,
            clinic_id=self._clinic.id,
            role=role,  # type: ignore[arg-type]
            profile=profile,
            password=PASSWORD,
        )
        accounts.CreateAccount(request, metadata=self._admin, timeout=TIMEOUT_S)
        update = account_pb.UpdateProfileRequest(account_id=name, profile=profile)
        accounts.UpdateProfile(update, metadata=self._admin, timeout=TIMEOUT_S)
        sessions = SessionServiceStub(self._to["identity"])
        ask = {"clinic_id": self._clinic.id, "email": person.email}
        sessions.LogIn(session_pb.LogInRequest(**ask, password=PASSWORD), timeout=TIMEOUT_S)
        with self._refused("wrong password"):
            sessions.LogIn(session_pb.LogInRequest(**ask, password=WRONG), timeout=TIMEOUT_S)
        with self._refused("address taken"):
            request.account_id = f"{name}-2"
            accounts.CreateAccount(request, metadata=self._admin, timeout=TIMEOUT_S)
        found = account_pb.ListAccountsRequest(clinic_id=self._clinic.id, email=person.email)
        accounts.ListAccounts(found, metadata=self._admin, timeout=TIMEOUT_S)

    def _named(self, patient: Patient) -> None:
        """A phone and a program's key, with names that people gave them."""
        devices = DeviceServiceStub(self._to["identity"])
        asked = device_pb.CreateEnrolmentCodeRequest(patient_id=patient.id)
        code = devices.CreateEnrolmentCode(asked, metadata=self._admin, timeout=TIMEOUT_S).code
        enrol = device_pb.EnrolDeviceRequest(code=code, public_key=b"k" * 32, model=TEXT)
        devices.EnrolDevice(enrol, timeout=TIMEOUT_S)
        key = key_pb.CreateApiKeyRequest(account_id=patient.id, name=TEXT, scopes=["read"])
        stub = ApiKeyServiceStub(self._to["identity"])
        stub.CreateApiKey(key, metadata=self._admin, timeout=TIMEOUT_S)

    def _event(self, patient: Patient, body: Body) -> None:
        """By the first who may tell it; what the others hear of it is refused and kept."""
        callers = (
            Principal(patient.id, "patient", patient.clinic_id, patient_id=patient.id),
            Principal(patient.therapist.id, "therapist", patient.clinic_id),
            service_principal("cli"),
        )
        for who in callers:
            if self._log(events_of(patient, body, who), who):
                self.told.stored.add(str(body.WhichOneof("kind")))
                return

    def _log(self, event: Event, who: Principal) -> bool:
        request = ingest_pb.LogEventsRequest(events=[event])
        stub = IngestServiceStub(self._to["ingest"])
        answer = stub.LogEvents(request, metadata=[bearer(who)], timeout=TIMEOUT_S)
        (verdict,) = answer.verdicts
        if verdict.HasField("failure"):
            self.told.refused.append(event.envelope.kind)
        return not verdict.HasField("failure")

    def _nonsense(self, patient: Patient) -> None:
        """Text where none may be, too much of it, and in place of tokens, names and messages."""
        who = Principal(patient.id, "patient", patient.clinic_id, patient_id=patient.id)
        for path in ("event_id", "subject_id", "kind", "zone", "consent_id", "device_id"):
            event = events_of(patient, next(free_bodies("pain_report")), who)
            setattr(event.envelope, path, TEXT)
            assert not self._log(event, who)
        event = events_of(patient, next(free_bodies("symptom_report")), who)
        event.body.symptom_report.symptom.text = TEXT * 100
        assert not self._log(event, who)
        reads = ProjectionsServiceStub(self._to["projections"])
        quality = read_pb.GetQualityRequest(patient_id=TEXT)
        for metadata in ([bearer(who)], [("authorization", f"Bearer {WRONG}")]):
            with self._refused("a wrong name or token"):
                reads.GetQuality(quality, metadata=metadata, timeout=TIMEOUT_S)
        for service, method in (
            ("ingest", "/rehab.ingest.v1.IngestService/LogEvents"),
            ("identity", "/rehab.identity.v1.AccountService/CreateAccount"),
            ("projections", "/rehab.projections.v1.ProjectionsService/GetQuality"),
        ):
            with self._refused("no message"):
                call = self._to[service].unary_unary(method)
                call(b"\xff" + TEXT.encode(), metadata=self._admin, timeout=TIMEOUT_S)

    def _read_back(self, patient: Patient) -> None:
        stub = IdentityServiceStub(self._to["identity"])
        request = identity_pb.ExportPatientRequest(patient_id=patient.id)
        who = Principal(patient.id, "patient", patient.clinic_id, patient_id=patient.id)
        for piece in stub.ExportPatient(request, metadata=[bearer(who)], timeout=60):
            self.told.exported.append(piece.lines)

    @contextlib.contextmanager
    def _refused(self, what: str) -> Iterator[None]:
        try:
            yield
        except grpc.RpcError:
            self.told.refused.append(what)
        else:
            raise AssertionError(f"{what} was let through")
