"""The event store and identity as they are run, and callers of them."""

from __future__ import annotations

import asyncio
import itertools
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import grpc

from rehab.events.v1 import event_pb2
from rehab.events.v1.event_pb2 import Role
from rehab.identity.v1 import account_service_pb2 as account_pb
from rehab.identity.v1 import consent_service_pb2 as consent_pb
from rehab.identity.v1 import identity_service_pb2 as pb
from rehab.identity.v1.account_service_pb2_grpc import AccountServiceStub
from rehab.identity.v1.consent_service_pb2_grpc import ConsentServiceStub
from rehab.identity.v1.identity_service_pb2_grpc import IdentityServiceStub
from rehab_eventstore import main as eventstore_main
from rehab_eventstore.settings import Settings as EventstoreSettings
from rehab_identity import main as identity_main
from rehab_identity.settings import Settings
from rehab_runtime.access.messages import role_number
from rehab_runtime.auth import Principal, bearer, service_principal
from rehab_runtime.channels import channel
from rehab_runtime.clock import Clock
from rehab_runtime.errors import RehabError, from_rpc_error
from rehab_runtime.eventlog import EventLog

CLINIC = "clinic-1"
ADMIN = Principal("admin-1", "admin", CLINIC)
ANN = Principal("ann", "therapist", CLINIC)
BOB = Principal("bob", "therapist", CLINIC)
FAR = Principal("far", "therapist", "clinic-2")
PROJECTIONS = service_principal("projections")
CLI = service_principal("cli")
ADHERENCE = "/rehab.projections.v1.ProjectionsService/GetAdherence"
_numbers = itertools.count(1)

FAMILY = "Lovelace"


def some_patient() -> str:
    """A patient of no other test."""
    return f"patient-{next(_numbers)}"


def patient_of(patient_id: str, clinic_id: str = CLINIC) -> Principal:
    return Principal(patient_id, "patient", clinic_id, patient_id=patient_id)


@dataclass(frozen=True)
class Place:
    """Where one test's services keep their things."""

    postgres: Any
    nats_url: str
    folder: Path
    shards: int = 1
    name: str = field(default_factory=lambda: uuid.uuid4().hex[:12])

    @property
    def dsn(self) -> str:
        return str(self.postgres.dsn(f"identity_{self.name}"))

    def eventstore(self, **more: Any) -> EventstoreSettings:
        told = {
            "postgres_dsn": self.postgres.dsn(f"eventstore_{self.name}"),
            "nats_url": self.nats_url,
            "log_stream": f"LOG_{self.name}",
            "subject_prefix": f"log_{self.name}",
            "metrics_listen": "",
            "drain_s": 1,
            "shards": self.shards,
        }
        return EventstoreSettings(**{**told, **more})

    def identity(self, eventstore: str, **more: Any) -> Settings:
        told = {
            "postgres_dsn": self.dsn,
            "nats_url": self.nats_url,
            "eventstore_address": eventstore,
            "log_stream": f"LOG_{self.name}",
            "subject_prefix": f"log_{self.name}",
            "metrics_listen": "",
            "drain_s": 1,
            "key_file": str(self.folder / "identity.key"),
        }
        return Settings(**{**told, **more})


class Asks:
    """Calls identity as one principal; raises the RehabError that it answers."""

    def __init__(self, connection: grpc.aio.Channel, principal: Principal) -> None:
        self._connection = connection
        self._metadata = (bearer(principal),)
        self._identity = IdentityServiceStub(connection)
        self._consents = ConsentServiceStub(connection)

    def as_(self, principal: Principal) -> Asks:
        return Asks(self._connection, principal)

    async def _ask(self, stub: Any, rpc: str, request: Any) -> Any:
        try:
            return await getattr(stub, rpc)(request, metadata=self._metadata, timeout=20)
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error) from None

    async def accounts(self, rpc: str, request: Any) -> Any:
        return await self._ask(AccountServiceStub(self._connection), rpc, request)

    async def _stream(self, rpc: str, request: Any) -> AsyncIterator[Any]:
        call = getattr(self._identity, rpc)(request, metadata=self._metadata, timeout=60)
        try:
            async for message in call:
                yield message
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error) from None
        finally:
            call.cancel()

    async def grant(self, patient_id: str, **asked: Any) -> consent_pb.Consent:
        request = consent_pb.GrantConsentRequest(
            patient_id=patient_id, **{"purpose": "treatment", **asked}
        )
        return (await self._ask(self._consents, "GrantConsent", request)).consent

    async def revoke(
        self, patient_id: str, consent_id: str, effective_at: datetime | None = None
    ) -> consent_pb.Consent:
        request = consent_pb.RevokeConsentRequest(patient_id=patient_id, consent_id=consent_id)
        if effective_at is not None:
            request.effective_at.FromDatetime(effective_at)
        return (await self._ask(self._consents, "RevokeConsent", request)).consent

    async def consents(
        self, patient_id: str, as_of: datetime | None = None
    ) -> list[consent_pb.Consent]:
        request = consent_pb.ListConsentsRequest(patient_id=patient_id)
        if as_of is not None:
            request.as_of.FromDatetime(as_of)
        return list((await self._ask(self._consents, "ListConsents", request)).consents)

    async def assign(self, patient_id: str, therapist_id: str, *, primary: bool = False) -> None:
        request = consent_pb.AssignTherapistRequest(
            patient_id=patient_id, therapist_id=therapist_id, primary=primary
        )
        await self._ask(self._consents, "AssignTherapist", request)

    async def release(self, patient_id: str, therapist_id: str) -> None:
        request = consent_pb.ReleaseTherapistRequest(
            patient_id=patient_id, therapist_id=therapist_id
        )
        await self._ask(self._consents, "ReleaseTherapist", request)

    async def team(self, patient_id: str) -> list[consent_pb.Care]:
        request = consent_pb.ListCareTeamRequest(patient_id=patient_id)
        return list((await self._ask(self._consents, "ListCareTeam", request)).team)

    async def may(
        self, who: Principal, patient_id: str, rpc: str = ADHERENCE, at: datetime | None = None
    ) -> tuple[bool, str]:
        request = pb.AuthorizeRequest(rpc=rpc, patient_id=patient_id)
        told = request.principal
        told.principal_id, told.clinic_id, told.patient_id = who.id, who.clinic_id, who.patient_id
        told.role = role_number(who.role)
        if at is not None:
            request.at.FromDatetime(at)
        answer = await self._ask(self._identity, "Authorize", request)
        return answer.allowed, answer.reason

    async def facts(self, *patient_ids: str) -> list[pb.PatientFacts]:
        request = pb.GetPatientFactsRequest(patient_ids=patient_ids)
        return list((await self._ask(self._identity, "GetPatientFacts", request)).facts)

    def watch(self) -> AsyncIterator[pb.WatchAccessResponse]:
        return self._stream("WatchAccess", pb.WatchAccessRequest())

    async def take(self, patient_id: str, **asked: Any) -> pb.EmergencyAccess:
        request = pb.TakeEmergencyAccessRequest(
            patient_id=patient_id, **{"reason": "acute_event", **asked}
        )
        return (await self._ask(self._identity, "TakeEmergencyAccess", request)).grant

    async def end(self, grant_id: str) -> None:
        request = pb.EndEmergencyAccessRequest(grant_id=grant_id)
        await self._ask(self._identity, "EndEmergencyAccess", request)

    async def review(self, grant_id: str, finding: str = "justified") -> None:
        request = pb.ReviewEmergencyAccessRequest(grant_id=grant_id, finding=finding)
        await self._ask(self._identity, "ReviewEmergencyAccess", request)

    async def emergencies(self, **asked: Any) -> pb.ListEmergencyAccessResponse:
        request = pb.ListEmergencyAccessRequest(**{"clinic_id": CLINIC, **asked})
        return await self._ask(self._identity, "ListEmergencyAccess", request)

    def watch_emergencies(self, clinic_id: str, after: int | None = None) -> Any:
        request = pb.WatchEmergencyAccessRequest(clinic_id=clinic_id, after=after)
        return self._stream("WatchEmergencyAccess", request)

    async def accesses(self, patient_id: str, **asked: Any) -> pb.ListAccessResponse:
        request = pb.ListAccessRequest(patient_id=patient_id, **asked)
        return await self._ask(self._identity, "ListAccess", request)

    async def search(self, request: pb.SearchAccessRequest) -> pb.SearchAccessResponse:
        return await self._ask(self._identity, "SearchAccess", request)

    async def export(self, patient_id: str) -> str:
        request = pb.ExportPatientRequest(patient_id=patient_id)
        return "".join([one.lines async for one in self._stream("ExportPatient", request)])


@dataclass(frozen=True)
class Clinic:
    """Running services; `asks` speaks for a service of the suite."""

    place: Place
    log: EventLog
    asks: Asks
    address: str
    eventstore_address: str
    background: Any

    def as_(self, principal: Principal) -> Asks:
        return self.asks.as_(principal)

    async def known(self, patient_id: str, clinic_id: str = CLINIC) -> None:
        """The patient gets an account: nothing is in the log yet."""
        request = account_pb.CreateAccountRequest(
            account_id=patient_id,
            clinic_id=clinic_id,
            role=Role.ROLE_PATIENT,
            profile=account_pb.Profile(family_name=FAMILY),
        )
        await self.asks.as_(CLI).accounts("CreateAccount", request)

    async def treated(self, patient_id: str, *therapists: str, consent_id: str = "c-1") -> str:
        """A patient who agreed to be treated by them."""
        await self.known(patient_id)
        admin = self.as_(ADMIN)
        await admin.grant(patient_id, consent_id=consent_id)
        for one in therapists:
            await admin.assign(patient_id, one)
        return patient_id

    async def stream(self, patient_id: str) -> list[event_pb2.RecordedEvent]:
        return await self.log.read_stream(patient_id)


@asynccontextmanager
async def eventstore(place: Place, **more: Any) -> AsyncIterator[tuple[EventLog, str]]:
    async with (
        eventstore_main.running(place.eventstore(**more)) as store,
        channel(store.address) as connection,
    ):
        yield EventLog(connection, service_principal("test")), store.address


@asynccontextmanager
async def identity(
    place: Place, log: EventLog, address: str, clock: Clock | None = None, **more: Any
) -> AsyncIterator[Clinic]:
    async with (
        identity_main.running(place.identity(address, **more), clock) as service,
        channel(service.address) as connection,
    ):
        asks = Asks(connection, PROJECTIONS)
        yield Clinic(place, log, asks, service.address, address, service.background)


@asynccontextmanager
async def clinic(place: Place, clock: Clock | None = None, **more: Any) -> AsyncIterator[Clinic]:
    async with (
        eventstore(place) as (log, address),
        identity(place, log, address, clock, **more) as made,
    ):
        yield made


async def refused(asked: Any) -> RehabError:
    """The error that a call answers."""
    try:
        await asked
    except RehabError as error:
        return error
    raise AssertionError("the call was answered")


def rules(error: RehabError) -> list[tuple[str, str]]:
    return [(broken.field, broken.rule) for broken in error.violations]


def utc(moment: Any) -> datetime:
    return moment.ToDatetime(UTC)


async def until(holds: Any, timeout_s: float = 15) -> Any:
    """What an awaited question answers, once that is something."""
    async with asyncio.timeout(timeout_s):
        while not (found := await holds()):
            await asyncio.sleep(0.01)
    return found


SECOND = timedelta(seconds=1)
