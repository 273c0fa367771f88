"""Accounts, and what is known of the people behind them."""

from __future__ import annotations

import asyncio
import os
import stat
from pathlib import Path

import asyncpg
import pytest

from rehab.events.v1.event_pb2 import Role
from rehab.identity.v1 import account_service_pb2 as pb
from rehab_runtime.auth import Principal
from rehab_runtime.errors import (
    AlreadyExists,
    Erased,
    Internal,
    InvalidArgument,
    NotFound,
    PermissionDenied,
    Unauthenticated,
)
from tests.identity.house import (
    ADMIN,
    CLI,
    CLINIC,
    OTHER,
    PASSWORD,
    STRANGER,
    House,
    house,
    profile,
)

ANN = Principal("ann", "patient", CLINIC, patient_id="ann")
TOM = Principal("tom", "therapist", CLINIC)
DISABLE = {"account_id": "ann", "status": pb.ACCOUNT_STATUS_DISABLED, "reason": "left"}
OF_AN_ACCOUNT = {
    "GetAccount": {"account_id": "ann"},
    "UpdateProfile": {"account_id": "ann", "profile": profile("ann")},
    "SetPassword": {"account_id": "ann", "old": PASSWORD, "new": "another long password"},
    "SetAccountStatus": DISABLE,
    "LinkIssuer": {"account_id": "ann", "issuer": "https://idp", "subject": "7"},
    "ListSessions": {"account_id": "ann"},
    "CreateEnrolmentCode": {"patient_id": "ann"},
    "ListDevices": {"patient_id": "ann"},
    "CreateApiKey": {"account_id": "ann", "name": "export", "scopes": ["read"]},
    "ListApiKeys": {"account_id": "ann"},
}


async def test_an_account_is_told_as_it_was_made(home: House) -> None:
    answer = await home.ask("GetAccount", ADMIN, account_id="ann")
    told = answer.account
    assert (told.account_id, told.clinic_id, told.role) == ("ann", CLINIC, Role.ROLE_PATIENT)
    assert told.status == pb.ACCOUNT_STATUS_ACTIVE
    assert told.profile == profile("ann")


async def test_making_an_account_again_answers_the_same(home: House) -> None:
    first = (await home.ask("GetAccount", CLI, account_id="ann")).account
    again = await asyncio.gather(*(home.account("ann") for _ in range(4)))
    assert all(one == first for one in again)
    made = await asyncio.gather(*(home.account("new") for _ in range(4)))
    assert {one.account_id for one in made} == {"new"}


@pytest.mark.parametrize(
    "other",
    [
        {"role": "therapist"},
        {"clinic_id": OTHER},
        {"profile": profile("ann", phone="+4930123")},
        {"password": "not the same password"},
        {"password": ""},
    ],
    ids=str,
)
async def test_an_id_with_other_content_is_another_account(
    home: House, other: dict[str, str]
) -> None:
    with pytest.raises(AlreadyExists):
        await home.account("ann", **other)


@pytest.mark.parametrize("email", ["ANN@example.org", "\uff41nn@example.org", "Ann@EXAMPLE.ORG"])
async def test_an_address_is_one_accounts_in_a_clinic_however_it_is_written(
    home: House, email: str
) -> None:
    with pytest.raises(AlreadyExists):
        await home.account("bob", profile=profile("bob", email=email))
    await home.account("bob", clinic_id=OTHER, profile=profile("bob", email=email))
    with pytest.raises(AlreadyExists):
        await home.ask("UpdateProfile", CLI, account_id="tom", profile=profile("t", email=email))
    found = await home.ask("ListAccounts", ADMIN, clinic_id=CLINIC, email=f" {email} ")
    assert [one.account_id for one in found.accounts] == ["ann"]


async def test_accounts_of_a_clinic_are_listed_page_by_page(home: House) -> None:
    for number in range(4):
        await home.account(f"p{number}", password="")
    seen, token = [], ""
    for _ in range(4):
        page = await home.ask(
            "ListAccounts", ADMIN, clinic_id=CLINIC, page_size=2, page_token=token
        )
        seen += [one.account_id for one in page.accounts]
        token = page.next_page_token
        if not token:
            break
    assert seen == ["ann", "p0", "p1", "p2", "p3", "tom"]
    therapists = await home.ask("ListAccounts", ADMIN, clinic_id=CLINIC, role=Role.ROLE_THERAPIST)
    assert [one.account_id for one in therapists.accounts] == ["tom"]
    wrong = await home.refused("ListAccounts", ADMIN, clinic_id=CLINIC, page_token="AAAA")
    assert isinstance(wrong, InvalidArgument)


@pytest.mark.parametrize("method", OF_AN_ACCOUNT)
async def test_of_an_account_of_another_clinic_nothing_is_told(home: House, method: str) -> None:
    refused = await home.refused(method, STRANGER, **OF_AN_ACCOUNT[method])
    named = {
        key: "nobody" if value == "ann" else value for key, value in OF_AN_ACCOUNT[method].items()
    }
    nobody = await home.refused(method, STRANGER, **named)
    assert type(refused) is type(nobody) is NotFound
    assert refused.message == nobody.message


@pytest.mark.parametrize(
    "method", sorted(set(OF_AN_ACCOUNT) - {"CreateEnrolmentCode", "ListDevices"})
)
async def test_an_account_is_ones_own_or_the_admins(home: House, method: str) -> None:
    assert isinstance(await home.refused(method, TOM, **OF_AN_ACCOUNT[method]), PermissionDenied)
    device = Principal("phone", "device", CLINIC)
    refused = await home.refused(method, device, **OF_AN_ACCOUNT[method])
    assert isinstance(refused, PermissionDenied)


async def test_only_who_runs_the_clinic_makes_and_lists_accounts(home: House) -> None:
    new = {"clinic_id": CLINIC, "role": Role.ROLE_PATIENT}
    assert isinstance(await home.refused("CreateAccount", TOM, **new), PermissionDenied)
    assert isinstance(await home.refused("ListAccounts", TOM, clinic_id=CLINIC), PermissionDenied)
    assert isinstance(await home.refused("CreateAccount", STRANGER, **new), NotFound)
    assert isinstance(await home.refused("SetAccountStatus", ANN, **DISABLE), PermissionDenied)


async def test_nobody_is_called_as_the_logs_own_streams_are(home: House) -> None:
    new = {"clinic_id": CLINIC, "role": Role.ROLE_PATIENT, "account_id": "audit-identity-0"}
    refused = await home.refused("CreateAccount", ADMIN, **new)
    assert [one.rule for one in refused.violations] == ["account_id.person"]


async def test_a_person_names_the_password_they_have_and_an_admin_need_not(home: House) -> None:
    new = {"account_id": "ann", "new": "another long password"}
    tokens = await home.log_in("ann")
    other = await home.log_in("ann")
    wrong = await home.refused("SetPassword", tokens.access_token, old="wrong", **new)
    assert isinstance(wrong, Unauthenticated)
    await home.ask("SetPassword", tokens.access_token, old=PASSWORD, **new)
    assert (await home.let_in(tokens.access_token)).id == "ann"
    with pytest.raises(Unauthenticated):
        await home.let_in(other.access_token)
    with pytest.raises(Unauthenticated):
        await home.log_in("ann")
    await home.log_in("ann", "another long password")
    await home.ask("SetPassword", ADMIN, account_id="ann", new="set by the admin of all")
    await home.log_in("ann", "set by the admin of all")


async def test_disabling_ends_sessions_keys_and_devices_and_tells_of_each(
    home: House, database_dsn: str
) -> None:
    tokens = await home.log_in("ann")
    device_id, _ = await home.device()
    key = await home.ask("CreateApiKey", ADMIN, account_id="ann", name="x", scopes=["read"])
    told = asyncio.Event()
    listening = await asyncpg.connect(database_dsn)
    try:
        await listening.add_listener("identity_access", lambda *_: told.set())
        await home.ask("SetAccountStatus", ADMIN, **DISABLE)
        async with asyncio.timeout(10):
            await told.wait()
    finally:
        await listening.close()
    rows = await home.fetch("SELECT revoked FROM revocation ORDER BY seq")
    ended = {"ann", tokens.session_id, device_id, key.api_key.key_id}
    assert {row["revoked"] for row in rows} == ended
    for credential in (tokens.access_token, key.secret):
        with pytest.raises(Unauthenticated):
            await home.let_in(credential)
    with pytest.raises(Unauthenticated):
        await home.ask("RefreshSession", None, refresh_token=tokens.refresh_token)
    with pytest.raises(Unauthenticated):
        await home.log_in("ann")


async def test_who_is_let_in_again_logs_in_anew(home: House) -> None:
    tokens = await home.log_in("ann")
    await home.ask("SetAccountStatus", ADMIN, **DISABLE)
    home.clock.advance(1)
    active = {**DISABLE, "status": pb.ACCOUNT_STATUS_ACTIVE}
    await home.ask("SetAccountStatus", ADMIN, **active)
    home.clock.advance(1)
    with pytest.raises(Unauthenticated):
        await home.let_in(tokens.access_token)
    assert (await home.let_in((await home.log_in("ann")).access_token)).id == "ann"


async def test_erasure_leaves_nothing_of_the_person(home: House) -> None:
    tokens = await home.log_in("ann")
    await home.device()
    await home.ask("CreateApiKey", ADMIN, account_id="ann", name="ann's", scopes=["read"])
    holdings = home.people.holdings
    held = [line async for line in holdings.about("ann")]
    assert [line["type"] for line in held] == ["account", "login_session", "device", "api_key"]
    assert held[0]["profile"]["family_name"] == "Lovelace"
    for account_id in ("ann", "ann", "nobody"):
        await holdings.erase(account_id)
    assert [line async for line in holdings.about("nobody")] == []
    with pytest.raises(Unauthenticated):
        await home.let_in(tokens.access_token)
    rows = await home.fetch("SELECT revoked FROM revocation")
    assert {"ann", tokens.session_id} <= {row["revoked"] for row in rows}
    (row,) = await home.fetch("SELECT * FROM account WHERE account_id = 'ann'")
    left = {name for name, value in row.items() if value is not None}
    assert left == {"account_id", "clinic_id", "role", "status", "created_at"}
    names = await home.fetch(
        "SELECT name, sealed_name AS sealed FROM api_key "
        "UNION ALL SELECT model, sealed_model FROM device"
    )
    assert [tuple(row) for row in names] == [("", None), ("", None)]
    account = (await home.ask("GetAccount", ADMIN, account_id="ann")).account
    assert account.status == pb.ACCOUNT_STATUS_ERASED
    assert account.profile == pb.Profile()
    for method in ("UpdateProfile", "SetPassword", "SetAccountStatus"):
        assert isinstance(await home.refused(method, ADMIN, **OF_AN_ACCOUNT[method]), Erased)
    await home.account("ann2", profile=profile("ann"))


async def test_a_profile_is_sealed_and_bound_to_its_account(home: House) -> None:
    columns = "profile, data_key, email_index"
    rows = await home.fetch(f"SELECT {columns} FROM account")
    for row in rows:
        for value in row.values():
            assert b"Lovelace" not in value
            assert b"example" not in value
    await home.database.execute(
        "UPDATE account a SET profile = b.profile, data_key = b.data_key FROM account b "
        "WHERE a.account_id = 'ann' AND b.account_id = 'tom'"
    )
    assert isinstance(await home.refused("GetAccount", ADMIN, account_id="ann"), Internal)


async def test_the_same_address_has_another_index_in_another_clinic(home: House) -> None:
    await home.account("far", clinic_id=OTHER, profile=profile("ann"))
    rows = await home.fetch("SELECT email_index FROM account WHERE account_id IN ('ann', 'far')")
    assert len({row["email_index"] for row in rows}) == 2


async def test_the_key_file_is_made_for_its_owner_alone_and_nothing_opens_without_it(
    database_dsn: str, tmp_path: Path
) -> None:
    path = tmp_path / "keys.json"
    async with house(database_dsn, path) as made:
        await made.account("ann")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    async with house(database_dsn, path) as again:
        answer = await again.ask("GetAccount", CLI, account_id="ann")
        assert answer.account.profile == profile("ann")
    os.rename(path, tmp_path / "lost.json")
    with pytest.raises(Internal):
        async with house(database_dsn, path):
            raise AssertionError("it started with another key file")
