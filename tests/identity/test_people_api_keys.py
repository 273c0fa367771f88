"""API keys: shown once, cheap to refuse, gone when they are revoked."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from rehab_identity.crypto.passwords import hashings
from rehab_identity.domain.credentials import api_key, new_secret
from rehab_runtime.access.tokens import authenticator_for
from rehab_runtime.auth import Principal
from rehab_runtime.errors import (
    InvalidArgument,
    NotFound,
    PermissionDenied,
    TooManyFailures,
    Unauthenticated,
)
from tests.identity.house import ADMIN, CLINIC, INGEST, STRANGER, House, house

NEW = {"account_id": "ann", "name": "health export", "scopes": ["ingest"]}
DAY_S = 86_400.0


def hashed() -> float:
    return float(hashings._value.get())


async def made(home: House, **more: Any) -> tuple[str, str]:
    """Id and secret of a new key."""
    answer = await home.ask("CreateApiKey", ADMIN, **{**NEW, **more})
    return answer.api_key.key_id, answer.secret


def with_other_secret(home: House, key_id: str) -> str:
    """A key with the right checksum that was never given out: only who holds the pepper can."""
    roots = home.people.accounts._roots
    return api_key(roots.checksum_key, key_id, new_secret())


async def test_a_key_stands_for_its_account_within_its_scopes(home: House) -> None:
    key_id, secret = await made(home)
    answer = await home.ask("VerifyApiKey", INGEST, secret=secret)
    assert answer.principal.principal_id == "ann"
    told = await home.let_in(secret)
    assert told == Principal("ann", "patient", CLINIC, "ann", key_id, frozenset({"ingest"}))
    assert secret.startswith(f"rk_{key_id}_")
    listed = await home.ask("ListApiKeys", ADMIN, account_id="ann")
    assert [(one.key_id, one.name) for one in listed.api_keys] == [(key_id, "health export")]


async def test_only_services_ask_whose_a_key_is(home: House) -> None:
    _, secret = await made(home)
    assert isinstance(await home.refused("VerifyApiKey", ADMIN, secret=secret), PermissionDenied)


async def test_a_key_looks_after_no_accounts(home: House) -> None:
    key_id, secret = await made(home)
    for method, fields in (
        ("CreateApiKey", NEW),
        ("RotateApiKey", {"key_id": key_id}),
        ("GetAccount", {"account_id": "ann"}),
        ("ListSessions", {"account_id": "ann"}),
    ):
        assert isinstance(await home.refused(method, secret, **fields), PermissionDenied)


async def test_a_flood_of_wrong_keys_runs_no_argon2(home: House) -> None:
    key_id, secret = await made(home)
    before = hashed()
    wrong = [
        f"rk_{key_id}_{new_secret()}{'a' * 8}",
        f"rk_{'a' * 12}_{new_secret()}{'a' * 8}",
        secret[:-1] + ("b" if secret[-1] != "b" else "c"),
        with_other_secret(home, "a" * 12),
        "rk_",
        "x" * 256,
    ]
    told = await asyncio.gather(
        *(home.refused("VerifyApiKey", INGEST, secret=wrong[n % len(wrong)]) for n in range(120))
    )
    assert {(type(error), error.message) for error in told} == {
        (Unauthenticated, Unauthenticated.public)
    }
    assert hashed() == before
    await home.ask("VerifyApiKey", INGEST, secret=secret)


async def test_wrong_secrets_of_a_key_are_hashed_a_few_times_only(
    database_dsn: str, tmp_path: Path
) -> None:
    async with house(database_dsn, tmp_path / "k", failures_account=3) as home:
        await home.account("ann", password="")
        key_id, secret = await made(home)
        before = hashed()
        told = await asyncio.gather(
            *(
                home.refused("VerifyApiKey", INGEST, secret=with_other_secret(home, key_id))
                for _ in range(10)
            )
        )
        assert hashed() - before == 3
        assert sum(isinstance(error, TooManyFailures) for error in told) == 7
        assert isinstance(
            await home.refused("VerifyApiKey", INGEST, secret=secret), TooManyFailures
        )
        home.clock.advance(900)
        await home.ask("VerifyApiKey", INGEST, secret=secret)


async def test_a_key_that_is_used_often_is_hashed_once_a_minute(home: House) -> None:
    _, secret = await made(home)
    before = hashed()
    await asyncio.gather(*(home.ask("VerifyApiKey", INGEST, secret=secret) for _ in range(20)))
    assert hashed() - before == 1
    home.clock.advance(59)
    await home.ask("VerifyApiKey", INGEST, secret=secret)
    assert hashed() - before == 1
    home.clock.advance(1)
    await home.ask("VerifyApiKey", INGEST, secret=secret)
    assert hashed() - before == 2


async def test_a_rotated_key_works_by_both_secrets_for_a_while(home: House) -> None:
    key_id, old = await made(home)
    await home.ask("VerifyApiKey", INGEST, secret=old)
    new = (await home.ask("RotateApiKey", ADMIN, key_id=key_id, overlap_s=30)).secret
    overlapping = await home.ask("VerifyApiKey", INGEST, secret=old)
    assert overlapping.expires_at.ToDatetime() == home.clock.now().replace(tzinfo=None) + timedelta(
        seconds=30
    )
    await home.ask("VerifyApiKey", INGEST, secret=new)
    home.clock.advance(30)
    assert isinstance(await home.refused("VerifyApiKey", INGEST, secret=old), Unauthenticated)
    await home.ask("VerifyApiKey", INGEST, secret=new)
    newest = (await home.ask("RotateApiKey", ADMIN, key_id=key_id)).secret
    assert isinstance(await home.refused("VerifyApiKey", INGEST, secret=new), Unauthenticated)
    await home.ask("VerifyApiKey", INGEST, secret=newest)


async def test_a_revoked_key_is_refused_at_once_and_is_told_of(home: House) -> None:
    key_id, secret = await made(home)
    theirs = authenticator_for("production", home.connection, INGEST, home.clock)
    shown = {"authorization": f"Bearer {secret}"}
    await theirs.authenticate(shown)
    await home.let_in(secret)
    await home.ask("RevokeApiKey", ADMIN, key_id=key_id)
    await home.ask("RevokeApiKey", ADMIN, key_id=key_id)
    assert isinstance(await home.refused("VerifyApiKey", INGEST, secret=secret), Unauthenticated)
    with pytest.raises(Unauthenticated):
        await home.let_in(secret)
    rows = await home.fetch("SELECT revoked FROM revocation")
    assert [row["revoked"] for row in rows] == [key_id]
    # a service that is not told of it asks again within a minute
    assert (await theirs.authenticate(shown)).session_id == key_id
    home.clock.advance(60)
    with pytest.raises(Unauthenticated):
        await theirs.authenticate(shown)
    assert isinstance(await home.refused("RotateApiKey", ADMIN, key_id=key_id), NotFound)


async def test_a_key_ends_when_it_expires(home: House) -> None:
    asked = home.clock.now() + timedelta(seconds=40)
    _, secret = await made(home, expires_at=asked)
    answer = await home.ask("VerifyApiKey", INGEST, secret=secret)
    assert answer.expires_at.ToDatetime() == asked.replace(tzinfo=None)
    home.clock.advance(40)
    assert isinstance(await home.refused("VerifyApiKey", INGEST, secret=secret), Unauthenticated)
    _, lasting = await made(home)
    home.clock.advance(365 * DAY_S)
    await home.ask("VerifyApiKey", INGEST, secret=lasting)
    home.clock.advance(2 * DAY_S)
    assert isinstance(await home.refused("VerifyApiKey", INGEST, secret=lasting), Unauthenticated)


@pytest.mark.parametrize("days", [-1, 0, 400])
async def test_a_key_lives_a_year_at_most(home: House, days: int) -> None:
    asked = home.clock.now() + timedelta(days=days)
    error = await home.refused("CreateApiKey", ADMIN, **NEW, expires_at=asked)
    assert isinstance(error, InvalidArgument)
    assert [one.field for one in error.violations] == ["expires_at"]


@pytest.mark.parametrize(
    "wrong", [{"scopes": []}, {"scopes": ["admin"]}, {"name": ""}, {"name": "a\x00"}], ids=str
)
async def test_a_key_needs_a_name_and_scopes_that_there_are(
    home: House, wrong: dict[str, Any]
) -> None:
    error = await home.refused("CreateApiKey", ADMIN, **{**NEW, **wrong})
    assert isinstance(error, InvalidArgument)


async def test_keys_of_another_clinic_are_not_found_and_anothers_are_denied(home: House) -> None:
    key_id, _ = await made(home)
    tom = Principal("tom", "therapist", CLINIC)
    for method in ("RotateApiKey", "RevokeApiKey"):
        assert isinstance(await home.refused(method, STRANGER, key_id=key_id), NotFound)
        assert isinstance(await home.refused(method, tom, key_id=key_id), PermissionDenied)
        assert isinstance(await home.refused(method, ADMIN, key_id="nothing"), NotFound)


async def test_who_is_not_let_in_gets_no_key(home: House) -> None:
    await home.ask("SetAccountStatus", ADMIN, account_id="ann", status=2, reason="left")
    assert isinstance(await home.refused("CreateApiKey", ADMIN, **NEW), NotFound)
