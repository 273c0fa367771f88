"""The box that the settings tell: its keys in a file, or in the database, wrapped by a keeper."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

from rehab_runtime.box import file
from rehab_runtime.box.box import Box, BoxKeys
from rehab_runtime.box.kept import OfKeeper, kept
from rehab_runtime.clock import Clock
from rehab_runtime.keepers.opening import key_keeper
from rehab_runtime.lifecycle import Background
from rehab_runtime.postgres import Database
from rehab_runtime.settings import BoxSettings
from rehab_runtime.startup import StartupError

Asked = Callable[[], Awaitable[bool]]
"""Whether the box has sealed anything yet."""


async def open_box(
    settings: BoxSettings,
    stack: AsyncExitStack,
    background: Background,
    database: Database,
    clock: Clock,
    *,
    purpose: str,
    sealed: Asked,
) -> Box:
    """A keeper that is told for the first time takes over what the key file holds. Raises
    StartupError, Internal, Unavailable."""
    known = await kept(database)
    own = settings.prefix
    if settings.keys == "file" and not settings.keys_also and not known:
        if not settings.key_file:
            remedy = f"set {own}KEY_FILE, or {own}KEYS to vault or kms"
            raise StartupError("no key file is told", remedy)
        return Box(file.OfFile(Path(settings.key_file), clock), purpose)
    service = own.rstrip("_").lower()
    opened = key_keeper(settings, clock, known, f"versions of {service}'s keys")
    keeper = await stack.enter_async_context(opened)
    versions = OfKeeper(database, keeper.wrapper, clock, service, settings.box_lead_s)
    await versions.open(None if known else await _before(settings, sealed))
    for upkeep in keeper.upkeep:
        background.start(upkeep(), "keeps the keeper of keys at hand")
    background.start(versions.run(), "looks for new versions of the box")
    return Box(versions, purpose)


async def _before(settings: BoxSettings, sealed: Asked) -> BoxKeys | None:
    """What the key file holds, from which a keeper takes over; None when nothing is sealed yet."""
    path = Path(settings.key_file) if settings.key_file else None
    if path is not None and path.exists():
        return file.read(path)
    if await sealed():
        raise StartupError(
            "what is stored is sealed by a key file that is not here",
            f"tell it in {settings.prefix}KEY_FILE for one start: the keeper takes its keys over",
        )
    return None
