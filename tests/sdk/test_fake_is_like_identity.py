"""Who is let in by rehab_sdk.testing is let in by identity: the same scenarios on both."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import grpc
import pytest

from rehab.identity.v1 import device_service_pb2 as devices_pb
from rehab.identity.v1 import session_service_pb2 as pb
from rehab.identity.v1.device_service_pb2_grpc import DeviceServiceStub
from rehab.identity.v1.session_service_pb2_grpc import SessionServiceStub
from rehab_sdk import DeviceKey, Password, errors
from rehab_sdk.auth import life_s
from rehab_sdk.clock import SystemClock
from rehab_sdk.credentials import new_key, signer
from rehab_sdk.testing import FakeRehab
from tests.sdk.given import CLINIC
from tests.sdk.town import Town

pytestmark = pytest.mark.asyncio(loop_scope="module")
Fact = Any


@dataclass(frozen=True)
class Side:
    """One of the two servers, with a patient who has an account."""

    connection: grpc.aio.Channel
    password: Password
    code: Callable[[], Awaitable[str]]

    async def ask(self, rpc: str, request: Any) -> Any:
        stub = DeviceServiceStub if rpc == "EnrolDevice" else SessionServiceStub
        try:
            return await getattr(stub(self.connection), rpc)(request, timeout=30)
        except grpc.aio.AioRpcError as failed:
            error = errors.from_rpc_error(failed)
            return type(error).__name__, error.reason, failed.code()

    async def log_in(self, **more: str) -> Any:
        told = {"email": self.password.email, "password": self.password.password, **more}
        return await self.ask("LogIn", pb.LogInRequest(clinic_id=CLINIC, **told))

    async def refresh(self, token: str) -> Any:
        return await self.ask("RefreshSession", pb.RefreshSessionRequest(refresh_token=token))

    async def device(self) -> DeviceKey:
        private, public = new_key()
        request = devices_pb.EnrolDeviceRequest(code=await self.code(), public_key=public)
        enrolled = await self.ask("EnrolDevice", request)
        return DeviceKey(enrolled.device_id, private, enrolled.clinic_id, enrolled.patient_id)

    async def show(self, assertion: str) -> Any:
        return await self.ask("LogInDevice", pb.LogInDeviceRequest(assertion=assertion))


def seen(answer: Any) -> Fact:
    """What a client goes by: that there are tokens, and of what kind, or why there are none."""
    if isinstance(answer, tuple):
        return answer
    tokens = answer.tokens
    life = life_s(tokens.access_token)
    assert life is not None
    assert abs(tokens.access_expires_at.ToSeconds() - time.time() - life) < 30
    return bool(tokens.refresh_token), bool(tokens.session_id), tokens.access_token.count(".")


async def passwords(side: Side) -> Fact:
    wrong = await side.log_in(password="battery staple correct")
    unknown = await side.log_in(email="nobody@example.org")
    return [seen(await side.log_in()), seen(wrong), seen(unknown)]


async def refresh_tokens(side: Side) -> Fact:
    first = (await side.log_in()).tokens.refresh_token
    second, again = await side.refresh(first), await side.refresh(first)
    stolen = await side.refresh(first)
    ended = await side.refresh(again.tokens.refresh_token)
    distinct = {first, second.tokens.refresh_token, again.tokens.refresh_token}
    return [seen(second), seen(again), seen(stolen), seen(ended), len(distinct)]


async def refresh_tokens_that_never_were(side: Side) -> Fact:
    return [seen(await side.refresh(token)) for token in ("made-up", "a.b", "x" * 512)]


async def a_device(side: Side) -> Fact:
    key = await side.device()
    now = SystemClock().now()
    once = key.assertion(now)
    facts = [seen(await side.show(once)), seen(await side.show(once))]
    return [*facts, seen(await side.show(key.assertion(now))), key.clinic_id]


async def codes(side: Side) -> Fact:
    code = await side.code()
    _, public = new_key()
    used = devices_pb.EnrolDeviceRequest(code=code, public_key=public)
    unknown = devices_pb.EnrolDeviceRequest(code="AAAA-BBBB", public_key=public)
    stolen = devices_pb.EnrolDeviceRequest(code=code, public_key=new_key()[1])
    first, again = await side.ask("EnrolDevice", used), await side.ask("EnrolDevice", used)
    others = [await side.ask("EnrolDevice", asked) for asked in (stolen, unknown)]
    return [bool(first.device_id), first == again, *map(seen, others)]


async def statements_that_are_wrong(side: Side) -> Fact:
    key = await side.device()
    now = int(time.time())
    right = {"iss": key.device_id, "sub": key.device_id, "aud": "rehab", "iat": now, "jti": "a"}
    right["exp"] = now + 60
    wrong: list[dict[str, Any]] = [
        {"aud": "elsewhere"},
        {"sub": "somebody"},
        {"iss": "somebody", "sub": "somebody"},
        {"exp": now + 3600},
        {"iat": now - 7200, "exp": now - 7140},
    ]
    facts = [seen(await side.show(signed(key, {**right, **one}))) for one in wrong]
    other = DeviceKey(key.device_id, new_key()[0])
    return [*facts, seen(await side.show(signed(other, right))), seen(await side.show("a.b.c"))]


def signed(key: DeviceKey, claims: dict[str, Any]) -> str:
    parts = [json.dumps(part).encode() for part in ({"alg": "Ed25519", "typ": "JWT"}, claims)]
    text = ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts)
    assert isinstance(key.key, bytes)
    signature = signer(key.key)(text.encode())
    return f"{text}.{base64.urlsafe_b64encode(signature).decode().rstrip('=')}"


SCENARIOS = [
    passwords,
    refresh_tokens,
    refresh_tokens_that_never_were,
    a_device,
    codes,
    statements_that_are_wrong,
]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda one: one.__name__)
async def test_the_fake_and_identity_let_in_the_same(
    town: Town, patient: str, scenario: Callable[[Side], Awaitable[Fact]]
) -> None:
    password = await town.inhabitant(patient)
    async with FakeRehab() as fake:
        fake.add_account(
            CLINIC, password.email, password.password, principal_id=patient, role="patient"
        )

        async def fake_code() -> str:
            return fake.enrolment_code(CLINIC, patient)

        async with grpc.aio.insecure_channel(fake.addresses["identity"]) as connection:
            expected = await scenario(Side(connection, password, fake_code))
        async with grpc.aio.insecure_channel(town.identity) as connection:
            found = await scenario(Side(connection, password, lambda: town.code(patient)))
    assert expected == found
