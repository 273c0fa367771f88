"""What a session with Vault promises: logins, tokens that end, trust."""

from __future__ import annotations

import os
import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from rehab_runtime.clock import FixedClock
from rehab_runtime.keepers.vault import VaultKeys
from rehab_runtime.keepers.vault_session import (
    LOOK_AT_LEAST_EVERY_S,
    KubernetesLogin,
    TokenFile,
    VaultSession,
)
from rehab_runtime.keepers.wrapper import (
    KeyRefused,
    KeysUnavailable,
    Unwrapped,
)
from rehab_runtime.startup import StartupError
from tests.support.vault_server import MAX_TTL_S, TTL_S, VaultServer, serving

KEY = Unwrapped("patient-1", os.urandom(64))


@pytest.fixture
def keys(session: VaultSession) -> VaultKeys:
    return VaultKeys(session, "patients")


def paths(vault: VaultServer) -> list[str]:
    return [path for path, _ in vault.requests]


class Enough(Exception):
    """Ends what would go on for ever."""


async def test_the_pod_logs_in_once_for_many_calls(keys: VaultKeys, vault: VaultServer) -> None:
    for _ in range(3):
        await keys.unwrap(await keys.wrap([KEY]))
    assert vault.logins == 1


async def test_a_token_is_renewed_before_it_ends(
    keys: VaultKeys, vault: VaultServer, clock: FixedClock
) -> None:
    for _ in range(5):
        await keys.newest()
        clock.advance(TTL_S * 0.7)
        if clock.monotonic() > MAX_TTL_S - TTL_S:
            break
    await keys.newest()
    assert vault.logins == 1
    assert "auth/token/renew-self" in paths(vault)


async def test_a_token_that_cannot_be_renewed_any_more_is_replaced(
    keys: VaultKeys, vault: VaultServer, clock: FixedClock
) -> None:
    for _ in range(12):
        await keys.newest()
        clock.advance(TTL_S * 0.7)
    assert vault.logins > 1


async def test_a_token_that_was_revoked_is_replaced_once(
    keys: VaultKeys, vault: VaultServer
) -> None:
    stored = await keys.wrap([KEY])
    vault.tokens.clear()
    assert await keys.unwrap(stored) == [KEY]
    assert vault.logins == 2


async def test_a_pod_of_another_role_is_refused(
    vault: VaultServer, clock: FixedClock, jwt: Path
) -> None:
    async with VaultSession(vault.address, KubernetesLogin("other", token=jwt), clock) as session:
        with pytest.raises(KeyRefused, match="forbids"):
            await VaultKeys(session, "patients").newest()


async def test_a_token_file_that_is_missing_is_named_as_such(
    vault: VaultServer, clock: FixedClock, tmp_path: Path
) -> None:
    async with VaultSession(vault.address, TokenFile(tmp_path / "gone"), clock) as session:
        with pytest.raises(KeyRefused, match="the file with the token cannot be read"):
            await VaultKeys(session, "patients").newest()


async def test_a_token_that_an_agent_replaces_in_its_file_is_read_again(
    vault: VaultServer, clock: FixedClock, tmp_path: Path
) -> None:
    path = tmp_path / "token"
    path.write_text(vault.issue(renewable=False) + "\n")
    async with VaultSession(vault.address, TokenFile(path), clock) as session:
        keys = VaultKeys(session, "patients")
        stored = await keys.wrap([KEY])
        path.write_text(vault.issue(renewable=False))
        clock.advance(TTL_S * 0.7)  # read again before the old one ends
        assert await keys.unwrap(stored) == [KEY]
        vault.tokens.clear()
        path.write_text(vault.issue())
        assert await keys.unwrap(stored) == [KEY]


async def test_a_token_that_does_not_end_is_left_alone(
    vault: VaultServer, clock: FixedClock, tmp_path: Path
) -> None:
    path = tmp_path / "token"
    path.write_text(vault.issue(None))
    async with VaultSession(vault.address, TokenFile(path), clock) as session:
        await VaultKeys(session, "patients").newest()
        clock.advance(10_000_000)
        await VaultKeys(session, "patients").newest()
    assert paths(vault).count("auth/token/lookup-self") == 1
    assert "auth/token/renew-self" not in paths(vault)


async def test_a_token_is_kept_alive_while_no_key_is_asked_for(
    session: VaultSession, vault: VaultServer, clock: FixedClock
) -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        clock.advance(seconds)
        if len(slept) == 3:
            vault.troubles.extend([503, 503])
        if clock.monotonic() > 2 * MAX_TTL_S:
            raise Enough

    with pytest.raises(Enough):
        await session.keep_alive_for_ever(sleep)
    assert not [path for path in paths(vault) if path.startswith("transit")]
    assert all(5 <= seconds <= LOOK_AT_LEAST_EVERY_S for seconds in slept)
    assert any(
        token.ends is not None and token.ends > clock.monotonic() for token in vault.tokens.values()
    )


async def test_a_closed_session_answers_trouble(session: VaultSession, vault: VaultServer) -> None:
    session.close()
    with pytest.raises(KeysUnavailable, match="closed"):
        await VaultKeys(session, "patients").newest()
    assert vault.requests == []


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, ssl.SSLContext]:
    """A certificate for 127.0.0.1 that signs itself, and a server's context with it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "vault")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False
        )
        .sign(key, SHA256())
    )
    path, both = tmp_path / "ca.pem", tmp_path / "both.pem"
    text = made.public_bytes(Encoding.PEM)
    path.write_bytes(text)
    both.write_bytes(text + key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(both)
    return path, context


async def test_a_certificate_is_trusted_by_its_ca_file_alone(
    clock: FixedClock, jwt: Path, certificate: tuple[Path, ssl.SSLContext]
) -> None:
    ca_file, context = certificate
    login = KubernetesLogin("eventstore", token=jwt)
    with serving(clock, context) as vault:
        async with VaultSession(vault.address, login, clock, ca_file=ca_file) as session:
            keys = VaultKeys(session, "patients")
            assert await keys.unwrap(await keys.wrap([KEY])) == [KEY]
        vault.requests.clear()
        async with VaultSession(vault.address, login, clock) as session:
            with pytest.raises(KeyRefused, match="certificate is not trusted"):
                await VaultKeys(session, "patients").newest()
        assert vault.requests == []


def test_an_address_in_the_clear_is_refused(clock: FixedClock, tmp_path: Path) -> None:
    with pytest.raises(StartupError, match="Vault must begin with https://"):
        VaultSession("http://vault.clinic:8200", TokenFile(tmp_path / "token"), clock)


async def test_neither_session_nor_login_shows_a_token(
    vault: VaultServer, clock: FixedClock, tmp_path: Path
) -> None:
    path = tmp_path / "token"
    path.write_text(vault.issue())
    login = TokenFile(path)
    async with VaultSession(vault.address, login, clock) as session:
        await VaultKeys(session, "patients").newest()
        assert path.read_text() not in f"{session!r} {login!r} {session._lease!r}"
