"""Tasks that are to end before their work does."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any

HEARD_S = 1.0


async def ended(tasks: Sequence[asyncio.Task[Any]]) -> None:
    """End them. A client of theirs may take a cancellation for a timeout of its own: they are asked
    until they hear it."""
    pending = {task for task in tasks if not task.done()}
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=HEARD_S)
    await asyncio.gather(*tasks, return_exceptions=True)


async def until_set(event: asyncio.Event, work: Coroutine[Any, Any, None]) -> None:
    """Do the work until it ends, or the event cuts it off. Raises what it raises."""
    working, asked = asyncio.create_task(work), asyncio.create_task(event.wait())
    try:
        await asyncio.wait((working, asked), return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            working.result()
    finally:
        await ended([working, asked])
