"""Looks for work whenever there is news, and now and then without, for ever."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection
from typing import Any

from rehab_runtime.errors import RehabError
from rehab_runtime.logging import get_logger
from rehab_runtime.tasks import ended, set_within

log = get_logger("rounds")


class Rounds:
    """`begin` begins what there is to do; `under_way` are its tasks, which end with the rounds."""

    def __init__(
        self,
        begin: Callable[[], Awaitable[None]],
        under_way: Callable[[], Collection[asyncio.Task[Any]]],
        tick_s: float,
    ) -> None:
        self._begin = begin
        self._under_way = under_way
        self._tick_s = tick_s
        self._news = asyncio.Event()

    def look(self) -> None:
        """There may be something to do."""
        self._news.set()

    async def run(self) -> None:
        """What is under way when it is cancelled is done again by the next one."""
        try:
            while True:
                self._news.clear()
                try:
                    await self._begin()
                except RehabError as error:
                    log.debug("cannot look for what is to be done", reason=error.detail)
                await set_within(self._news, self._tick_s)
        finally:
            await ended(list(self._under_way()))
