"""What other replicas have revoked, read on from the database."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from datetime import timedelta

from rehab_runtime.access.known import Revoke
from rehab_runtime.access.tokens import LONGEST_S
from rehab_runtime.clock import Clock
from rehab_runtime.errors import RehabError
from rehab_runtime.postgres import Database, Queries

POLL_S = 0.5
SWEEP_S = 600.0
KEPT_S = 2 * LONGEST_S


class Revocations:
    """Of the last hours: nothing that was given out lives longer."""

    def __init__(self, database: Database, queries: Queries, clock: Clock, revoked: Revoke) -> None:
        self._database = database
        self._queries = queries
        self._clock = clock
        self._revoked = revoked
        self._seq = 0

    async def look(self) -> None:
        """Tell what was revoked since the last look; at the first, what is still of interest."""
        since = self._clock.now() - timedelta(seconds=KEPT_S)
        while rows := await self._database.fetch(self._queries["revocations"], self._seq, since):
            self._revoked({row["revoked"]: row["at"].timestamp() for row in rows})
            self._seq = rows[-1]["seq"]

    async def run(self) -> None:
        while True:
            await asyncio.sleep(POLL_S)
            with contextlib.suppress(RehabError):
                await self.look()


async def sweep(*forget: Callable[[], Awaitable[object]]) -> None:
    """Drop what has expired, now and then, for ever."""
    while True:
        for one in forget:
            with contextlib.suppress(RehabError):
                await one()
        await asyncio.sleep(SWEEP_S)
