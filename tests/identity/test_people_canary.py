"""Nothing that identifies a person is ever logged, told in an error, or written in the clear."""

from __future__ import annotations

import base64
import io
import logging
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
import structlog
from prometheus_client import generate_latest

from rehab.identity.v1 import account_service_pb2 as pb
from rehab_runtime.logging import configure
from tests.identity.house import ADMIN, CLI, CLINIC, STRANGER, House, house

CANARIES = {
    "given_name": "Canarygiven",
    "family_name": "Canaryfamily",
    "email": "canarymail@canary.example",
    "phone": "+49309876543",
    "birth_date": "1955-05-15",
    "credential": "Canarylicence",
}
PASSWORD = "Canary password 1"
SECRETS = (*CANARIES.values(), PASSWORD, "Canarysubject", "Canarywrong")


@pytest.fixture
def said() -> Iterator[io.StringIO]:
    stream = io.StringIO()
    before, handlers = structlog.get_config(), logging.getLogger().handlers[:]
    configure("identity", "debug", stream=stream)
    yield stream
    structlog.configure(**before)
    logging.getLogger().handlers = handlers


async def run_with_failures(home: House) -> list[str]:
    """All that callers were told in errors."""
    profile = pb.Profile(**CANARIES)
    await home.account("ann", profile=profile, password=PASSWORD)
    email = CANARIES["email"]
    too_long = pb.Profile(**{**CANARIES, "given_name": "Canarygiven" * 20})
    wrong_form = pb.Profile(**{**CANARIES, "email": email.replace("@", " Canarywrong ")})
    attempts = [
        ("CreateAccount", CLI, {"clinic_id": CLINIC, "role": 1, "profile": profile}),
        ("CreateAccount", CLI, {"clinic_id": CLINIC, "role": 1, "profile": too_long}),
        ("CreateAccount", CLI, {"clinic_id": CLINIC, "role": 1, "password": "Canarywron"}),
        ("UpdateProfile", ADMIN, {"account_id": "ann", "profile": wrong_form}),
        ("UpdateProfile", STRANGER, {"account_id": "ann", "profile": profile}),
        ("ListAccounts", STRANGER, {"clinic_id": CLINIC, "email": email}),
        ("LinkIssuer", ADMIN, {"account_id": "ann", "issuer": "x", "subject": "Canarysubject"}),
        ("SetPassword", "Canarywrong", {"account_id": "ann", "old": PASSWORD, "new": PASSWORD}),
        ("EnrolDevice", None, {"code": "Canarywrong", "public_key": b"k" * 32}),
        ("ExchangeToken", None, {"id_token": "Canarywrong.Canarywrong.x"}),
        ("RefreshSession", None, {"refresh_token": "Canarywrong"}),
        *[
            ("LogIn", None, {"clinic_id": CLINIC, "email": email, "password": "Canarywrong"})
            for _ in range(12)
        ],
    ]
    told = []
    for method, caller, fields in attempts:
        error = await home.refused(method, caller, **fields)
        told += [error.message, error.detail, str(error.metadata), repr(error.violations)]
    # what PostgreSQL itself says of a broken constraint quotes the row
    await home.database.execute("ALTER TABLE account ADD CHECK (password IS NULL) NOT VALID")
    set_password = {"account_id": "ann", "new": PASSWORD}
    told.append((await home.refused("SetPassword", ADMIN, **set_password)).message)
    await home.database.execute("DROP TABLE failure")
    log_in = {"clinic_id": CLINIC, "email": email, "password": PASSWORD}
    told.append((await home.refused("LogIn", None, **log_in)).message)
    return told


def forms(secret: str) -> set[bytes]:
    raw = secret.encode()
    return {raw, raw.hex().encode(), base64.b64encode(raw)[:-4], secret.encode("utf-16-le")}


async def test_names_and_addresses_are_in_no_log_error_or_metric(
    database_dsn: str, tmp_path: Path, said: io.StringIO
) -> None:
    async with house(database_dsn, tmp_path / "k") as home:
        told = await run_with_failures(home)
    assert said.getvalue().count('"error"') >= 2  # what is unforeseen is logged all the same
    written = said.getvalue().encode() + "\n".join(told).encode() + generate_latest()
    for secret in SECRETS:
        for form in forms(secret):
            assert form not in written, secret


async def test_names_and_addresses_stand_in_no_row(database_dsn: str, tmp_path: Path) -> None:
    async with house(database_dsn, tmp_path / "k") as home:
        await home.account("ann", profile=pb.Profile(**CANARIES), password=PASSWORD)
        log_in = {"clinic_id": CLINIC, "email": CANARIES["email"], "password": PASSWORD}
        await home.ask("LogIn", None, **log_in)
        await home.device("ann", model="Canarygiven's phone")
        named = {"account_id": "ann", "name": "Canaryfamily's key", "scopes": ["read"]}
        await home.ask("CreateApiKey", ADMIN, **named)
        tables = await home.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        rows = [
            row["row"]
            for table in tables
            for row in await home.fetch(f"SELECT t::text AS row FROM {table['tablename']} t")
        ]
    text = "\n".join(rows).encode()
    for secret in (*CANARIES.values(), PASSWORD):
        assert not any(form in text for form in forms(secret)), secret


async def test_names_of_devices_and_keys_of_before_are_sealed_at_the_next_start(
    database_dsn: str, tmp_path: Path
) -> None:
    async with house(database_dsn, tmp_path / "k") as home:
        await home.account("ann")
        await home.device("ann")
        named = {"account_id": "ann", "name": "a key", "scopes": ["read"]}
        await home.ask("CreateApiKey", ADMIN, **named)
        clear = "SET sealed_{0} = NULL, {0} = 'Canarygiven''s'"
        await home.database.execute("UPDATE device " + clear.format("model"))
        await home.database.execute("UPDATE api_key " + clear.format("name"))
    async with house(database_dsn, tmp_path / "k") as home:
        (device,) = (await home.ask("ListDevices", ADMIN, patient_id="ann")).devices
        (key,) = (await home.ask("ListApiKeys", ADMIN, account_id="ann")).api_keys
        assert (device.model, key.name) == ("Canarygiven's", "Canarygiven's")
        left = "SELECT name AS left FROM api_key UNION ALL SELECT model FROM device"
        assert [row["left"] for row in await home.fetch(left)] == ["", ""]


async def test_errors_of_grpc_itself_tell_nothing_of_a_request(home: House) -> None:
    call = home.connection.unary_unary("/rehab.identity.v1.SessionService/LogIn")
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call(b"\xffCanarygiven", timeout=10)
    assert "Canary" not in (caught.value.details() or "")
