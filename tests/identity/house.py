"""The half of identity that knows who there is, served on a real port over a real database."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import grpc
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from rehab.events.v1.event_pb2 import Role
from rehab.identity.v1 import account_service_pb2 as accounts_pb
from rehab.identity.v1 import api_key_service_pb2 as keys_pb
from rehab.identity.v1 import device_service_pb2 as devices_pb
from rehab.identity.v1 import session_service_pb2 as sessions_pb
from rehab.identity.v1.account_service_pb2_grpc import AccountServiceStub
from rehab.identity.v1.api_key_service_pb2_grpc import ApiKeyServiceStub
from rehab.identity.v1.device_service_pb2_grpc import DeviceServiceStub
from rehab.identity.v1.session_service_pb2_grpc import SessionServiceStub
from rehab_identity.people import People, people
from rehab_identity.settings import Settings
from rehab_runtime import postgres
from rehab_runtime.access.table import rule_of
from rehab_runtime.auth import Principal, bearer, service_principal
from rehab_runtime.channels import channel
from rehab_runtime.clock import FixedClock
from rehab_runtime.errors import RehabError, from_rpc_error
from rehab_runtime.lifecycle import Background
from rehab_runtime.server import serve_grpc

CLINIC, OTHER = "north", "south"
START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
PASSWORD = "correct horse battery"
CLI = service_principal("cli")
INGEST = service_principal("ingest")
ADMIN = Principal("boss", "admin", CLINIC)
STRANGER = Principal("boss", "admin", OTHER)
Caller = Principal | str | None
PACKAGES = {
    AccountServiceStub: accounts_pb,
    SessionServiceStub: sessions_pb,
    DeviceServiceStub: devices_pb,
    ApiKeyServiceStub: keys_pb,
}


class Door:
    """Lets whoever shows who they are by the request itself pass without credentials, as the gate
    does; who else may call what is decided by the table before, and not looked at here."""

    def is_open(self, method: str) -> bool:
        rule = rule_of(method)
        return rule is not None and rule.open

    async def admit(self, method: str, request: Any) -> None:
        """Everybody: what is tested here is what the service decides itself."""


@dataclass(frozen=True)
class House:
    address: str
    people: People
    clock: FixedClock
    connection: grpc.aio.Channel
    database: postgres.Database

    async def ask(self, method: str, caller: Caller, **fields: Any) -> Any:
        """Call an RPC by its name; a caller is a principal (in development), a token, or nobody.
        Raises the error behind the status."""
        for stub, package in PACKAGES.items():
            if hasattr(package, f"{method}Request"):
                call = getattr(stub(self.connection), method)
                request = getattr(package, f"{method}Request")(**fields)
        try:
            return await call(request, metadata=_metadata(caller), timeout=30)
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error) from None

    async def refused(self, method: str, caller: Caller, **fields: Any) -> RehabError:
        """The error of a call that must not succeed."""
        try:
            await self.ask(method, caller, **fields)
        except RehabError as error:
            return error
        raise AssertionError(f"{method} succeeded")

    async def account(self, account_id: str, role: str = "patient", **more: Any) -> Any:
        told = {"clinic_id": CLINIC, "password": PASSWORD, **more}
        told.setdefault("profile", profile(account_id))
        number = Role.Value(f"ROLE_{role.upper()}")
        answer = await self.ask("CreateAccount", CLI, account_id=account_id, role=number, **told)
        return answer.account

    async def log_in(self, account_id: str, password: str = PASSWORD) -> Any:
        answer = await self.ask(
            "LogIn", None, clinic_id=CLINIC, email=f"{account_id}@example.org", password=password
        )
        return answer.tokens

    async def let_in(self, token: str) -> Principal:
        """Who a token shows. Raises Unauthenticated."""
        return await self.people.authenticator.authenticate({"authorization": f"Bearer {token}"})

    async def device(
        self, patient: str = "ann", model: str = "Phone 3"
    ) -> tuple[str, Ed25519PrivateKey]:
        key = Ed25519PrivateKey.generate()
        code = (await self.ask("CreateEnrolmentCode", CLI, patient_id=patient)).code
        public = key.public_key().public_bytes_raw()
        answer = await self.ask("EnrolDevice", None, code=code, public_key=public, model=model)
        return answer.device_id, key

    async def fetch(self, query: str, *arguments: object) -> list[asyncpg.Record]:
        return await self.database.fetch(query, *arguments)


def _metadata(caller: Caller) -> list[tuple[str, str]]:
    if caller is None:
        return []
    if isinstance(caller, str):
        return [("authorization", f"Bearer {caller}")]
    return [bearer(caller)]


def profile(name: str, **more: str) -> accounts_pb.Profile:
    told = {"given_name": name.title(), "family_name": "Lovelace", "email": f"{name}@example.org"}
    return accounts_pb.Profile(**{**told, **more})


@asynccontextmanager
async def house(
    dsn: str, key_file: Path, clock: FixedClock | None = None, **more: Any
) -> AsyncIterator[House]:
    told = {"postgres_dsn": dsn, "key_file": str(key_file), "drain_s": 0, "metrics_listen": ""}
    away = {"nats_url": "nats://127.0.0.1:1", "eventstore_address": "127.0.0.1:1"}
    settings = Settings(**{**told, **away, **more})
    clock = clock or FixedClock(START)
    await postgres.migrate(dsn, "rehab_identity")
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(postgres.connect(dsn, name="identity-test"))
        background = await stack.enter_async_context(Background())
        made = await people(settings, stack, background, database, clock)
        server = await stack.enter_async_context(
            serve_grpc(
                settings,
                made.add,
                authenticator=made.authenticator,
                gate=Door(),  # type: ignore[arg-type]
            )
        )
        connection = await stack.enter_async_context(channel(server.address))
        yield House(server.address, made, clock, connection, database)


def encoded(part: Mapping[str, Any] | bytes) -> str:
    raw = part if isinstance(part, bytes) else json.dumps(part).encode()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def decoded(token: str, index: int) -> dict[str, Any]:
    text = token.split(".")[index]
    told: dict[str, Any] = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    return told


def signed(key: Ed25519PrivateKey, header: Mapping[str, Any], claims: Mapping[str, Any]) -> str:
    """A token, made by hand so that it may be wrong in any way."""
    text = f"{encoded(header)}.{encoded(claims)}"
    return f"{text}.{encoded(key.sign(text.encode()))}"
