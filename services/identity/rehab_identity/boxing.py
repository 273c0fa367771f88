"""The box that the settings tell: its keys in a file, or in the database, wrapped by a keeper."""

from __future__ import annotations

from contextlib import AsyncExitStack
from pathlib import Path

from rehab_identity.crypto import boxfile
from rehab_identity.crypto.box import Box, BoxKeys
from rehab_identity.settings import Settings
from rehab_identity.storage.boxes import OfKeeper, kept
from rehab_runtime.clock import Clock
from rehab_runtime.keepers.opening import key_keeper
from rehab_runtime.lifecycle import Background
from rehab_runtime.postgres import Database, Queries
from rehab_runtime.startup import StartupError


async def open_box(
    settings: Settings,
    stack: AsyncExitStack,
    background: Background,
    database: Database,
    queries: Queries,
    clock: Clock,
) -> Box:
    """A keeper that is told for the first time takes over what the key file holds. Raises
    StartupError, Internal, Unavailable."""
    known = await kept(database, queries)
    if settings.keys == "file" and not settings.keys_also and not known:
        if not settings.key_file:
            remedy = "set IDENTITY_KEY_FILE, or IDENTITY_KEYS to vault or kms"
            raise StartupError("no key file is told", remedy)
        return Box(boxfile.OfFile(Path(settings.key_file), clock))
    opened = key_keeper(settings, clock, known, "versions of identity's keys")
    keeper = await stack.enter_async_context(opened)
    versions = OfKeeper(database, queries, keeper.wrapper, clock, settings.box_lead_s)
    await versions.open(None if known else await _before(settings, database, queries))
    for upkeep in keeper.upkeep:
        background.start(upkeep(), "keeps the keeper of keys at hand")
    background.start(versions.run(), "looks for new versions of the box")
    return Box(versions)


async def _before(settings: Settings, database: Database, queries: Queries) -> BoxKeys | None:
    """What the key file holds, from which a keeper takes over; None when nothing is sealed yet."""
    path = Path(settings.key_file) if settings.key_file else None
    if path is not None and path.exists():
        return boxfile.read(path)
    if await database.fetch(queries["wrapped_census"]):
        raise StartupError(
            "accounts are sealed by a key file that is not here",
            "tell it in IDENTITY_KEY_FILE for one start: the keeper takes its keys over",
        )
    return None
