"""The writer: every append of this replica goes through it, many in one commit.

It decides from memory what becomes of a batch, and writes it with one statement that succeeds
only if the log still ends where the memory says. Any number of writers may do so at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from rehab_eventstore import metrics
from rehab_eventstore.committer import MAX_RETRY_S, RETRY_S, Committer
from rehab_eventstore.domain.commands import Appended, Asked, Command
from rehab_eventstore.domain.decide import Verdict
from rehab_eventstore.memory import Memory
from rehab_eventstore.queue import CommandQueue, Priority, Waiting
from rehab_eventstore.sealing import Sealer
from rehab_eventstore.storage.link import LinkLost, StatementRefused
from rehab_runtime.clock import Clock
from rehab_runtime.errors import RehabError, Unavailable
from rehab_runtime.logging import get_logger

log = get_logger("writer")


class Writer:
    """`patience_s` is how long a batch may wait for PostgreSQL before its appends are told
    Unavailable; while PostgreSQL stays away, appends are told so at once."""

    def __init__(
        self,
        queue: CommandQueue,
        committer: Committer,
        memory: Memory,
        sealer: Sealer,
        clock: Clock,
        *,
        patience_s: float,
    ) -> None:
        self._queue = queue
        self._committer = committer
        self._memory = memory
        self._sealer = sealer
        self._clock = clock
        self._patience_s = patience_s
        self._away = False
        self._ended = asyncio.Event()

    async def append(self, command: Command, priority: Priority) -> Sequence[Appended]:
        """All of a command's events, or none. Cancelling the caller cancels only its waiting.

        Raises VersionConflict, EventIdReused, Overloaded, Unavailable, Draining.
        """
        verdict = await self._queued(await self._sealed(command), priority)
        if isinstance(verdict, RehabError):
            raise verdict
        return verdict

    async def append_all(self, wanted: Sequence[tuple[Command, Priority]]) -> list[Verdict]:
        """Independent commands of one stream each; those of a stream in the order given.

        To keep it, a stream's commands share the queue of its first, and once one of them cannot be
        queued the rest of them are not either.
        """
        await self._sealer.prepare({command.appends[0].stream for command, _ in wanted})
        queued: list[asyncio.Future[Verdict] | RehabError] = []
        lanes: dict[str, Priority] = {}
        closed: dict[str, RehabError] = {}
        for command, priority in wanted:
            stream = command.appends[0].stream
            if stream in closed:
                queued.append(closed[stream])
                continue
            try:
                asked = await self._sealed(command)
                queued.append(self._queued(asked, lanes.setdefault(stream, priority)))
            except RehabError as error:
                closed[stream] = error
                queued.append(error)
        try:
            return [await one if isinstance(one, asyncio.Future) else one for one in queued]
        finally:
            for one in queued:
                if isinstance(one, asyncio.Future):
                    one.cancel()

    async def _sealed(self, command: Command) -> Asked:
        if len(command.appends) == 1:
            (append,) = command.appends
            return Asked(command, await self._sealer.seal(append.stream, append.events))
        sealed = [await self._sealer.seal(part.stream, part.events) for part in command.appends]
        return Asked(command, [seal for part in sealed for seal in part])

    def _queued(self, asked: Asked, priority: Priority) -> asyncio.Future[Verdict]:
        if self._away:
            raise _unavailable()
        return self._queue.put(asked, priority)

    async def run(self) -> None:
        """Serve the queue until it is closed and empty."""
        batch: Sequence[Waiting] = ()
        try:
            while batch := await self._queue.take():
                began = self._clock.monotonic()
                await self._serve(batch, began + self._patience_s)
                seconds = self._clock.monotonic() - began
                events = sum(one.events for one in batch)
                self._queue.committed(events, seconds)
                metrics.commit_seconds.observe(seconds)
                metrics.batch_events.observe(events)
        finally:
            # none are left unless this falls; then no one is to wait for an answer in vain
            self._queue.close()
            for one in batch:
                one.answer(_unavailable())
            self._queue.refuse_all(_unavailable)
            self._ended.set()

    async def drain(self) -> None:
        """Take in no more, and return when all that was taken in is answered."""
        self._queue.close()
        await self._ended.wait()

    async def _serve(self, batch: list[Waiting], deadline: float) -> None:
        try:
            await self._committer.settle(batch, deadline)
        except (LinkLost, StatementRefused) as error:
            self._away = True
            log.error(
                "PostgreSQL does not answer: appends are refused until it does",
                error_type=str(error),
                remedy="start PostgreSQL, free its disk, or check EVENTSTORE_POSTGRES_DSN",
            )
            for one in batch:
                one.answer(_unavailable())
            self._queue.refuse_all(_unavailable)
            await self._until_back()

    async def _until_back(self) -> None:
        delay = RETRY_S
        while self._away and not self._queue.closed:
            await asyncio.sleep(delay)
            delay = min(MAX_RETRY_S, 2 * delay)
            try:
                await self._memory.refresh()
            except (LinkLost, StatementRefused):
                continue
            self._away = False
            log.info("PostgreSQL answers again: appends are taken in")


def _unavailable() -> Unavailable:
    return Unavailable("PostgreSQL does not answer", retry_after_s=1.0)
