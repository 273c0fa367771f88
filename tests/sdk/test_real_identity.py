"""What the fake promises of identity, identity keeps: real services, real tokens."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from rehab.identity.v1 import device_service_pb2 as devices_pb
from rehab.identity.v1 import session_service_pb2 as sessions_pb
from rehab.identity.v1.device_service_pb2_grpc import DeviceServiceStub
from rehab.identity.v1.session_service_pb2_grpc import SessionServiceStub
from rehab_runtime.channels import channel
from rehab_sdk import (
    FileTokenStore,
    RefreshToken,
    errors,
)
from tests.sdk.clinic import pains
from tests.sdk.given import CLINIC
from tests.sdk.town import CLI, Town

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_password_lets_a_session_in(town: Town, patient: str) -> None:
    password = await town.inhabitant(patient)
    async with (
        town.client(patient, password) as client,
        client.session(patient=patient, exercise="squat") as session,
    ):
        receipt = await session.rep(score=80)
        await receipt
    assert receipt.event_id in await town.stored_ids(patient)


async def test_a_wrong_password_lets_nobody_in(town: Town, patient: str) -> None:
    password = replace(await town.inhabitant(patient), password="battery staple correct")
    async with town.client(patient, password) as client:
        with pytest.raises(errors.Unauthenticated):
            await client.log(*pains(client, patient, 1))


async def test_a_device_enrols_streams_and_is_revoked(town: Town, patient: str) -> None:
    await town.inhabitant(patient)
    key = await town.device(patient)
    assert (key.clinic_id, key.patient_id) == (CLINIC, patient)
    ended = (errors.NotAcknowledged, errors.Unauthenticated)  # as something was under way or not
    with pytest.raises(ended) as left:  # noqa: PT012
        async with town.client(patient, key) as client, client.stream() as stream:
            told = pains(client, patient, 3)
            for event in told:
                await (await stream.send(event))
            async with channel(town.identity) as connection:
                request = devices_pb.RevokeDeviceRequest(device_id=key.device_id, reason="lost")
                await DeviceServiceStub(connection).RevokeDevice(request, metadata=CLI)
            async with asyncio.timeout(30):
                while True:
                    await stream.send(*pains(client, patient, 1))
                    await stream.flush()
    assert isinstance(left.value.__cause__ or left.value, errors.Unauthenticated)
    stored = await town.stored_ids(patient)
    assert {event.envelope.event_id for event in told} <= set(stored)


async def test_refresh_tokens_rotate_and_the_newest_outlives_the_program(
    town: Town, patient: str, tmp_path: Path
) -> None:
    password = await town.inhabitant(patient)
    request = sessions_pb.LogInRequest(
        clinic_id=CLINIC, email=password.email, password=password.password
    )
    async with channel(town.identity) as connection:
        first = (await SessionServiceStub(connection).LogIn(request)).tokens.refresh_token
    store = FileTokenStore(tmp_path / "session")
    seen = {first}
    for _ in range(3):
        async with town.client(patient, RefreshToken(first), token_store=store) as client:
            await client.log(*pains(client, patient, 1))
        seen.add(store.load(RefreshToken(first).owner))
    assert len(seen) == 4
