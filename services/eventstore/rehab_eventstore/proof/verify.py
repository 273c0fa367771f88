"""Verifying a shard: runs of the chain are walked in parallel, then what ties them together."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from concurrent.futures import BrokenExecutor, Executor
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from functools import partial

import asyncpg

from rehab_eventstore.domain.chain import GENESIS
from rehab_eventstore.proof.archived import ArchiveKeys
from rehab_eventstore.proof.ends import Extent, extent_of, strays, wrong_ends
from rehab_eventstore.proof.finding import Damage, Finding, first_of
from rehab_eventstore.proof.statements import Stated, Statements
from rehab_eventstore.proof.walk import Run, Walked, processes, walk
from rehab_runtime.errors import Unavailable
from rehab_runtime.postgres import Database, Queries

RUN_EVENTS = 10_000
LOCKED_TRIES = 5


@dataclass(frozen=True)
class Asked:
    """Positions first to last of a shard, 0 for its beginning or its end, and the public keys that
    may have signed; none for whichever did."""

    shard: int
    first: int = 0
    last: int = 0
    trusted: Sequence[bytes] = ()


@dataclass(frozen=True)
class Progress:
    verified: int
    total: int


@dataclass(frozen=True)
class Verdict:
    """`finding` is None when nothing is wrong up to `position`. `signed` is the last position that
    a checkpoint covers, of those looked at; what comes after could have been cut off unnoticed.
    `audit` of the verified events stand in audit streams."""

    verified: int
    checkpoints: int
    position: int
    finding: Finding | None
    signed: int = 0
    signers: frozenset[str] = frozenset()
    audit: int = 0


@dataclass
class _Tally:
    """What came of the runs so far, in their order."""

    from_start: bool
    verified: int = 0
    audit: int = 0
    tail: bytes = b""
    damage: Finding | None = None
    versions: dict[str, int] = field(default_factory=dict)

    def take(self, walked: Walked) -> None:
        self.verified += walked.verified
        self.audit += walked.audit
        self.tail = walked.last
        self.damage = walked.finding or self._gap(walked)

    def _gap(self, walked: Walked) -> Finding | None:
        """Whether streams go on in this run where they were before it."""
        for stream, (first, last, position) in walked.versions.items():
            before = self.versions.get(stream, 0 if self.from_start else first - 1)
            if first != before + 1:
                message = f"version {first} follows version {before}"
                return Finding(position, Damage.VERSION, message)
            self.versions[stream] = last
        return None


ArchiveKeysOf = Callable[[int, int, int], Awaitable[ArchiveKeys]]
"""What opens the archived events of a shard between two positions. Raises KeysUnavailable."""


class Verifier:
    """Walks with so many workers at once, which live as long as a walk. One walk at a time: those
    who append must not starve."""

    def __init__(
        self,
        dsn: str,
        database: Database,
        queries: Queries,
        workers: int,
        pool: Callable[[int], Executor] = processes,
        archive: ArchiveKeysOf | None = None,
    ) -> None:
        self._dsn = dsn
        self._database = database
        self._queries = queries
        self._statements = Statements(database, queries)
        self._workers = workers
        self._pool = pool
        self._archive = archive
        self._turn = asyncio.Semaphore(1)

    async def verify(self, asked: Asked) -> AsyncGenerator[Progress | Verdict]:
        """Progress, and a verdict in the end. The head as it is at the start is the end: what is
        appended meanwhile is not looked at. Raises Unavailable."""
        yield Progress(0, 0)
        async with self._turn:
            extent = await extent_of(self._database, self._queries, asked.shard)
            if extent is None:
                yield Verdict(0, 0, 0, Finding(0, Damage.HEAD, "the shard has no head"))
                return
            begin, end = extent.span(asked.first, asked.last)
            findings = [*wrong_ends(extent), *await strays(self._database, self._queries)]
            tally, total = _Tally(from_start=begin == 1), max(0, end - begin + 1)
            async with aclosing(self._walk(asked.shard, extent, begin, end)) as runs:
                async for walked in runs:
                    tally.take(walked)
                    if tally.damage is not None:
                        findings.append(tally.damage)
                        break
                    yield Progress(tally.verified, total)
            if total and tally.damage is None and end == extent.position:
                findings += _wrong_tail(extent, tally.tail)
            stated = Stated(findings=findings)
            findings += await self._statements.beyond(asked.shard, asked.trusted)
            await self._statements.judge(asked.shard, asked.first, end, asked.trusted, stated)
            yield Verdict(
                *(tally.verified, stated.holding, end, first_of(findings)),
                *(stated.reached, frozenset(stated.signers), tally.audit),
            )

    async def _walk(
        self, shard: int, extent: Extent, begin: int, end: int
    ) -> AsyncGenerator[Walked]:
        """In the order of positions, some runs at once."""
        loop, pool = asyncio.get_running_loop(), self._pool(self._workers)
        waiting: deque[asyncio.Future[Walked]] = deque()
        try:
            for after in range(begin - 1, end, RUN_EVENTS):
                previous = GENESIS if extent.starts(after + 1) else await self._hash(shard, after)
                run = Run(shard, after, min(end, after + RUN_EVENTS), previous)
                waiting.append(asyncio.ensure_future(self._walked(loop, pool, run)))
                if len(waiting) > 2 * self._workers:
                    yield await waiting.popleft()
            while waiting:
                yield await waiting.popleft()
        except BrokenExecutor:
            raise Unavailable("a process that walked the log has died") from None
        finally:
            for future in waiting:
                future.cancel()
            pool.shutdown(wait=False, cancel_futures=True)

    async def _walked(self, loop: asyncio.AbstractEventLoop, pool: Executor, run: Run) -> Walked:
        """What is archived while a run waits for its turn has a key that it was not given."""
        for _ in range(LOCKED_TRIES):
            if self._archive is not None:
                keys = await self._archive(run.shard, run.after + 1, run.until)
                run = replace(run, archive=keys)
            walked = await loop.run_in_executor(pool, partial(walk, self._dsn, run))
            if not walked.locked:
                return walked
        raise Unavailable("events are being archived while they are verified")

    async def _hash(self, shard: int, position: int) -> bytes:
        """The hash stored there; that it is right, the run up to it shows."""
        row: asyncpg.Record | None = await self._database.fetchrow(
            self._queries["hash_at"], shard, position
        )
        return (row["hash"] or b"") if row is not None else b""


def _wrong_tail(extent: Extent, tail: bytes) -> list[Finding]:
    if tail == extent.hash:
        return []
    message = "the head does not carry the hash of its event"
    return [Finding(extent.position, Damage.HEAD, message)]
