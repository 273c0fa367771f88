"""Which key-encryption key this service uses, as its settings say."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from rehab_eventstore.crypto.local import REMEDY, LocalKeys
from rehab_eventstore.crypto.steady import Steady
from rehab_eventstore.crypto.wrapper import KeyWrapper
from rehab_eventstore.settings import Settings
from rehab_runtime.clock import Clock
from rehab_runtime.logging import get_logger
from rehab_runtime.startup import StartupError

log = get_logger("keys")


@asynccontextmanager
async def key_wrapper(settings: Settings, clock: Clock) -> AsyncIterator[KeyWrapper]:
    """The wrapper while the context is open. Raises StartupError when it cannot be used."""
    if settings.keys == "file":
        yield _of_file(settings, clock)
    elif settings.keys == "vault":
        async with _of_vault(settings, clock) as wrapper:
            yield wrapper
    else:
        async with _of_kms(settings) as wrapper:
            yield wrapper


def _of_file(settings: Settings, clock: Clock) -> KeyWrapper:
    if not settings.key_file:
        raise StartupError(
            "no key file is told", "set EVENTSTORE_KEY_FILE, or EVENTSTORE_KEYS to vault or kms"
        )
    keys = LocalKeys.open(Path(settings.key_file), clock)
    caution = keys.caution(production=settings.environment == "production")
    if caution:
        log.warning(caution, remedy=REMEDY)
    return keys


@asynccontextmanager
async def _of_vault(settings: Settings, clock: Clock) -> AsyncIterator[KeyWrapper]:
    try:
        from rehab_eventstore.crypto import vault, vault_session  # noqa: PLC0415 - an extra
    except ImportError:
        raise _absent("vault") from None
    login: vault_session.Login = (
        vault_session.TokenFile(Path(settings.vault_token_file))
        if settings.vault_token_file
        else vault_session.KubernetesLogin(settings.vault_role)
    )
    session = vault_session.VaultSession(settings.vault_address, login, clock)
    async with session:
        yield Steady(vault.VaultKeys(session, settings.vault_key, settings.vault_mount))


@asynccontextmanager
async def _of_kms(settings: Settings) -> AsyncIterator[KeyWrapper]:
    try:
        from rehab_eventstore.crypto import kms  # noqa: PLC0415 - an extra
    except ImportError:
        raise _absent("kms") from None
    keys = kms.KmsKeys(
        settings.kms_key,
        region=settings.kms_region or None,
        endpoint=settings.kms_endpoint or None,
    )
    async with keys:
        yield Steady(keys)


def _absent(extra: str) -> StartupError:
    return StartupError(
        f"keys in {extra} need a library that is not installed",
        f"install the extra: rehab-eventstore[{extra}]",
    )
