"""Being let in by a password, and staying in."""

from __future__ import annotations

import asyncio
from pathlib import Path

import grpc
import pytest

from rehab.identity.v1 import account_service_pb2 as account_pb
from rehab.identity.v1 import session_service_pb2 as session_pb
from rehab.identity.v1.session_service_pb2_grpc import SessionServiceStub
from rehab_identity.crypto.passwords import hashings
from rehab_identity.settings import Settings
from rehab_runtime.auth import Principal
from rehab_runtime.errors import (
    NotFound,
    Overloaded,
    PermissionDenied,
    RehabError,
    TooManyFailures,
    Unauthenticated,
    from_rpc_error,
)
from rehab_runtime.settings import SettingsError, load
from tests.identity.house import ADMIN, CLI, CLINIC, OTHER, PASSWORD, STRANGER, House, house

LOG_IN = {"clinic_id": CLINIC, "email": "ann@example.org", "password": PASSWORD}
HOUR_S = 3600


def hashed() -> float:
    return float(hashings._value.get())


async def test_a_password_lets_in_whoever_it_is_of(home: House) -> None:
    answer = await home.ask("LogIn", None, **{**LOG_IN, "email": " ANN@Example.org "})
    principal = await home.let_in(answer.tokens.access_token)
    session = answer.tokens.session_id
    assert principal == Principal("ann", "patient", CLINIC, "ann", session)
    therapist = await home.let_in((await home.log_in("tom")).access_token)
    assert (therapist.id, therapist.role, therapist.patient_id) == ("tom", "therapist", "")


async def test_whoever_is_not_let_in_hears_one_sentence_after_the_same_work(home: House) -> None:
    await home.account("mute", password="")
    await home.account("gone")
    disabled = {"account_id": "gone", "status": account_pb.ACCOUNT_STATUS_DISABLED, "reason": "x"}
    await home.ask("SetAccountStatus", ADMIN, **disabled)
    causes = [
        {"password": "not the password"},
        {"email": "nobody@example.org"},
        {"email": "mute@example.org"},
        {"email": "gone@example.org"},
        {"clinic_id": OTHER},
        {"email": "  "},
        {"email": "\x00"},
    ]
    told = set()
    for cause in causes:
        before = hashed()
        error = await home.refused("LogIn", None, **{**LOG_IN, **cause})
        told.add((type(error), error.message, error.retry_after_s, len(error.metadata)))
        assert hashed() - before == 1, cause
    assert told == {(Unauthenticated, Unauthenticated.public, None, 0)}


async def test_too_many_failures_at_an_account_are_refused_without_a_look(
    database_dsn: str, tmp_path: Path
) -> None:
    async with house(database_dsn, tmp_path / "k", failures_account=3) as home:
        await home.account("ann")
        await home.account("tom", "therapist")
        before = hashed()
        wrong = {**LOG_IN, "password": "wrong"}
        errors = await asyncio.gather(*(home.refused("LogIn", None, **wrong) for _ in range(12)))
        assert sum(isinstance(error, Unauthenticated) for error in errors) == 3
        assert hashed() - before == 3
        right = await home.refused("LogIn", None, **LOG_IN)
        assert isinstance(right, TooManyFailures)
        assert right.retry_after_s == 900
        await home.log_in("tom")
        home.clock.advance(900)
        await home.log_in("ann")


async def test_too_many_failures_from_an_address_shut_nobody_else_out(
    database_dsn: str, tmp_path: Path
) -> None:
    async with house(database_dsn, tmp_path / "k", failures_source=3) as home:
        await home.account("ann")
        for number in range(3):
            wrong = {**LOG_IN, "email": f"x{number}@example.org"}
            assert isinstance(await home.refused("LogIn", None, **wrong), Unauthenticated)
        assert isinstance(await home.refused("LogIn", None, **LOG_IN), TooManyFailures)
        rows = await home.fetch("SELECT subject FROM failure")
        assert len(rows) == 4  # the address and three accounts; ann's was not counted
        assert not any(b"example" in row["subject"] for row in rows)


async def _wrong_from(home: House, number: int, *forwarded: str) -> RehabError:
    """A wrong password for a new address each time, forwarded for somebody."""
    request = session_pb.LogInRequest(**{**LOG_IN, "email": f"x{number}@example.org"})
    metadata = [("x-forwarded-for", one) for one in forwarded]
    try:
        await SessionServiceStub(home.connection).LogIn(request, metadata=metadata, timeout=30)
    except grpc.aio.AioRpcError as error:
        return from_rpc_error(error)
    raise AssertionError("a wrong password let somebody in")


async def test_behind_a_trusted_proxy_each_address_is_counted_for_itself(
    database_dsn: str, tmp_path: Path
) -> None:
    told = {"failures_source": 3, "trusted_proxies": ["127.0.0.0/8", "::1/128"]}
    async with house(database_dsn, tmp_path / "k", **told) as home:
        # whatever an attacker says of whom they speak for, the proxy adds who they are
        for number in range(3):
            error = await _wrong_from(home, number, f"198.51.100.{number}, 203.0.113.9")
            assert isinstance(error, Unauthenticated)
        error = await _wrong_from(home, 3, "198.51.100.3, 203.0.113.9")
        assert isinstance(error, TooManyFailures)
        assert isinstance(await _wrong_from(home, 4, "203.0.113.10"), Unauthenticated)


async def test_without_a_trusted_proxy_nobody_says_who_they_are(
    database_dsn: str, tmp_path: Path
) -> None:
    async with house(database_dsn, tmp_path / "k", failures_source=3) as home:
        for number in range(3):
            error = await _wrong_from(home, number, f"198.51.100.{number}")
            assert isinstance(error, Unauthenticated)
        assert isinstance(await _wrong_from(home, 3, "198.51.100.3"), TooManyFailures)


def test_proxies_that_are_everybody_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IDENTITY_TRUSTED_PROXIES", '["10.0.0.0/8", "0.0.0.0/0"]')
    with pytest.raises(SettingsError) as caught:
        load(Settings)
    assert "IDENTITY_TRUSTED_PROXIES: must not be every address" in str(caught.value)


async def test_who_succeeds_has_failed_never(database_dsn: str, tmp_path: Path) -> None:
    async with house(database_dsn, tmp_path / "k", failures_account=2, failures_source=3) as home:
        await home.account("ann")
        for _ in range(2):
            await home.refused("LogIn", None, **{**LOG_IN, "password": "wrong"})
            home.clock.advance(500)
            await home.log_in("ann")
        for _ in range(5):
            await home.log_in("ann")


async def test_passwords_that_wait_are_bounded_and_not_counted_as_wrong(
    database_dsn: str, tmp_path: Path
) -> None:
    few = {"hashing_threads": 1, "hashing_queue": 1, "failures_account": 50}
    async with house(database_dsn, tmp_path / "k", **few) as home:
        await home.account("ann")

        async def tried() -> RehabError | None:
            try:
                await home.log_in("ann")
            except RehabError as error:
                return error
            return None

        told = await asyncio.gather(*(tried() for _ in range(20)))
        refused = [error for error in told if error is not None]
        assert {type(error) for error in refused} <= {Overloaded}
        assert None in told
        (row,) = await home.fetch("SELECT max(attempts) AS attempts FROM failure")
        assert not row["attempts"]


async def test_a_refresh_token_gives_the_next_ones(home: House) -> None:
    tokens = await home.log_in("ann")
    for _ in range(3):
        home.clock.advance(HOUR_S)
        with pytest.raises(Unauthenticated):
            await home.let_in(tokens.access_token)
        answer = await home.ask("RefreshSession", None, refresh_token=tokens.refresh_token)
        assert answer.tokens.session_id == tokens.session_id
        tokens = answer.tokens
        assert (await home.let_in(tokens.access_token)).session_id == tokens.session_id


async def test_a_lost_answer_is_given_once_more_within_the_grace(home: House) -> None:
    tokens = await home.log_in("ann")
    lost = await home.ask("RefreshSession", None, refresh_token=tokens.refresh_token)
    home.clock.advance(9)
    again = await home.ask("RefreshSession", None, refresh_token=tokens.refresh_token)
    assert again.tokens.refresh_token not in (tokens.refresh_token, lost.tokens.refresh_token)
    home.clock.advance(60)
    await home.ask("RefreshSession", None, refresh_token=again.tokens.refresh_token)


@pytest.mark.parametrize("late", [True, False])
async def test_a_refresh_token_that_two_have_ends_the_session(home: House, late: bool) -> None:
    tokens = await home.log_in("ann")
    other = await home.log_in("ann")
    old = {"refresh_token": tokens.refresh_token}
    newest = (await home.ask("RefreshSession", None, **old)).tokens
    if late:
        home.clock.advance(11)
    else:
        newest = (await home.ask("RefreshSession", None, **old)).tokens
    assert isinstance(await home.refused("RefreshSession", None, **old), Unauthenticated)
    next_one = await home.refused("RefreshSession", None, refresh_token=newest.refresh_token)
    assert isinstance(next_one, Unauthenticated)
    with pytest.raises(Unauthenticated):
        await home.let_in(newest.access_token)
    rows = await home.fetch("SELECT revoked FROM revocation")
    assert [row["revoked"] for row in rows] == [tokens.session_id]
    assert (await home.let_in(other.access_token)).id == "ann"


async def test_two_refreshes_at_once_both_go_on_and_of_many_the_session_ends(home: House) -> None:
    tokens = await home.log_in("ann")
    two = [home.ask("RefreshSession", None, refresh_token=tokens.refresh_token) for _ in "12"]
    one, other = [answer.tokens for answer in await asyncio.gather(*two)]
    assert one.refresh_token != other.refresh_token
    for answer in (one, other):
        assert (await home.let_in(answer.access_token)).id == "ann"
    many = [home.ask("RefreshSession", None, refresh_token=one.refresh_token) for _ in range(8)]
    told = await asyncio.gather(*many, return_exceptions=True)
    assert sum(isinstance(answer, Unauthenticated) for answer in told) >= 5
    (row,) = await home.fetch("SELECT ended_at FROM session")
    assert row["ended_at"] is not None


async def test_a_made_up_token_ends_nobodys_session(home: House) -> None:
    tokens = await home.log_in("ann")
    for forged in (
        f"rt_{tokens.session_id}_{'a' * 52}",
        "rt_x",
        "x" * 512,
        tokens.access_token[:500],
    ):
        error = await home.refused("RefreshSession", None, refresh_token=forged)
        assert isinstance(error, Unauthenticated)
        assert error.message == Unauthenticated.public
    await home.ask("RefreshSession", None, refresh_token=tokens.refresh_token)


async def test_a_session_ends_when_it_is_idle_and_when_it_is_old(
    database_dsn: str, tmp_path: Path
) -> None:
    short = {"session_idle_h": 2, "session_max_h": 3}
    async with house(database_dsn, tmp_path / "k", **short) as home:
        await home.account("ann")
        idle = await home.log_in("ann")
        home.clock.advance(2 * HOUR_S)
        with pytest.raises(Unauthenticated):
            await home.ask("RefreshSession", None, refresh_token=idle.refresh_token)
        used = await home.log_in("ann")
        begun = used.refresh_expires_at.seconds - 2 * HOUR_S
        home.clock.advance(1.9 * HOUR_S)
        answer = await home.ask("RefreshSession", None, refresh_token=used.refresh_token)
        assert answer.tokens.refresh_expires_at.seconds == begun + 3 * HOUR_S
        home.clock.advance(1.2 * HOUR_S)
        with pytest.raises(Unauthenticated):
            await home.ask("RefreshSession", None, refresh_token=answer.tokens.refresh_token)


async def test_logging_out_ends_one_session(home: House) -> None:
    mine, other = await home.log_in("ann"), await home.log_in("ann")
    await home.ask("EndSession", mine.access_token)
    with pytest.raises(Unauthenticated):
        await home.let_in(mine.access_token)
    with pytest.raises(Unauthenticated):
        await home.ask("RefreshSession", None, refresh_token=mine.refresh_token)
    listed = await home.ask("ListSessions", other.access_token, account_id="ann")
    assert [one.session_id for one in listed.sessions] == [other.session_id]
    assert listed.sessions[0].method == "password"


async def test_a_session_is_ended_by_whose_it_is_or_who_runs_the_clinic(home: House) -> None:
    ann, tom = await home.log_in("ann"), await home.log_in("tom")
    named = {"session_id": ann.session_id}
    assert isinstance(await home.refused("EndSession", tom.access_token, **named), PermissionDenied)
    assert isinstance(await home.refused("EndSession", STRANGER, **named), NotFound)
    assert isinstance(await home.refused("EndSession", ADMIN), NotFound)
    assert isinstance(await home.refused("EndSession", None, **named), Unauthenticated)
    await home.ask("EndSession", ADMIN, **named)
    await home.ask("EndSession", CLI, **named)
    with pytest.raises(Unauthenticated):
        await home.let_in(ann.access_token)


async def test_a_log_in_while_the_account_is_disabled_leaves_no_session(home: House) -> None:
    waiting = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
    async with home.database.transaction() as disabling:
        await disabling.execute("UPDATE account SET status = 'disabled' WHERE account_id = 'ann'")
        logging_in = asyncio.create_task(home.refused("LogIn", None, **LOG_IN))
        async with asyncio.timeout(20):
            while not logging_in.done() and not await home.fetch(waiting):
                await asyncio.sleep(0.01)
    assert isinstance(await logging_in, Unauthenticated)
    assert await home.fetch("SELECT session_id FROM session") == []


async def test_no_credential_stands_in_the_database(home: House) -> None:
    tokens = await home.log_in("ann")
    key = await home.ask("CreateApiKey", ADMIN, account_id="ann", name="x", scopes=["read"])
    code = (await home.ask("CreateEnrolmentCode", CLI, patient_id="ann")).code
    secrets = [
        tokens.refresh_token.rpartition("_")[2],
        tokens.access_token,
        key.secret.rpartition("_")[2][:52],
        code,
        code.replace("-", ""),
        PASSWORD,
    ]
    tables = await home.fetch(
        "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
    )
    for table in tables:
        rows = await home.fetch(f"SELECT t::text AS row FROM {table['table_name']} t")
        text = "".join(row["row"] for row in rows)
        for secret in secrets:
            assert secret not in text
            assert secret.encode().hex() not in text


async def test_a_password_that_is_replaced_while_it_is_checked_lets_nobody_in(home: House) -> None:
    """Whoever logs in by the old password at that moment has no session afterwards."""
    for _ in range(3):
        new = {"account_id": "ann", "new": "another long password"}
        logging_in = [home.log_in("ann") for _ in range(4)]
        await asyncio.gather(
            *logging_in, home.ask("SetPassword", ADMIN, **new), return_exceptions=True
        )
        assert await home.fetch("SELECT 1 FROM session WHERE ended_at IS NULL") == []
        await home.ask("SetPassword", ADMIN, account_id="ann", new=PASSWORD)


async def test_devices_and_accounts_that_end_at_once_do_not_wait_for_each_other(
    home: House,
) -> None:
    devices = [(await home.device())[0] for _ in range(6)]
    disabled = {"account_id": "ann", "status": account_pb.ACCOUNT_STATUS_DISABLED, "reason": "x"}
    ending = [home.ask("RevokeDevice", ADMIN, device_id=one, reason="lost") for one in devices]
    await asyncio.gather(*ending, home.ask("SetAccountStatus", ADMIN, **disabled))
    assert await home.fetch("SELECT 1 FROM device WHERE revoked_at IS NULL") == []
