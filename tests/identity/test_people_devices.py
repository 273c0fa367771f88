"""Devices: enrolled once by a code, let in by what they sign."""

from __future__ import annotations

import asyncio
import itertools
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from rehab.identity.v1 import device_service_pb2 as pb
from rehab_runtime.auth import Principal
from rehab_runtime.errors import (
    InvalidArgument,
    NotFound,
    PermissionDenied,
    TooManyFailures,
    Unauthenticated,
)
from tests.identity.house import ADMIN, CLI, CLINIC, STRANGER, House, house, signed

ANN = Principal("ann", "patient", CLINIC, patient_id="ann")
KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
PUBLIC = KEY.public_key().public_bytes_raw()
NUMBERS = itertools.count()
HEADER = {"alg": "Ed25519", "typ": "JWT"}


def claims(home: House, device_id: str, **more: Any) -> dict[str, Any]:
    now = int(home.clock.now().timestamp())
    told = {"iss": device_id, "sub": device_id, "aud": "rehab", "iat": now, "exp": now + 60}
    told = {**told, "jti": f"j{next(NUMBERS)}", **more}
    return {name: value for name, value in told.items() if value is not None}


async def code_of(home: House, patient: str = "ann") -> str:
    return str((await home.ask("CreateEnrolmentCode", CLI, patient_id=patient)).code)


async def test_a_device_is_enrolled_and_acts_for_its_patient(home: House) -> None:
    device_id, key = await home.device()
    tokens = (
        await home.ask("LogInDevice", None, assertion=signed(key, HEADER, claims(home, device_id)))
    ).tokens
    told = await home.let_in(tokens.access_token)
    assert told == Principal(device_id, "device", CLINIC, "ann", tokens.session_id)
    renewed = await home.ask("RefreshSession", None, refresh_token=tokens.refresh_token)
    assert (await home.let_in(renewed.tokens.access_token)).id == device_id
    listed = await home.ask("ListDevices", ANN, patient_id="ann")
    assert [(one.device_id, one.model) for one in listed.devices] == [(device_id, "Phone 3")]
    await home.ask("EndSession", tokens.access_token)
    with pytest.raises(Unauthenticated):
        await home.let_in(tokens.access_token)


async def test_a_code_enrols_one_device_even_when_many_use_it_at_once(home: House) -> None:
    code = await code_of(home)
    enrolling = [
        home.ask("EnrolDevice", None, code=code.lower(), public_key=bytes([number]) * 32)
        for number in range(8)
    ]
    told = await asyncio.gather(*enrolling, return_exceptions=True)
    assert sum(isinstance(one, Unauthenticated) for one in told) == 7
    assert len(await home.fetch("SELECT 1 FROM device")) == 1


async def test_who_did_not_hear_the_answer_is_enrolled_as_the_same_device(home: House) -> None:
    code = await code_of(home)
    enrolling = [home.ask("EnrolDevice", None, code=code, public_key=PUBLIC) for _ in range(4)]
    (told,) = {one.SerializeToString() for one in await asyncio.gather(*enrolling)}
    device_id = pb.EnrolDeviceResponse.FromString(told).device_id
    other = await home.refused("EnrolDevice", None, code=code, public_key=bytes(32))
    assert isinstance(other, Unauthenticated)
    await home.ask("RevokeDevice", ANN, device_id=device_id, reason="lost")
    revoked = await home.refused("EnrolDevice", None, code=code, public_key=PUBLIC)
    assert isinstance(revoked, Unauthenticated)


async def test_a_code_that_has_expired_was_used_or_never_was_says_the_same(home: House) -> None:
    used, expired = await code_of(home), await code_of(home)
    await home.ask("EnrolDevice", None, code=used, public_key=PUBLIC)
    home.clock.advance(900)
    told = set()
    for code in (used, expired, "0000-0000-000", "no code", "\x00"):
        error = await home.refused("EnrolDevice", None, code=code, public_key=PUBLIC)
        told.add((type(error), error.message))
    assert told == {(Unauthenticated, Unauthenticated.public)}


async def test_codes_are_not_to_be_guessed(database_dsn: str, tmp_path: Path) -> None:
    async with house(database_dsn, tmp_path / "k", failures_source=5) as home:
        await home.account("ann")
        code = await code_of(home)
        errors = [
            await home.refused("EnrolDevice", None, code="0000-0000-000", public_key=PUBLIC)
            for _ in range(6)
        ]
        assert isinstance(errors[-1], TooManyFailures)
        assert errors[-1].retry_after_s
        right = await home.refused("EnrolDevice", None, code=code, public_key=PUBLIC)
        assert isinstance(right, TooManyFailures)


async def test_a_statement_lets_in_once(home: House) -> None:
    device_id, key = await home.device()
    statement = signed(key, HEADER, claims(home, device_id))
    logging_in = [home.ask("LogInDevice", None, assertion=statement) for _ in range(5)]
    told = await asyncio.gather(*logging_in, return_exceptions=True)
    assert sum(isinstance(one, Unauthenticated) for one in told) == 4
    home.clock.advance(59)
    assert isinstance(await home.refused("LogInDevice", None, assertion=statement), Unauthenticated)


WRONG: dict[str, dict[str, Any]] = {
    "expired": {"iat": 0, "exp": 30},
    "lives too long": {"exp": 4_000_000_000},
    "of the future": {"iat": 4_000_000_000, "exp": 4_000_000_060},
    "another audience": {"aud": "other"},
    "another subject": {"sub": "other"},
    "another issuer": {"iss": "other"},
    "issuer with a zero byte": {"iss": "\x00"},
    "no jti": {"jti": None},
    "endless jti": {"jti": "j" * 200},
}


@pytest.mark.parametrize("kind", WRONG)
async def test_a_statement_that_is_wrong_in_anything_lets_nobody_in(home: House, kind: str) -> None:
    device_id, key = await home.device()
    statement = signed(key, HEADER, claims(home, device_id, **WRONG[kind]))
    error = await home.refused("LogInDevice", None, assertion=statement)
    assert (type(error), error.message) == (Unauthenticated, Unauthenticated.public)


@pytest.mark.parametrize(
    "header", [{"alg": "none"}, {"alg": "HS256"}, {"jwk": {}}, {"alg": "EdDSA"}], ids=str
)
async def test_a_statement_with_another_header_lets_nobody_in(
    home: House, header: dict[str, Any]
) -> None:
    device_id, key = await home.device()
    statement = signed(key, {**HEADER, **header}, claims(home, device_id))
    error = await home.refused("LogInDevice", None, assertion=statement)
    assert isinstance(error, Unauthenticated)


async def test_a_statement_of_another_device_lets_nobody_in(home: House) -> None:
    device_id, _ = await home.device()
    _, other = await home.device()
    statement = signed(other, HEADER, claims(home, device_id))
    assert isinstance(await home.refused("LogInDevice", None, assertion=statement), Unauthenticated)


@pytest.mark.parametrize("wrong_s", [-55, 55])
async def test_a_devices_clock_may_be_a_little_wrong(home: House, wrong_s: int) -> None:
    device_id, key = await home.device()
    now = int(home.clock.now().timestamp()) + wrong_s
    statement = signed(key, HEADER, claims(home, device_id, iat=now, exp=now + 60))
    await home.ask("LogInDevice", None, assertion=statement)


async def test_a_revoked_device_is_out_and_its_sessions_with_it(home: House) -> None:
    device_id, key = await home.device()
    statement = signed(key, HEADER, claims(home, device_id))
    tokens = (await home.ask("LogInDevice", None, assertion=statement)).tokens
    lost = {"device_id": device_id, "reason": "lost"}
    assert isinstance(await home.refused("RevokeDevice", STRANGER, **lost), NotFound)
    tom = Principal("tom", "therapist", CLINIC)
    assert isinstance(await home.refused("RevokeDevice", tom, **lost), PermissionDenied)
    await home.ask("RevokeDevice", ANN, **lost)
    await home.ask("RevokeDevice", ADMIN, **lost)
    with pytest.raises(Unauthenticated):
        await home.let_in(tokens.access_token)
    with pytest.raises(Unauthenticated):
        await home.ask("RefreshSession", None, refresh_token=tokens.refresh_token)
    again = signed(key, HEADER, claims(home, device_id, jti="another"))
    assert isinstance(await home.refused("LogInDevice", None, assertion=again), Unauthenticated)
    rows = await home.fetch("SELECT revoked FROM revocation")
    assert {row["revoked"] for row in rows} == {device_id, tokens.session_id}
    listed = await home.ask("ListDevices", ADMIN, patient_id="ann")
    assert listed.devices[0].HasField("revoked_at")


async def test_codes_are_for_patients_of_the_clinic_who_are_let_in(home: House) -> None:
    bob = Principal("bob", "patient", CLINIC, patient_id="bob")
    error = await home.refused("CreateEnrolmentCode", bob, patient_id="ann")
    assert isinstance(error, PermissionDenied)
    assert isinstance(await home.refused("CreateEnrolmentCode", ADMIN, patient_id="tom"), NotFound)
    code = await code_of(home)
    disable = {"account_id": "ann", "status": 2, "reason": "left"}
    await home.ask("SetAccountStatus", ADMIN, **disable)
    refused = await home.refused("EnrolDevice", None, code=code, public_key=PUBLIC)
    assert isinstance(refused, Unauthenticated)
    assert isinstance(await home.refused("CreateEnrolmentCode", ADMIN, patient_id="ann"), NotFound)


async def test_a_key_of_another_length_or_a_model_with_control_characters_is_refused(
    home: House,
) -> None:
    code = await code_of(home)
    for wrong in ({"public_key": b"short"}, {"public_key": PUBLIC, "model": "a\x00b"}):
        error = await home.refused("EnrolDevice", None, code=code, **wrong)
        assert isinstance(error, InvalidArgument)
    await home.ask("EnrolDevice", None, code=code, public_key=PUBLIC)
