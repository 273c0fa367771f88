"""Who keeps the key-encryption key, as the settings say."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from rehab_eventstore.crypto.local import REMEDY, LocalKeys
from rehab_eventstore.crypto.moving import Moving, is_of
from rehab_eventstore.crypto.steady import Steady
from rehab_eventstore.crypto.wrapper import Kek, KeysUnavailable, KeyWrapper
from rehab_eventstore.settings import Settings
from rehab_eventstore.storage.keys import KekCount
from rehab_runtime import keyfile
from rehab_runtime.clock import Clock
from rehab_runtime.logging import get_logger
from rehab_runtime.startup import StartupError

log = get_logger("keys")


@dataclass(frozen=True)
class Keeper:
    """`rotate` makes a new version of the key-encryption key where that is this service's to do;
    `upkeep` is to run all the while; `source` is the keeper whose keys are to be moved to this
    one."""

    name: str
    wrapper: KeyWrapper
    rotate: Callable[[], Awaitable[Kek]] | None = None
    upkeep: Sequence[Callable[[], Coroutine[Any, Any, None]]] = ()
    source: str = ""


@asynccontextmanager
async def key_keeper(
    settings: Settings, clock: Clock, known: Sequence[KekCount]
) -> AsyncIterator[Keeper]:
    """The keeper while the context is open. Raises StartupError when it cannot be used, and when
    living data keys are `known` that it has never wrapped."""
    living = [one for one in known if one.living]
    names = [name for name in (settings.keys, settings.keys_also) if name]
    if len(names) != len(set(names)):
        raise StartupError(
            "EVENTSTORE_KEYS and EVENTSTORE_KEYS_ALSO are the same",
            "tell in EVENTSTORE_KEYS_ALSO what wraps data keys that are to be moved, or nothing",
        )
    _require_kept(names, living)
    async with AsyncExitStack() as stack:
        made = [
            await stack.enter_async_context(_keeper(name, settings, clock, living))
            for name in names
        ]
        yield made[0] if len(made) == 1 else _both(*made)


def _both(target: Keeper, source: Keeper) -> Keeper:
    wrapper = Moving(target.wrapper, source.wrapper, partial(is_of, source.name))
    upkeep = (*target.upkeep, *source.upkeep)
    return Keeper(target.name, wrapper, target.rotate, upkeep, source.name)


@asynccontextmanager
async def _keeper(
    name: str, settings: Settings, clock: Clock, living: Sequence[KekCount]
) -> AsyncIterator[Keeper]:
    own = [one for one in living if is_of(name, one.kek)]
    if name == "file":
        keeper = _of_file(settings, clock, own)
        await _require_known(keeper, own)
        yield keeper
        return
    async with _of_vault(settings, clock) if name == "vault" else _of_kms(settings) as keeper:
        await _require_known(keeper, own)
        yield keeper


def _require_kept(names: Sequence[str], living: Sequence[KekCount]) -> None:
    """Every living key is some keeper's."""
    foreign = [one for one in living if not any(is_of(name, one.kek) for name in names)]
    if foreign:
        raise _foreign(foreign, f"not by {' or '.join(names)}")


async def _require_known(keeper: Keeper, living: Sequence[KekCount]) -> None:
    try:
        newest = await keeper.wrapper.newest()
    except KeysUnavailable as error:
        log.warning("keys cannot be had yet", reason=error.line, remedy=error.remedy)
        return
    # an alias of KMS may have been given another key: KMS still opens by the old one
    foreign = [one for one in living if one.kek.id != newest.id and keeper.name != "kms"]
    if foreign:
        raise _foreign(foreign, f"not by {newest.id}")


def _foreign(foreign: Sequence[KekCount], by: str) -> StartupError:
    count = sum(one.living for one in foreign)
    return StartupError(
        f"{count} patients' data keys are wrapped by {foreign[0].kek.id}, {by}",
        "set the keys back to what wrapped them, for without it those patients' data is lost; "
        "to move them to another keeper, tell it in EVENTSTORE_KEYS_ALSO",
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
        yield Keeper("vault", wrapper, upkeep=(session.keep_alive_for_ever,))


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
