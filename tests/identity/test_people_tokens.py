"""Access tokens: who believes them, and who does not."""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Callable
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rehab_runtime.access import tokens as runtime_tokens
from rehab_runtime.access.jws import public_keys, verified
from rehab_runtime.access.tokens import TokenAuthenticator, authenticator_for, by_identity
from rehab_runtime.auth import Principal, bearer
from rehab_runtime.channels import channel
from rehab_runtime.clock import FixedClock
from rehab_runtime.errors import RehabError, Unauthenticated, Unavailable
from tests.identity.house import CLINIC, INGEST, START, House, decoded, encoded, house, signed

FOREIGN = Ed25519PrivateKey.from_private_bytes(b"f" * 32)
NOW = int(START.timestamp())


async def metadata(home: House) -> tuple[str, dict[str, Any], dict[str, Any], dict[str, Any]]:
    """A good token, its header and claims, and the key that verifies it."""
    token = (await home.log_in("ann")).access_token
    jwks = json.loads((await home.ask("GetJwks", None)).jwks)
    return token, decoded(token, 0), decoded(token, 1), jwks["keys"][0]


def by_hmac(header: dict[str, Any], claims: dict[str, Any], key: bytes) -> str:
    text = f"{encoded(header)}.{encoded(claims)}"
    return f"{text}.{encoded(hmac.digest(key, text.encode(), sha256))}"


def public_bytes(jwk: dict[str, Any]) -> bytes:
    return base64.urlsafe_b64decode(jwk["x"] + "=")


Forge = Callable[[str, dict[str, Any], dict[str, Any], dict[str, Any]], str]
FOREIGN_JWK = {
    "kty": "OKP",
    "crv": "Ed25519",
    "x": encoded(FOREIGN.public_key().public_bytes_raw()),
}
FORGED: dict[str, Forge] = {
    "alg none": lambda t, h, c, k: f"{encoded({**h, 'alg': 'none'})}.{encoded(c)}.",
    "alg None": lambda t, h, c, k: f"{encoded({**h, 'alg': 'None'})}.{encoded(c)}.{encoded(b'x')}",
    "no signature": lambda t, h, c, k: f"{encoded(h)}.{encoded(c)}.",
    "HS256 with the public key": lambda t, h, c, k: by_hmac(
        {**h, "alg": "HS256"}, c, public_bytes(k)
    ),
    "HS256 with the public key as JSON": lambda t, h, c, k: by_hmac(
        {**h, "alg": "HS256"}, c, json.dumps(k).encode()
    ),
    "HS256 under the right name": lambda t, h, c, k: by_hmac(h, c, public_bytes(k)),
    "another key": lambda t, h, c, k: signed(FOREIGN, h, c),
    "another key and kid": lambda t, h, c, k: signed(FOREIGN, {**h, "kid": "other"}, c),
    "no kid": lambda t, h, c, k: signed(FOREIGN, {"alg": "Ed25519", "typ": "at+jwt"}, c),
    "kid is a path": lambda t, h, c, k: signed(FOREIGN, {**h, "kid": "../../dev/null"}, c),
    "jwk header": lambda t, h, c, k: signed(FOREIGN, {**h, "jwk": FOREIGN_JWK}, c),
    "jku header": lambda t, h, c, k: signed(FOREIGN, {**h, "jku": "https://evil.example"}, c),
    "x5u header": lambda t, h, c, k: signed(FOREIGN, {**h, "x5u": "https://evil.example"}, c),
    "crit header": lambda t, h, c, k: signed(FOREIGN, {**h, "crit": ["exp"]}, c),
    "EdDSA": lambda t, h, c, k: signed(FOREIGN, {**h, "alg": "EdDSA"}, c),
    "header altered": lambda t, h, c, k: ".".join(
        [encoded({**h, "typ": "JWT"}), *t.split(".")[1:]]
    ),
    "role altered": lambda t, h, c, k: ".".join(
        [t.split(".")[0], encoded({**c, "role": "admin"}), t.split(".")[2]]
    ),
    "signature altered": lambda t, h, c, k: t[:-10] + ("A" if t[-10] != "A" else "B") + t[-9:],
    "header is a list": lambda t, h, c, k: f"{encoded(b'[]')}.{encoded(c)}.{encoded(b'x')}",
    "header is deep": lambda t, h, c, k: f"{encoded(b'[' * 5000)}.{encoded(c)}.{encoded(b'x')}",
    "nothing": lambda t, h, c, k: "",
    "two parts": lambda t, h, c, k: t.rpartition(".")[0],
    "four parts": lambda t, h, c, k: t + ".x",
    "a development token in a bearer": lambda t, h, c, k: "dev.admin",
}


@pytest.mark.parametrize("kind", FORGED)
async def test_a_forged_token_lets_nobody_in(home: House, kind: str) -> None:
    good = await metadata(home)
    forged = FORGED[kind](*good)
    for _ in range(2):
        with pytest.raises(Unauthenticated):
            await home.let_in(forged)
    if len(forged) < 4000:
        error = await home.refused("ListSessions", forged, account_id="ann")
        assert (type(error), error.message) == (Unauthenticated, Unauthenticated.public)
    assert (await home.let_in(good[0])).id == "ann"


WRONG: dict[str, dict[str, Any]] = {
    "expired": {"exp": NOW},
    "not yet": {"nbf": NOW + 120},
    "of the future": {"iat": NOW + 120},
    "another audience": {"aud": "other"},
    "no audience": {"aud": None},
    "two audiences": {"aud": ["rehab", "other"]},
    "another issuer": {"iss": "other"},
    "no issuer": {"iss": None},
    "expiry as text": {"exp": str(NOW + 100)},
    "expiry as truth": {"exp": True},
    "endless": {"exp": 1e300},
    "no expiry": {"exp": None},
    "another role": {"role": "root"},
    "service": {"role": "service", "clinic": "_all"},
    "no session": {"sid": None},
    "no subject": {"sub": ""},
    "patient of nobody": {"patient": None},
    "clinic as list": {"clinic": ["north"]},
}


def of_keys(key: Ed25519PrivateKey, clock: FixedClock) -> TokenAuthenticator:
    """One that trusts a key of ours, so that what is signed may be wrong."""

    async def jwks() -> dict[str, Any]:
        public = encoded(key.public_key().public_bytes_raw())
        told = {"kty": "OKP", "crv": "Ed25519", "x": public, "use": "sig"}
        secret = {"kty": "oct", "k": encoded(b"s" * 32), "kid": "secret"}
        return {"keys": [{**told, "kid": "a"}, {**told, "kid": "enc", "use": "enc"}, secret]}

    async def no_keys(_: str) -> Any:
        raise Unauthenticated("no API keys here")

    return TokenAuthenticator(jwks, no_keys, clock)


HEADER = {"alg": "Ed25519", "typ": "at+jwt", "kid": "a"}
CLAIMS = {
    "iss": "rehab-identity",
    "aud": "rehab",
    "sub": "ann",
    "iat": NOW,
    "nbf": NOW,
    "exp": NOW + 600,
    "role": "patient",
    "clinic": CLINIC,
    "patient": "ann",
    "sid": "s1",
}


async def shown(authenticator: TokenAuthenticator, token: str) -> Principal:
    return await authenticator.authenticate({"authorization": f"Bearer {token}"})


async def test_a_token_that_is_right_in_all_is_believed_until_it_expires() -> None:
    clock = FixedClock(START)
    authenticator = of_keys(FOREIGN, clock)
    token = signed(FOREIGN, HEADER, CLAIMS)
    for _ in range(2):
        told = await shown(authenticator, token)
        assert told == Principal("ann", "patient", CLINIC, "ann", "s1")
    clock.advance(600)
    with pytest.raises(Unauthenticated):
        await shown(authenticator, token)


@pytest.mark.parametrize("kind", WRONG)
async def test_a_token_that_is_signed_but_wrong_lets_nobody_in(kind: str) -> None:
    authenticator = of_keys(FOREIGN, FixedClock(START))
    claims = {name: value for name, value in {**CLAIMS, **WRONG[kind]}.items() if value is not None}
    with pytest.raises(Unauthenticated):
        await shown(authenticator, signed(FOREIGN, HEADER, claims))


@pytest.mark.parametrize(
    "header",
    [
        {"typ": "JWT"},
        {"kid": "enc"},
        {"kid": "secret"},
        {"jwk": {}},
        {"jku": "https://evil.example"},
        {"x5c": []},
        {"zip": "DEF"},
        {"cty": "JWT"},
    ],
    ids=str,
)
async def test_a_token_of_another_type_key_or_with_more_headers_is_none(
    header: dict[str, Any],
) -> None:
    authenticator = of_keys(FOREIGN, FixedClock(START))
    with pytest.raises(Unauthenticated):
        await shown(authenticator, signed(FOREIGN, {**HEADER, **header}, CLAIMS))


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
async def test_no_token_that_differs_in_one_character_is_believed(data: st.DataObject) -> None:
    authenticator = of_keys(FOREIGN, FixedClock(START))
    token = signed(FOREIGN, HEADER, CLAIMS)
    place = data.draw(st.integers(0, len(token) - 2))
    other = data.draw(st.characters(codec="utf-8").filter(lambda one: one != token[place]))
    with pytest.raises(Unauthenticated):
        await shown(authenticator, token[:place] + other + token[place + 1 :])


async def test_services_verify_tokens_by_the_keys_that_identity_publishes(home: House) -> None:
    theirs = authenticator_for("production", home.connection, INGEST, home.clock)
    tokens = await home.log_in("ann")
    told = await shown(theirs, tokens.access_token)
    assert (told.id, told.session_id) == ("ann", tokens.session_id)
    assert not theirs.development_only
    with pytest.raises(Unauthenticated):
        await theirs.authenticate(dict([bearer(INGEST)]))
    theirs.revoke([tokens.session_id])
    with pytest.raises(Unauthenticated):
        await shown(theirs, tokens.access_token)


async def test_development_tokens_are_believed_in_development_only(home: House) -> None:
    theirs = authenticator_for("development", home.connection, INGEST, home.clock)
    assert await theirs.authenticate(dict([bearer(INGEST)])) == INGEST
    with pytest.raises(Unauthenticated):
        await theirs.authenticate({})


async def test_in_production_identity_believes_no_development_token(
    database_dsn: str, tmp_path: Path
) -> None:
    async with house(database_dsn, tmp_path / "k", environment="production") as home:
        error = await home.refused("ListAccounts", INGEST, clinic_id=CLINIC)
        assert isinstance(error, Unauthenticated)
        await home.ask("GetJwks", None)


async def test_a_new_key_is_told_before_it_signs_and_the_old_one_verifies_to_the_last(
    home: House,
) -> None:
    theirs = authenticator_for("production", home.connection, INGEST, home.clock)
    old = (await home.log_in("ann")).access_token
    await shown(theirs, old)
    made = await home.ask("RotateSigningKey", Principal("service-cli", "service", "_all"))
    still = (await home.log_in("ann")).access_token
    assert decoded(still, 0)["kid"] == decoded(old, 0)["kid"] != made.key_id
    home.clock.advance(119)
    last = (await home.log_in("ann")).access_token
    home.clock.advance(1)
    new = (await home.log_in("ann")).access_token
    assert decoded(last, 0)["kid"] == decoded(old, 0)["kid"]
    assert decoded(new, 0)["kid"] == made.key_id
    for token in (last, new):
        assert (await shown(theirs, token)).id == "ann"
    home.clock.advance(598)
    assert (await home.let_in(last)).id == "ann"


async def test_keys_are_renewed_by_age_and_dropped_when_no_token_is_left(home: House) -> None:
    signer = home.people.servicers[1]._signer
    home.clock.advance(timedelta(days=30).total_seconds())
    await signer.look()
    await signer.look()
    assert len((await signer.jwks())["keys"]) == 2
    home.clock.advance(timedelta(days=30).total_seconds())
    await signer.look()
    rows = await home.fetch("SELECT key_id FROM signing_key")
    assert len(rows) == 2
    assert (await home.let_in((await home.log_in("ann")).access_token)).id == "ann"


async def test_only_the_command_line_rotates_keys(home: House) -> None:
    for caller in (INGEST, Principal("boss", "admin", CLINIC)):
        error = await home.refused("RotateSigningKey", caller)
        assert error.status.name == "PERMISSION_DENIED"


async def test_unknown_key_ids_make_nobody_fetch_without_end_and_outages_are_bridged() -> None:
    clock = FixedClock(START)
    fetched = 0
    away = False

    async def jwks() -> dict[str, Any]:
        nonlocal fetched
        fetched += 1
        if away:
            raise Unavailable("away")
        public = encoded(FOREIGN.public_key().public_bytes_raw())
        return {"keys": [{"kty": "OKP", "crv": "Ed25519", "x": public, "kid": "a"}]}

    async def no_keys(_: str) -> Any:
        raise Unauthenticated

    authenticator = TokenAuthenticator(jwks, no_keys, clock)
    away = True
    good = signed(FOREIGN, HEADER, {**CLAIMS, "exp": NOW + 3000})
    with pytest.raises(Unavailable):
        await shown(authenticator, good)
    away = False
    clock.advance(6)
    await shown(authenticator, good)
    assert fetched == 2
    for number in range(50):
        with pytest.raises(Unauthenticated):
            await shown(authenticator, signed(FOREIGN, {**HEADER, "kid": f"{number}"}, CLAIMS))
    assert fetched == 2
    away = True
    clock.advance(600)
    authenticator.forget()
    await shown(authenticator, good)  # goes on with what it has
    with pytest.raises(Unauthenticated):
        await shown(authenticator, signed(FOREIGN, {**HEADER, "kid": "x"}, CLAIMS))
    clock.advance(90_000)
    renewed = {**CLAIMS, "iat": NOW + 90_600, "nbf": NOW, "exp": NOW + 91_500}
    with pytest.raises(Unavailable):
        await shown(authenticator, signed(FOREIGN, HEADER, renewed))


async def test_what_is_known_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime_tokens, "CACHED", 10)
    clock = FixedClock(START)
    authenticator = of_keys(FOREIGN, clock)
    for number in range(30):
        await shown(authenticator, signed(FOREIGN, HEADER, {**CLAIMS, "jti": str(number)}))
    assert len(authenticator._known) == 10
    authenticator.revoke(str(number) for number in range(100))
    clock.advance(4000)
    authenticator.revoke(["last"])
    assert set(authenticator._revoked) == {"last"}


async def test_identity_that_is_away_is_unavailable_not_a_wrong_token(home: House) -> None:
    async with channel("127.0.0.1:1") as nowhere:
        jwks, verify_key = by_identity(nowhere, INGEST)
        for asked in (jwks(), verify_key("rk_x")):
            with pytest.raises(RehabError) as caught:
                await asked
            assert isinstance(caught.value, Unavailable)


PARTS = st.one_of(st.none(), st.integers(), st.text(max_size=9), st.binary(max_size=4).map(encoded))
JWK = st.fixed_dictionaries(
    {"kty": st.sampled_from(["OKP", "RSA", "EC", "oct", "x"]), "kid": st.just("a")},
    optional={
        "crv": st.sampled_from(["Ed25519", "X25519", "Ed448", "P-256", "secp256k1", "none"]),
        **dict.fromkeys(("x", "y", "n", "e", "use", "key_ops", "alg"), PARTS),
    },
)


@settings(max_examples=300)
@given(st.lists(st.one_of(JWK, PARTS), max_size=3))
def test_whatever_a_key_set_holds_is_a_usable_key_or_none(keys: list[Any]) -> None:
    for key in public_keys({"keys": keys}).values():
        with pytest.raises(Unauthenticated):
            verified(signed(FOREIGN, HEADER, CLAIMS), key, ["Ed25519", "ES256", "RS256"])
