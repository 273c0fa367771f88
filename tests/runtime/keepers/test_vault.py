"""What Vault's adapter promises beyond what every wrapper does: batches, troubles, secrecy."""

from __future__ import annotations

import asyncio
import os
import socket
from base64 import b64encode
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rehab_runtime.clock import EPOCH, FixedClock
from rehab_runtime.keepers.steady import Steady
from rehab_runtime.keepers.vault import VaultKeys
from rehab_runtime.keepers.vault_session import (
    KubernetesLogin,
    VaultSession,
)
from rehab_runtime.keepers.wrapper import (
    KeyRefused,
    KeysUnavailable,
    Unwrapped,
    Wrapped,
    context_digest,
)
from tests.support.vault_server import TTL_S, VaultServer, serving

KEY = Unwrapped("patient-1", os.urandom(64))


@pytest.fixture
def keys(session: VaultSession) -> VaultKeys:
    return VaultKeys(session, "patients")


def paths(vault: VaultServer) -> list[str]:
    return [path for path, _ in vault.requests]


async def no_sleep(_: float) -> None:
    pass


async def test_a_whole_batch_is_one_request(keys: VaultKeys, vault: VaultServer) -> None:
    many = [Unwrapped(f"patient-{number}", os.urandom(64)) for number in range(256)]
    assert await keys.unwrap(await keys.wrap(many)) == many
    assert paths(vault)[1:] == ["transit/encrypt/patients", "transit/decrypt/patients"]


async def test_what_the_policy_forbids_is_refused_with_what_to_do(
    keys: VaultKeys, vault: VaultServer
) -> None:
    stored = await keys.wrap([KEY])
    vault.forbidden.add("decrypt")
    with pytest.raises(KeyRefused, match="let the policy update encrypt, decrypt and rewrap"):
        await keys.unwrap(stored)
    assert paths(vault).count("transit/decrypt/patients") == 2


@pytest.mark.parametrize("trouble", [412, 429, 500, 501, 502, 503, 504, "cut"])
async def test_trouble_is_transient_and_says_nothing_of_what_was_sent(
    keys: VaultKeys, vault: VaultServer, trouble: int | str
) -> None:
    await keys.newest()
    vault.troubles.append(trouble)
    with pytest.raises(KeysUnavailable) as caught:
        await keys.wrap([KEY])
    error = caught.value
    assert error.remedy
    assert error.__context__ is None
    assert error.__cause__ is None
    sent = b64encode(b"\1" + context_digest(KEY.context) + KEY.secret).decode()
    assert vault.requests[-1][1]["batch_input"] == [{"plaintext": sent}]  # and it was quoted
    assert sent not in f"{error!r} {error} {error.message}"


async def test_a_sealed_vault_says_so(keys: VaultKeys, vault: VaultServer) -> None:
    vault.sealed = True
    with pytest.raises(KeysUnavailable, match=r"sealed.*vault operator unseal"):
        await keys.newest()


async def test_trouble_that_passes_is_not_seen_through_steady(
    keys: VaultKeys, vault: VaultServer
) -> None:
    steady = Steady(keys, sleep=no_sleep)
    vault.troubles.extend([503, 429, "cut"])
    stored = await steady.wrap([KEY])
    vault.troubles.extend([500, 502])
    assert await steady.unwrap(stored) == [KEY]


async def test_an_answer_that_does_not_come_is_not_waited_for(
    vault: VaultServer, clock: FixedClock, jwt: Path
) -> None:
    login = KubernetesLogin("eventstore", token=jwt)
    async with VaultSession(vault.address, login, clock, timeout_s=0.1) as session:
        vault.troubles.append("hang")
        with pytest.raises(KeysUnavailable, match="in time"):
            await VaultKeys(session, "patients").newest()
        vault.release.set()


async def test_a_vault_that_is_not_there_is_transient(clock: FixedClock, jwt: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    login = KubernetesLogin("eventstore", token=jwt)
    async with VaultSession(f"http://127.0.0.1:{port}", login, clock) as session:
        with pytest.raises(KeysUnavailable, match="cannot be reached"):
            await VaultKeys(session, "patients").newest()


async def test_what_is_no_vault_is_said_to_be_none(keys: VaultKeys, vault: VaultServer) -> None:
    await keys.newest()
    vault.troubles.append(200)
    with pytest.raises(KeysUnavailable, match="is not Vault's API"):
        await keys.wrap([KEY])


async def test_a_key_or_an_engine_that_is_not_there_is_refused(session: VaultSession) -> None:
    for keys in (VaultKeys(session, "nobody"), VaultKeys(session, "patients", "elsewhere")):
        with pytest.raises(KeyRefused, match="no such path"):
            await keys.newest()
        with pytest.raises(KeyRefused):
            await keys.wrap([KEY])


async def test_to_rewrap_no_secret_leaves_vault(keys: VaultKeys, vault: VaultServer) -> None:
    stored = await keys.wrap([KEY])
    vault.rotate()
    vault.requests.clear()
    (again,) = await keys.rewrap(stored)
    assert paths(vault) == ["transit/rewrap/patients"]
    assert isinstance(again, Wrapped)
    assert again.kek.version == "2"


async def test_a_version_that_was_retired_opens_nothing_any_more(
    keys: VaultKeys, vault: VaultServer
) -> None:
    stored = await keys.wrap([KEY])
    vault.rotate()
    rewrapped = [one for one in await keys.rewrap(stored) if isinstance(one, Wrapped)]
    vault.key.min_decryption_version = 2
    (refused,) = await keys.unwrap(stored)
    assert isinstance(refused, KeyRefused)
    assert "min_decryption_version" in refused.remedy
    assert await keys.unwrap(rewrapped) == [KEY]


@settings(max_examples=15, deadline=None)
@given(st.lists(st.sampled_from(["wrap", "rotate", "rewrap", "expire", "trouble"]), max_size=15))
def test_every_key_opens_after_whatever_happened_to_vault(steps: list[str]) -> None:
    async def happen(vault: VaultServer, clock: FixedClock, folder: Path) -> None:
        (folder / "jwt").write_text("pod-jwt")
        login = KubernetesLogin("eventstore", token=folder / "jwt")
        async with VaultSession(vault.address, login, clock) as session:
            keys = Steady(VaultKeys(session, "patients"), sleep=no_sleep, batch_keys=2)
            secrets: list[Unwrapped] = []
            stored: list[Wrapped] = []
            for step in steps:
                if step == "wrap":
                    secrets.append(Unwrapped(f"patient-{len(secrets)}", os.urandom(64)))
                    stored += await keys.wrap(secrets[-1:])
                elif step == "rotate":
                    vault.rotate()
                elif step == "rewrap":
                    stored = [one for one in await keys.rewrap(stored) if isinstance(one, Wrapped)]
                elif step == "expire":
                    clock.advance(2 * TTL_S)
                elif not vault.troubles:  # fewer than there are attempts, whoever meets them
                    vault.troubles.append(503)
                assert await keys.unwrap(stored) == secrets
            vault.troubles.clear()
            assert (await keys.newest()).version == str(steps.count("rotate") + 1)

    clock = FixedClock(EPOCH)
    with serving(clock) as vault, TemporaryDirectory() as folder:
        asyncio.run(happen(vault, clock, Path(folder)))
