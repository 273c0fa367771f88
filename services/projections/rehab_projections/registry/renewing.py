"""Read models that earlier folds made are built anew, beside those that answer meanwhile."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

from rehab_projections.registry.building import Builder, Built, Wish
from rehab_projections.registry.versions import Versions
from rehab_runtime.errors import RehabError
from rehab_runtime.logging import get_logger

LOOK_S = 1.0
WISH = Wish(workers=1)
"""Nobody waits for it, and everybody for what it takes from others."""

log = get_logger("rebuild")


async def renewed(versions: Versions, builder: Builder) -> None:
    """Never returns. It looks once: whoever lets an earlier version answer again, means it."""
    while await _is_to_do(versions, builder):
        await asyncio.sleep(LOOK_S)
    await asyncio.Event().wait()


async def _is_to_do(versions: Versions, builder: Builder) -> bool:
    """Do it, unless it has to wait: until no replica runs that would fold as before into what was
    built anew, until another replica has done it, until log and database answer."""
    try:
        if not await versions.outdated():
            return False
        if await versions.earlier_run():
            return True
        async with aclosing(builder.rebuild(WISH)) as steps:
            async for step in steps:
                if isinstance(step, Built):
                    log.info("read models of earlier folds were built anew", version=step.version)
    except RehabError as error:
        log.debug("read models are not built anew yet", error_type=type(error).__name__)
    return True
