"""Verifying a shard: runs of the chain are walked in parallel, then what ties them together."""

from __future__ import annotations

import asyncio
import multiprocessing
from collections import deque
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from uuid import UUID

import asyncpg

from rehab_eventstore.domain.chain import GENESIS
from rehab_eventstore.proof.checkpoints import Checkpoint, checkpoint_of
from rehab_eventstore.proof.walk import Damage, Finding, Run, Walked, be_nice, walk
from rehab_runtime.postgres import Database, Queries

RUN_EVENTS = 10_000


@dataclass(frozen=True)
class Extent:
    """What the head claims, what is there, and where the chain begins."""

    position: int
    hash: bytes
    incarnation: UUID
    chained_from: int
    last: int


@dataclass(frozen=True)
class Progress:
    verified: int
    total: int


@dataclass(frozen=True)
class Verdict:
    """`finding` is None when nothing is wrong up to `position`."""

    verified: int
    checkpoints: int
    position: int
    finding: Finding | None


class Verifier:
    """Walks with so many processes at once. They live as long as a walk."""

    def __init__(self, dsn: str, database: Database, queries: Queries, processes: int) -> None:
        self._dsn = dsn
        self._database = database
        self._queries = queries
        self._processes = processes

    async def verify(
        self, shard: int, first: int = 0, last: int = 0
    ) -> AsyncIterator[Progress | Verdict]:
        """Progress, and a verdict in the end. The head as it is at the start is the end: what is
        appended meanwhile is not looked at. Raises Unavailable."""
        extent = await self._extent(shard)
        begin = max(first, extent.chained_from, 1)
        end = min(last or extent.position, extent.position)
        total = max(0, end - begin + 1)
        yield Progress(0, total)
        verified, finding = 0, await self._truncated(shard, extent)
        versions: dict[str, int] = {}
        runs = await self._runs(shard, extent, begin, end)
        tail = b""
        async for walked in self._walk(runs):
            verified += walked.verified
            damage = walked.finding or _gap(versions, walked, from_start=begin == 1)
            if damage is not None:
                finding = damage if finding is None else min(finding, damage, key=_place)
                break
            tail = walked.last
            yield Progress(verified, total)
        if finding is None and end == extent.position and total and tail != extent.hash:
            finding = Finding(end, Damage.HEAD, "the head does not carry the hash of its event")
        checkpoints = await self._checkpoints(shard, extent, begin)
        stated = [one for one in checkpoints if one[0].position <= end]
        for checkpoint, found in stated:
            wrong = _misstated(checkpoint, found)
            if wrong is not None and (finding is None or wrong.position < finding.position):
                finding = wrong
        yield Verdict(verified, len(stated), end, finding)

    async def _extent(self, shard: int) -> Extent:
        row = await self._database.fetchrow(self._queries["extent"], shard)
        assert row is not None
        return Extent(*row)

    async def _truncated(self, shard: int, extent: Extent) -> Finding | None:
        """What is claimed or signed beyond the last event, or is there beyond the head."""
        if extent.last < extent.position:
            message = f"the head claims {extent.position} events, the last one is {extent.last}"
            return Finding(extent.last + 1, Damage.TRUNCATED, message)
        if extent.last > extent.position:
            message = "an event stands beyond the head"
            return Finding(extent.position + 1, Damage.HEAD, message)
        for checkpoint, _ in await self._checkpoints(shard, extent, extent.position + 1):
            message = f"the log ends here, and a checkpoint was signed at {checkpoint.position}"
            return Finding(extent.position + 1, Damage.TRUNCATED, message)
        return None

    async def _checkpoints(
        self, shard: int, extent: Extent, after: int
    ) -> Sequence[tuple[Checkpoint, bytes | None]]:
        rows = await self._database.fetch(
            self._queries["between"], shard, extent.incarnation, after
        )
        return [(checkpoint_of(row), row["found"]) for row in rows]

    async def _runs(self, shard: int, extent: Extent, begin: int, end: int) -> Sequence[Run]:
        """Each begins at the hash that is stored before it; that this is right, the run before
        it shows."""
        runs = []
        for after in range(begin - 1, end, RUN_EVENTS):
            starts = after + 1 == max(1, extent.chained_from)
            previous = GENESIS if starts else await self._hash_at(shard, after)
            runs.append(Run(shard, after, min(end, after + RUN_EVENTS), previous))
        return runs

    async def _hash_at(self, shard: int, position: int) -> bytes:
        row: asyncpg.Record | None = await self._database.fetchrow(
            self._queries["hash_at"], shard, position
        )
        return (row["hash"] or b"") if row is not None else b""

    async def _walk(self, runs: Sequence[Run]) -> AsyncIterator[Walked]:
        """In the order of the runs, some of them at once."""
        if not runs:
            return
        loop = asyncio.get_running_loop()
        context = multiprocessing.get_context("spawn")
        processes = min(self._processes, len(runs))
        pool = ProcessPoolExecutor(processes, mp_context=context, initializer=be_nice)
        try:
            waiting: deque[asyncio.Future[Walked]] = deque()
            for run in runs:
                waiting.append(loop.run_in_executor(pool, partial(walk, self._dsn, run)))
                if len(waiting) > 2 * processes:
                    yield await waiting.popleft()
            while waiting:
                yield await waiting.popleft()
        finally:
            for future in waiting:
                future.cancel()
            pool.shutdown(wait=False, cancel_futures=True)


def _gap(versions: dict[str, int], walked: Walked, *, from_start: bool) -> Finding | None:
    """Whether streams go on in this run where they were before it; `versions` goes along."""
    for stream, (first, last, position) in walked.versions.items():
        before = versions.get(stream, 0 if from_start else first - 1)
        if first != before + 1:
            return Finding(position, Damage.VERSION, f"version {first} follows version {before}")
        versions[stream] = last
    return None


def _misstated(checkpoint: Checkpoint, found: bytes | None) -> Finding | None:
    if not checkpoint.holds():
        message = "the checkpoint here is not signed by the key that it names"
    elif found != checkpoint.hash:
        message = "the checkpoint here was signed for another event"
    else:
        return None
    return Finding(checkpoint.position, Damage.CHECKPOINT, message)


def _place(finding: Finding) -> int:
    return finding.position
