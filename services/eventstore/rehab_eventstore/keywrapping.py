"""Who keeps the key-encryption key, as the settings say."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rehab_eventstore.crypto import keyfile
from rehab_eventstore.crypto.local import REMEDY, LocalKeys
from rehab_eventstore.crypto.steady import Steady
from rehab_eventstore.crypto.wrapper import Kek, KeysUnavailable, KeyWrapper
from rehab_eventstore.settings import Settings
from rehab_eventstore.storage.keys import KekCount
from rehab_runtime.clock import Clock
from rehab_runtime.logging import get_logger
from rehab_runtime.startup import StartupError

log = get_logger("keys")


@dataclass(frozen=True)
class Keeper:
    """`rotate` makes a new version of the key-encryption key where that is this service's to do;
    `upkeep` is to run all the while."""

    name: str
    wrapper: KeyWrapper
    rotate: Callable[[], Awaitable[Kek]] | None = None
    upkeep: Callable[[], Coroutine[Any, Any, None]] | None = None


@asynccontextmanager
async def key_keeper(
    settings: Settings, clock: Clock, known: Sequence[KekCount]
) -> AsyncIterator[Keeper]:
    """The keeper while the context is open. Raises StartupError when it cannot be used, and when
    living data keys are `known` that it has never wrapped."""
    living = [one for one in known if one.living]
    if settings.keys == "file":
        keeper = _of_file(settings, clock, living)
        await _require_known(keeper, living)
        yield keeper
        return
    async with (
        _of_vault(settings, clock) if settings.keys == "vault" else _of_kms(settings) as made
    ):
        await _require_known(made, living)
        yield made


async def _require_known(keeper: Keeper, living: Sequence[KekCount]) -> None:
    try:
        newest = await keeper.wrapper.newest()
    except KeysUnavailable as error:
        log.warning("keys cannot be had yet", reason=error.line, remedy=error.remedy)
        return
    foreign = [one for one in living if one.kek.id != newest.id]
    if foreign:
        count = sum(one.living for one in foreign)
        raise StartupError(
            f"{count} patients' data keys are wrapped by {foreign[0].kek.id}, not by {newest.id}",
            "set the keys back to what wrapped them: without it those patients' data is lost",
        )


def _of_file(settings: Settings, clock: Clock, living: Sequence[KekCount]) -> Keeper:
    if not settings.key_file:
        raise StartupError(
            "no key file is told", "set EVENTSTORE_KEY_FILE, or EVENTSTORE_KEYS to vault or kms"
        )
    path = Path(settings.key_file)
    if living and not os.path.lexists(path):
        count = sum(one.living for one in living)
        raise StartupError(
            f"there is no key file {path}, and {count} patients' data keys are wrapped by "
            f"{living[0].kek.id}",
            "restore it from its backup: a new one could not open them",
        )
    keys = LocalKeys.open(path, clock)
    caution = keys.caution(production=settings.environment == "production")
    if caution:
        log.warning(caution, remedy=REMEDY)

    async def rotate() -> Kek:
        keyfile.rotate(path, clock)
        return await keys.newest()

    return Keeper("file", keys, rotate)


@asynccontextmanager
async def _of_vault(settings: Settings, clock: Clock) -> AsyncIterator[Keeper]:
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
        wrapper = Steady(vault.VaultKeys(session, settings.vault_key, settings.vault_mount))
        yield Keeper("vault", wrapper, upkeep=session.keep_alive_for_ever)


@asynccontextmanager
async def _of_kms(settings: Settings) -> AsyncIterator[Keeper]:
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
        yield Keeper("kms", Steady(keys))


def _absent(extra: str) -> StartupError:
    return StartupError(
        f"keys in {extra} need a library that is not installed",
        f"install the extra: rehab-eventstore[{extra}]",
    )
