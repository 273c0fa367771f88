"""Who keeps the key-encryption key, as the settings say."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from rehab_runtime import keyfile
from rehab_runtime.clock import Clock
from rehab_runtime.keepers.local import REMEDY, LocalKeys
from rehab_runtime.keepers.moving import Moving, is_of
from rehab_runtime.keepers.steady import Steady
from rehab_runtime.keepers.wrapper import Kek, KeysUnavailable, KeyWrapper
from rehab_runtime.logging import get_logger
from rehab_runtime.settings import KeeperSettings
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


@dataclass(frozen=True)
class Wrapping:
    """How many living keys a key-encryption key wraps."""

    kek: Kek
    living: int


@asynccontextmanager
async def key_keeper(
    settings: KeeperSettings, clock: Clock, known: Sequence[Wrapping], what: str
) -> AsyncIterator[Keeper]:
    """The keeper while the context is open; `what` it keeps, in the plural. Raises StartupError
    when it cannot be used, and when living keys are `known` that it has never wrapped."""
    living = [one for one in known if one.living]
    names = [name for name in (settings.keys, settings.keys_also) if name]
    if len(names) != len(set(names)):
        own = settings.prefix
        raise StartupError(
            f"{own}KEYS and {own}KEYS_ALSO are the same",
            f"tell in {own}KEYS_ALSO what wraps data keys that are to be moved, or nothing",
        )
    opening = _Opening(settings, clock, living, what)
    opening.require_kept(names)
    async with AsyncExitStack() as stack:
        made = [await stack.enter_async_context(opening.keeper(name)) for name in names]
        yield made[0] if len(made) == 1 else _both(*made)


def _both(target: Keeper, source: Keeper) -> Keeper:
    wrapper = Moving(target.wrapper, source.wrapper, partial(is_of, source.name))
    upkeep = (*target.upkeep, *source.upkeep)
    return Keeper(target.name, wrapper, target.rotate, upkeep, source.name)


@dataclass(frozen=True)
class _Opening:
    settings: KeeperSettings
    clock: Clock
    living: Sequence[Wrapping]
    what: str

    @asynccontextmanager
    async def keeper(self, name: str) -> AsyncIterator[Keeper]:
        own = [one for one in self.living if is_of(name, one.kek)]
        if name == "file":
            keeper = self._of_file(own)
            await self._require_known(keeper, own)
            yield keeper
            return
        async with self._of_vault() if name == "vault" else self._of_kms() as keeper:
            await self._require_known(keeper, own)
            yield keeper

    def require_kept(self, names: Sequence[str]) -> None:
        """Every living key is some keeper's."""
        foreign = [one for one in self.living if not any(is_of(name, one.kek) for name in names)]
        if foreign:
            raise self._foreign(foreign, f"not by {' or '.join(names)}")

    async def _require_known(self, keeper: Keeper, living: Sequence[Wrapping]) -> None:
        try:
            newest = await keeper.wrapper.newest()
        except KeysUnavailable as error:
            log.warning("keys cannot be had yet", reason=error.line, remedy=error.remedy)
            return
        # an alias of KMS may have been given another key: KMS still opens by the old one
        foreign = [one for one in living if one.kek.id != newest.id and keeper.name != "kms"]
        if foreign:
            raise self._foreign(foreign, f"not by {newest.id}")

    def _foreign(self, foreign: Sequence[Wrapping], by: str) -> StartupError:
        count = sum(one.living for one in foreign)
        return StartupError(
            f"{count} {self.what} are wrapped by {foreign[0].kek.id}, {by}",
            "set the keys back to what wrapped them, for without it what they seal is lost; "
            f"to move them to another keeper, tell it in {self.settings.prefix}KEYS_ALSO",
        )

    def _of_file(self, living: Sequence[Wrapping]) -> Keeper:
        own = self.settings.prefix
        if not self.settings.key_file:
            raise StartupError(
                "no key file is told", f"set {own}KEY_FILE, or {own}KEYS to vault or kms"
            )
        path = Path(self.settings.key_file)
        if living and not os.path.lexists(path):
            count = sum(one.living for one in living)
            raise StartupError(
                f"there is no key file {path}, and {count} {self.what} are wrapped by "
                f"{living[0].kek.id}",
                "restore it from its backup: a new one could not open them",
            )
        keys = LocalKeys.open(path, self.clock)
        caution = keys.caution(production=self.settings.environment == "production")
        if caution:
            log.warning(caution, remedy=REMEDY)

        async def rotate() -> Kek:
            keyfile.rotate(path, self.clock)
            return await keys.newest()

        return Keeper("file", keys, rotate)

    @asynccontextmanager
    async def _of_vault(self) -> AsyncIterator[Keeper]:
        try:
            from rehab_runtime.keepers import vault, vault_session  # noqa: PLC0415 - an extra
        except ImportError:
            raise _absent("vault") from None
        told = self.settings
        role = told.vault_role or f"rehab-{told.prefix.rstrip('_').lower()}"
        login: vault_session.Login = (
            vault_session.TokenFile(Path(told.vault_token_file))
            if told.vault_token_file
            else vault_session.KubernetesLogin(role)
        )
        session = vault_session.VaultSession(told.vault_address, login, self.clock)
        async with session:
            wrapper = Steady(vault.VaultKeys(session, told.vault_key, told.vault_mount))
            yield Keeper("vault", wrapper, upkeep=(session.keep_alive_for_ever,))

    @asynccontextmanager
    async def _of_kms(self) -> AsyncIterator[Keeper]:
        try:
            from rehab_runtime.keepers import kms  # noqa: PLC0415 - an extra
        except ImportError:
            raise _absent("kms") from None
        told = self.settings
        keys = kms.KmsKeys(
            told.kms_key, region=told.kms_region or None, endpoint=told.kms_endpoint or None
        )
        async with keys:
            yield Keeper("kms", Steady(keys))


def _absent(extra: str) -> StartupError:
    return StartupError(
        f"keys in {extra} need a library that is not installed",
        f"install the extra: rehab-runtime[{extra}]",
    )
