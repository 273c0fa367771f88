"""Folds into the version of the read models that answers, and follows when another one does."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence

from rehab_projections.behind import Behind
from rehab_projections.board import Board
from rehab_projections.consumers import Consumers
from rehab_projections.progress import Progress
from rehab_projections.registry.versions import Versions, schema_of
from rehab_projections.storage.leases import Moved, Replica
from rehab_runtime.errors import RehabError
from rehab_runtime.logging import get_logger
from rehab_runtime.postgres import Database
from rehab_runtime.startup import StartupError
from rehab_runtime.tasks import ended

LOOK_S = 0.5

IsLive = Callable[[], Awaitable[bool]]
Make = Callable[[int, IsLive, asyncio.Event], Consumers]
"""Makes the consumers of a version. The event tells that this replica is leaving."""

log = get_logger("answering")


class Answering:
    """`run` is its task. Reads never fail for a move: those under way end in the version before."""

    def __init__(
        self,
        version: int,
        replica: Replica,
        versions: Versions,
        database: Database,
        make: Make,
        progress: Progress,
        board: Board,
    ) -> None:
        self.version = version
        self._replica = replica
        self._versions = versions
        self._database = database
        self._make = make
        self._leaving = asyncio.Event()
        self._consumers = make(version, self._is_live, self._leaving)
        self._news = asyncio.Event()
        self._progress = progress
        self._board = board

    async def run(self) -> None:
        """Fold until cancelled. Raises IncarnationChanged: then the read models must be rebuilt."""
        while True:
            folding = asyncio.create_task(self._consumers.run(), name="consumers")
            looking = asyncio.create_task(self._another(), name="looks for another version")
            try:
                await asyncio.wait((folding, looking), return_when=asyncio.FIRST_COMPLETED)
                if folding.done():
                    folding.result()
            finally:
                await ended([looking, folding])
            await self._move(looking.result())

    async def behind(self) -> Sequence[Behind]:
        return await self._consumers.behind()

    async def begin_again(self, shard: int) -> None:
        """Let a shard's fold try once more what it holds back; returns when it has."""
        await self._consumers.begin_again(shard)

    async def resign(self) -> None:
        """Let other replicas fold; this one goes on to answer."""
        await self._consumers.resign()

    # told by other replicas

    def look(self) -> None:
        """Another version may answer."""
        self._news.set()

    def look_at_leases(self) -> None:
        self._consumers.look()

    def doubt(self) -> None:
        """What was told may have been missed."""
        self._news.set()
        self._consumers.doubt()

    def moved(self, payload: str) -> None:
        """Another replica has folded on."""
        try:
            by, moved = Moved.told(payload)
        except (ValueError, TypeError):
            return  # of a release that tells it otherwise: a look now and then stands behind it
        if by != self._replica.id and moved.version == self.version:
            self._progress.heard_of(moved.shard, moved.position, moved.clinics)

    async def _another(self) -> int:
        """The version that answers, once it is another one than this replica's."""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_S):
                    await self._news.wait()
            self._news.clear()
            try:
                live = await self._versions.live()
            except RehabError:
                continue  # whoever folds tells that PostgreSQL is away
            if live != self.version:
                return live

    async def _is_live(self) -> bool:
        """Whether this replica's version answers. If not, it soon has another one."""
        if await self._versions.live() == self.version:
            return True
        self._news.set()
        return False

    async def _move(self, version: int) -> None:
        await self._migrated(version)
        await self._database.move(schema_of(version))
        self.version = version
        self._board.forget()
        self._consumers = self._make(version, self._is_live, self._leaving)
        log.info("another version of the read models answers", version=version)

    async def _migrated(self, version: int) -> None:
        """Whoever built it may not have known all tables that this release needs."""
        while True:
            try:
                await self._versions.migrate(version)
            except StartupError as error:
                log.warning(error.line, remedy=error.remedy)
                await asyncio.sleep(LOOK_S)
            else:
                return
