"""A clinic whose ingest asks identity who may what, as in production."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from rehab.events.v1.event_pb2 import Role
from rehab.identity.v1 import account_service_pb2 as accounts_pb
from rehab.identity.v1 import device_service_pb2 as devices_pb
from rehab.identity.v1.account_service_pb2_grpc import AccountServiceStub
from rehab.identity.v1.device_service_pb2_grpc import DeviceServiceStub
from rehab_eventstore import main as eventstore_main
from rehab_identity import main as identity_main
from rehab_identity.settings import Settings as IdentitySettings
from rehab_runtime.auth import bearer, service_principal
from rehab_runtime.channels import channel
from rehab_sdk import AsyncRehab, DeviceKey, Password, enrol_device
from rehab_sdk.credentials import Credentials
from rehab_sdk.events import Actor
from tests.sdk.clinic import OPTIONS, Clinic, admit
from tests.sdk.given import CLINIC, CONSENT

CLI = (bearer(service_principal("cli")),)
PASSWORD = "correct horse battery staple"


@dataclass
class Town(Clinic):
    """A clinic that asks identity."""

    identity: str = ""

    async def inhabitant(self, patient: str) -> Password:
        """An account of a patient who is treated and has consented."""
        email = f"{patient}@example.org"
        profile = accounts_pb.Profile(given_name="Ann", family_name="Lovelace", email=email)
        request = accounts_pb.CreateAccountRequest(
            clinic_id=CLINIC,
            account_id=patient,
            role=Role.ROLE_PATIENT,
            profile=profile,
            password=PASSWORD,
        )
        async with channel(self.identity) as connection:
            await AccountServiceStub(connection).CreateAccount(request, metadata=CLI)
        await admit(self, patient)
        return Password(CLINIC, email, PASSWORD)

    async def code(self, patient: str) -> str:
        """An enrolment code."""
        async with channel(self.identity) as connection:
            request = devices_pb.CreateEnrolmentCodeRequest(patient_id=patient)
            made = await DeviceServiceStub(connection).CreateEnrolmentCode(request, metadata=CLI)
        return str(made.code)

    async def device(self, patient: str) -> DeviceKey:
        code = await self.code(patient)
        return await enrol_device(code, identity=self.identity, model="Phone 1")

    @asynccontextmanager
    async def client(
        self, patient: str, token: Credentials, **more: Any
    ) -> AsyncIterator[AsyncRehab]:
        told = {"actor": Actor(patient, "patient"), "clinic_id": CLINIC, "device_id": "phone-1"}
        if isinstance(token, DeviceKey):
            told["device_id"] = token.device_id
        addresses = {"ingest": self.ingest, "projections": self.projections}
        async with AsyncRehab.connect(
            **addresses,
            identity=self.identity,
            token=token,
            consent_id=CONSENT,
            zone="Europe/Berlin",
            **{**told, "options": OPTIONS, **more},
        ) as client:
            yield client


@asynccontextmanager
async def town_of(postgres: Any, nats_url: str, key_file: Path) -> AsyncIterator[Town]:
    made = Town(postgres, nats_url)
    settings = IdentitySettings(
        postgres_dsn=postgres.dsn(f"identity_{made.name}"),
        nats_url=nats_url,
        eventstore_address="127.0.0.1:1",
        log_stream=f"LOG_{made.name}",
        subject_prefix=f"log_{made.name}",
        key_file=str(key_file),
        **made._common(),
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EVENTSTORE_KEY_READERS", "bench,cli,emr,identity,ingest,projections,test")
        async with AsyncExitStack() as stack:
            store = await stack.enter_async_context(
                eventstore_main.running(made.eventstore_settings())
            )
            made.eventstore = store.address
            settings = settings.model_copy(update={"eventstore_address": store.address})
            identity = await stack.enter_async_context(identity_main.running(settings))
            made.identity = identity.address
            made.ingest = await stack.enter_async_context(
                made.ingesting(identity_address=made.identity)
            )
            yield made
