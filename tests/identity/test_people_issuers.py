"""People an external OpenID Connect issuer vouches for; its keys come from a real HTTP server."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey

from rehab_identity.issuers import require_safe
from rehab_identity.settings import Issuer, Settings
from rehab_runtime.errors import AlreadyExists, InvalidArgument, Unauthenticated, Unavailable
from rehab_runtime.settings import SettingsError, load
from rehab_runtime.startup import StartupError
from tests.identity.house import ADMIN, START, House, house

ISSUER, AUDIENCE = "https://login.example", "rehab-app"
SECOND = "https://second.example"
KEY = RSAKey.generate_key(2048, {"kid": "r1"})
OTHER = RSAKey.generate_key(2048, {"kid": "r2"})
EC = ECKey.generate_key("P-256", {"kid": "e1"})
NOW = int(START.timestamp())
CLAIMS = {"iss": ISSUER, "aud": AUDIENCE, "sub": "person-7", "iat": NOW, "exp": NOW + 86_400}


def told(*keys: Any) -> bytes:
    return json.dumps({"keys": [key.as_dict(private=False) for key in keys]}).encode()


@dataclass
class Provider:
    """An HTTP server with a key set; `answer` may be anything."""

    answer: bytes = field(default_factory=lambda: told(KEY, EC))
    status: str = "200 OK"
    headers: str = ""
    asked: int = 0
    url: str = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        self.asked += 1
        head = f"HTTP/1.1 {self.status}\r\n{self.headers}Connection: close\r\n"
        writer.write(f"{head}Content-Length: {len(self.answer)}\r\n\r\n".encode() + self.answer)
        with contextlib.suppress(ConnectionError):  # who was sent too much hangs up
            await writer.drain()
        writer.close()


@asynccontextmanager
async def provider() -> AsyncIterator[Provider]:
    made = Provider()
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/jwks"
    async with server:
        yield made


@asynccontextmanager
async def open_house(
    dsn: str, folder: Path, nonce: str = "unchecked"
) -> AsyncIterator[tuple[House, Provider]]:
    async with provider() as theirs:
        told = {"issuer": ISSUER, "audience": AUDIENCE, "jwks_uri": theirs.url, "nonce": nonce}
        async with house(dsn, folder / "k", issuers=[told, {**told, "issuer": SECOND}]) as home:
            await home.account("ann", password="")
            link = {"account_id": "ann", "issuer": ISSUER, "subject": "person-7"}
            await home.ask("LinkIssuer", ADMIN, **link)
            yield home, theirs


def id_token(key: Any = KEY, alg: str = "RS256", header: Any = None, **more: Any) -> str:
    claims = {name: value for name, value in {**CLAIMS, **more}.items() if value is not None}
    head = {"alg": alg, "kid": key.kid, "typ": "JWT", **(header or {})}
    return jwt.encode(head, claims, key, algorithms=[alg])


async def test_a_person_whom_the_issuer_vouches_for_is_let_in(
    database_dsn: str, tmp_path: Path
) -> None:
    async with open_house(database_dsn, tmp_path) as (home, theirs):
        for token in (id_token(), id_token(EC, "ES256"), id_token(aud=[AUDIENCE])):
            tokens = (await home.ask("ExchangeToken", None, id_token=token)).tokens
            assert (await home.let_in(tokens.access_token)).id == "ann"
        assert theirs.asked == 1
        listed = await home.ask("ListSessions", ADMIN, account_id="ann")
        assert {one.method for one in listed.sessions} == {"issuer"}
        assert "person-7" not in str(await home.fetch("SELECT * FROM issuer_link"))


async def _nonce(home: House) -> str:
    return str((await home.ask("CreateNonce", None, issuer=ISSUER)).nonce)


async def test_an_id_token_lets_in_once_and_for_a_log_in_that_was_begun_here(
    database_dsn: str, tmp_path: Path
) -> None:
    assert Issuer(issuer="a", audience="b", jwks_uri="https://c").nonce == "required"
    async with open_house(database_dsn, tmp_path, nonce="required") as (home, _):
        nonce = await _nonce(home)
        assert nonce != await _nonce(home)
        token = id_token(nonce=nonce)
        tokens = (await home.ask("ExchangeToken", None, id_token=token)).tokens
        assert (await home.let_in(tokens.access_token)).id == "ann"
        for wrong in (token, id_token(nonce=nonce, jti="again"), id_token(nonce=None)):
            error = await home.refused("ExchangeToken", None, id_token=wrong)
            assert (type(error), error.message) == (Unauthenticated, Unauthenticated.public)


async def test_a_nonce_that_is_old_or_changed_or_of_another_issuer_lets_nobody_in(
    database_dsn: str, tmp_path: Path
) -> None:
    async with open_house(database_dsn, tmp_path, nonce="required") as (home, _):
        nonce = await _nonce(home)
        swapped = nonce[:-2] + ("A" if nonce[-2] != "A" else "B") + nonce[-1]
        of_another = (await home.ask("CreateNonce", None, issuer=SECOND)).nonce
        wrong = ["", "A", nonce[:20], swapped, nonce + "AAAA", of_another, "é" * 54, 7]
        for told_nonce in wrong:
            token = id_token(nonce=told_nonce)
            error = await home.refused("ExchangeToken", None, id_token=token)
            assert isinstance(error, Unauthenticated), told_nonce
        home.clock.advance(15 * 60)
        late = await home.refused("ExchangeToken", None, id_token=id_token(nonce=nonce))
        assert isinstance(late, Unauthenticated)
        await home.ask("ExchangeToken", None, id_token=id_token(nonce=await _nonce(home)))


async def test_of_two_who_use_a_nonce_at_once_one_is_let_in(
    database_dsn: str, tmp_path: Path
) -> None:
    async with open_house(database_dsn, tmp_path, nonce="required") as (home, _):
        token = id_token(nonce=await _nonce(home))
        asked = (home.ask("ExchangeToken", None, id_token=token) for _ in range(5))
        answers = await asyncio.gather(*asked, return_exceptions=True)
        let_in = [one for one in answers if not isinstance(one, BaseException)]
        assert len(let_in) == 1


async def test_a_log_in_begins_at_configured_issuers_alone(
    database_dsn: str, tmp_path: Path
) -> None:
    async with open_house(database_dsn, tmp_path) as (home, _):
        error = await home.refused("CreateNonce", None, issuer="https://other.example")
        assert isinstance(error, InvalidArgument)
        assert [one.rule for one in error.violations] == ["issuer.configured"]


WRONG: dict[str, Any] = {
    "expired": lambda: id_token(iat=NOW - 7200, exp=NOW - 3600),
    "of the future": lambda: id_token(iat=NOW + 3600),
    "another audience": lambda: id_token(aud="other"),
    "two audiences": lambda: id_token(aud=[AUDIENCE, "other"]),
    "another issuer": lambda: id_token(iss="https://other.example"),
    "nobody's subject": lambda: id_token(sub="person-8"),
    "no subject": lambda: id_token(sub=None),
    "another key under its name": lambda: id_token(OTHER, header={"kid": "r1"}),
    "an unknown key": lambda: id_token(OTHER),
    "an algorithm that is not allowed": lambda: id_token(alg="PS256"),
    "an access token": lambda: id_token(header={"typ": "at+jwt"}),
    "a jku header": lambda: id_token(header={"jku": "https://evil.example"}),
    "HS256 with the public key": lambda: jwt.encode(
        {"alg": "HS256", "kid": "r1"},
        CLAIMS,
        OctKey.import_key(json.dumps(KEY.as_dict(private=False))),
        algorithms=["HS256"],
    ),
    "nothing of the kind": lambda: "nothing",
}


async def test_a_token_that_is_wrong_in_anything_lets_nobody_in(
    database_dsn: str, tmp_path: Path
) -> None:
    async with open_house(database_dsn, tmp_path) as (home, _):
        for kind, make in WRONG.items():
            error = await home.refused("ExchangeToken", None, id_token=make())
            assert (type(error), error.message) == (Unauthenticated, Unauthenticated.public), kind


async def test_keys_are_fetched_again_for_a_new_one_but_not_without_end(
    database_dsn: str, tmp_path: Path
) -> None:
    async with open_house(database_dsn, tmp_path) as (home, theirs):
        await home.ask("ExchangeToken", None, id_token=id_token())
        theirs.answer = told(KEY, OTHER)
        for _ in range(5):
            await home.refused("ExchangeToken", None, id_token=id_token(OTHER))
        assert theirs.asked == 1
        home.clock.advance(11)
        await home.ask("ExchangeToken", None, id_token=id_token(OTHER))
        assert theirs.asked == 2


@pytest.mark.parametrize(
    ("status", "headers", "answer"),
    [
        ("500 Oops", "", b"{}"),
        ("200 OK", "", b"<html>"),
        ("200 OK", "", b"[]"),
        ("200 OK", "", b"[" * 100_000),
        ("200 OK", "", b" " * 1_000_000),
        ("302 Found", "Location: https://evil.example\r\n", b""),
    ],
    ids=["error", "html", "list", "deep", "endless", "elsewhere"],
)
async def test_an_issuer_that_is_away_is_bridged_and_at_first_unavailable(
    database_dsn: str, tmp_path: Path, status: str, headers: str, answer: bytes
) -> None:
    async with open_house(database_dsn, tmp_path) as (home, theirs):
        good = theirs.answer
        theirs.status, theirs.headers, theirs.answer = status, headers, answer
        first = await home.refused("ExchangeToken", None, id_token=id_token())
        assert isinstance(first, Unavailable)
        theirs.status, theirs.headers, theirs.answer = "200 OK", "", good
        home.clock.advance(11)
        await home.ask("ExchangeToken", None, id_token=id_token())
        theirs.status, theirs.headers, theirs.answer = status, headers, answer
        home.clock.advance(4000)
        await home.ask("ExchangeToken", None, id_token=id_token())


async def test_a_key_set_with_secret_or_weak_keys_offers_none_of_them(
    database_dsn: str, tmp_path: Path
) -> None:
    async with open_house(database_dsn, tmp_path) as (home, theirs):
        weak = {"kty": "RSA", "kid": "r1", "n": "AQAB" * 30, "e": "AQAB"}
        theirs.answer = json.dumps({"keys": [KEY.as_dict(private=True), weak, 7]}).encode()
        error = await home.refused("ExchangeToken", None, id_token=id_token())
        assert isinstance(error, Unauthenticated)


async def test_keys_may_be_told_instead_of_fetched(database_dsn: str, tmp_path: Path) -> None:
    told_here = {"issuer": ISSUER, "audience": AUDIENCE, "jwks": json.loads(told(KEY))}
    told_here["nonce"] = "unchecked"
    async with house(database_dsn, tmp_path / "k", issuers=[told_here]) as home:
        await home.account("ann", password="")
        await home.account("tom", "therapist", password="")
        link = {"issuer": ISSUER, "subject": "person-7"}
        await home.ask("LinkIssuer", ADMIN, account_id="ann", **link)
        await home.ask("LinkIssuer", ADMIN, account_id="ann", **link)
        assert isinstance(
            await home.refused("LinkIssuer", ADMIN, account_id="tom", **link), AlreadyExists
        )
        other = {"account_id": "ann", "issuer": "https://other", "subject": "7"}
        error = await home.refused("LinkIssuer", ADMIN, **other)
        assert isinstance(error, InvalidArgument)
        assert [one.field for one in error.violations] == ["issuer"]
        await home.ask("ExchangeToken", None, id_token=id_token())


@pytest.mark.parametrize(
    "wrong",
    [
        "nonsense",
        '[{"issuer": "a"}]',
        '[{"issuer": "a", "audience": "b"}]',
        '[{"issuer": "a", "audience": "b", "jwks_uri": "file:///etc/passwd"}]',
        '[{"issuer": "a", "audience": "b", "jwks_uri": "https://c", "algorithms": ["HS256"]}]',
        '[{"issuer": "a", "audience": "b", "jwks_uri": "https://c", "algorithms": ["none"]}]',
    ],
)
def test_issuers_that_are_wrong_are_named_as_the_setting(
    monkeypatch: pytest.MonkeyPatch, wrong: str
) -> None:
    monkeypatch.setenv("IDENTITY_POSTGRES_DSN", "postgresql://u@h/d")
    monkeypatch.setenv("IDENTITY_NATS_URL", "nats://h:1")
    monkeypatch.setenv("IDENTITY_EVENTSTORE_ADDRESS", "h:1")
    monkeypatch.setenv("IDENTITY_KEY_FILE", "/k")
    monkeypatch.setenv("IDENTITY_ISSUERS", wrong)
    with pytest.raises(SettingsError, match="IDENTITY_ISSUERS"):
        load(Settings)


def test_in_production_keys_come_over_tls() -> None:
    plain = Issuer(issuer="a", audience="b", jwks_uri="http://c/jwks")
    require_safe([plain], production=False)
    with pytest.raises(StartupError, match="TLS"):
        require_safe([plain], production=True)
