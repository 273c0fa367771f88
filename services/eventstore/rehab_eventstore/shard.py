"""One shard of the log: a head of its own, who writes it, who publishes it, and what reads it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Coroutine, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from nats.js import JetStreamContext

from rehab_eventstore.committer import Committed, Committer
from rehab_eventstore.domain.cache import LogCache
from rehab_eventstore.leadership import Leadership
from rehab_eventstore.memory import Memory
from rehab_eventstore.publisher import Publisher
from rehab_eventstore.queue import Bounds, CommandQueue
from rehab_eventstore.relay import Relay
from rehab_eventstore.sealing import Sealer
from rehab_eventstore.settings import Settings
from rehab_eventstore.storage.codec import written_events
from rehab_eventstore.storage.lease import Lease
from rehab_eventstore.storage.link import Link
from rehab_eventstore.storage.read import Reader
from rehab_eventstore.subscriptions import Subscriptions
from rehab_eventstore.tail import Tail
from rehab_eventstore.watch import HeadWatch
from rehab_eventstore.writer import Writer
from rehab_runtime.clock import Clock
from rehab_runtime.errors import InvalidArgument, Violation
from rehab_runtime.postgres import Database, Queries
from rehab_runtime.slices import shard_of


@dataclass(frozen=True)
class Log:
    """What all shards stand on."""

    database: Database
    queries: Queries
    reader: Reader
    broker: JetStreamContext
    clock: Clock
    shards: int


@dataclass(frozen=True)
class Shard:
    number: int
    link: Link
    memory: Memory
    writer: Writer
    watch: HeadWatch
    tail: Tail
    leadership: Leadership
    relay: Relay
    subscriptions: Subscriptions

    def tasks(self) -> Iterator[tuple[Coroutine[Any, Any, None], str]]:
        """What runs as long as the service does, with its name."""
        yield self.watch.poll(), f"looks at the head of shard {self.number}"
        yield self.leadership.run(), f"leadership of shard {self.number}"
        yield self.relay.run(), f"relay of shard {self.number}"
        yield self.writer.run(), f"writer of shard {self.number}"


class Shards:
    """All shards of the log. A stream lives in one of them for ever."""

    def __init__(self, shards: Sequence[Shard]) -> None:
        self._shards = shards

    def __len__(self) -> int:
        return len(self._shards)

    def __iter__(self) -> Iterator[Shard]:
        return iter(self._shards)

    def of(self, stream: str) -> Shard:
        return self._shards[shard_of(stream, len(self._shards))]

    def numbered(self, number: int) -> Shard:
        """Raises InvalidArgument when there is none of that number."""
        if number >= len(self._shards):
            rule = Violation("shard", "shard.known", f"must be below {len(self._shards)}")
            raise InvalidArgument(violations=[rule])
        return self._shards[number]

    def reached_at(self, address: str) -> None:
        """Where other replicas send their appends from now on."""
        for shard in self._shards:
            shard.leadership.address = address
            shard.leadership.wake()

    def is_written_by(self, backend: int) -> bool:
        """Whether a process of PostgreSQL serves a writer of this replica."""
        return any(shard.link.backend == backend for shard in self._shards)

    def lease_given_up(self, number: int) -> None:
        if number < len(self._shards):
            self._shards[number].leadership.wake()

    def close_subscriptions(self) -> None:
        for shard in self._shards:
            shard.subscriptions.close()

    async def drain(self, seconds: float) -> None:
        """Commit what was taken in, then publish it, but not for ever: what is not done then is
        done by another replica."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await asyncio.gather(*(shard.writer.drain() for shard in self._shards))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await asyncio.gather(*(shard.relay.drain() for shard in self._shards))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await asyncio.gather(*(shard.leadership.resign() for shard in self._shards))

    async def close(self) -> None:
        for shard in self._shards:
            await shard.link.close()


async def open_shard(number: int, settings: Settings, log: Log, sealer: Sealer) -> Shard:
    watch = HeadWatch(number, partial(log.reader.head, number), settings.poll_ms / 1000)
    watch.see(await log.reader.head(number))
    tail = Tail(log.reader, number, max_events=settings.tail_events, max_bytes=settings.tail_bytes)
    link = Link(settings.postgres_dsn, log.queries, number, settings.commit_timeout_s)
    memory = Memory(link, LogCache(settings.cached_streams, settings.cached_events), watch.see)
    lease = Lease(log.database, log.queries, number, settings.lease_s)
    leadership = Leadership(number, lease, log.clock)
    committer = Committer(link, memory, log.clock, partial(_told, tail))
    patience_s = settings.patience_s
    return Shard(
        number,
        link,
        memory,
        Writer(_queue(settings), committer, memory, sealer, log.clock, patience_s=patience_s),
        watch,
        tail,
        leadership,
        _relay(number, settings, log, tail, watch, leadership),
        Subscriptions(tail, watch, log.clock, checkpoint_s=settings.checkpoint_ms / 1000),
    )


def _told(tail: Tail, told: Committed) -> None:
    """What this replica has written, live readers and the relay need not read."""
    after, at, rows, hashes = told.after, told.recorded_at, told.rows, told.hashes
    tail.wrote(written_events(rows, after, at, hashes))


def _queue(settings: Settings) -> CommandQueue:
    return CommandQueue(
        Bounds(
            queued_events=settings.max_queued_events,
            queued_bytes=settings.max_queued_bytes,
            batch_events=settings.max_batch_events,
            batch_bytes=settings.max_batch_bytes,
            import_share=settings.import_share_pct / 100,
        )
    )


def _relay(
    number: int,
    settings: Settings,
    log: Log,
    tail: Tail,
    watch: HeadWatch,
    leadership: Leadership,
) -> Relay:
    publisher = Publisher(
        log.broker,
        settings.log_stream,
        settings.subject_prefix,
        number,
        max_events=settings.relay_max_events,
        max_bytes=settings.relay_max_bytes,
    )
    return Relay(
        number,
        leadership,
        publisher,
        log.reader,
        tail,
        watch,
        log.clock,
        backfill_events=settings.relay_backfill_events,
    )
