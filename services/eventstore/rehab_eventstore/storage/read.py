"""Reads of the log."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from rehab.events.v1.event_pb2 import RecordedEvent
from rehab.eventstore.v1.eventstore_service_pb2 import ReadAllResponse
from rehab_eventstore import metrics
from rehab_eventstore.archive.library import Library, Wanted, unreadable
from rehab_eventstore.domain.head import Head, head_of
from rehab_eventstore.storage.codec import Encoded
from rehab_eventstore.storage.wire import recorded_events
from rehab_runtime.errors import ArchiveUnreadable, Internal
from rehab_runtime.logging import get_logger
from rehab_runtime.postgres import Database, Queries
from rehab_runtime.slices import slice_of

LAST = 2**63 - 1
"""Greater than any position or version."""
SCAN_POSITIONS = 20_000

log = get_logger("archive")


@dataclass(frozen=True)
class Filter:
    """Which events are asked for; an empty one of the three asks for all."""

    kinds: frozenset[str] = frozenset()
    streams: frozenset[str] = frozenset()
    slices: frozenset[int] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.kinds or self.streams or self.slices)

    def chooses(self, event: Encoded) -> bool:
        return (
            (not self.kinds or event.kind in self.kinds)
            and (not self.streams or event.stream in self.streams)
            and (not self.slices or slice_of(event.stream) in self.slices)
        )


@dataclass(frozen=True)
class Page:
    """Events in order. Everything asked for up to `reached` is in this page or before it. `message`
    holds the same events, where they were read as one, so that they need not be copied to be sent:
    once."""

    events: Sequence[RecordedEvent]
    reached: int
    message: ReadAllResponse | None = None


@dataclass(frozen=True)
class StreamRange:
    """Which of a subject's events: versions first to last, both included, recorded up to a time."""

    stream: str
    first_version: int
    last_version: int
    until: datetime
    kinds: Sequence[str]
    limit: int
    backwards: bool


@dataclass(frozen=True)
class Safety:
    """How PostgreSQL is set up: a commit is on disk when it is answered; a rotten page is told."""

    fsync: bool
    checksums: bool


class Reader:
    """Pages hold at most `page_events` events, and no further one after `page_bytes` bytes. They
    are the same wherever the events are: what reads them raises ArchiveUnreadable."""

    def __init__(
        self,
        database: Database,
        queries: Queries,
        *,
        page_events: int,
        page_bytes: int,
        library: Library | None = None,
    ) -> None:
        self._database = database
        self._queries = queries
        self._library = library
        self.page_events = page_events
        self._page_bytes = page_bytes

    async def head(self, shard: int) -> Head:
        row = await self._database.fetchrow(self._queries["head"], shard)
        assert row is not None
        return head_of(**row)

    async def renew_incarnation(self, head: Head) -> Head:
        """Make the log another one, unless somebody else did: its positions were lost and will be
        used again, so cursors into them must not be believed."""
        await self._database.execute(
            self._queries["renew_incarnation"], head.shard, head.incarnation
        )
        return await self.head(head.shard)

    async def fingerprint_key(self, shard: int) -> bytes:
        row = await self._database.fetchrow(self._queries["fingerprint_key"], shard)
        assert row is not None
        return bytes(row["fingerprint_key"])

    async def safety(self) -> Safety:
        row = await self._database.fetchrow(self._queries["safety"])
        assert row is not None
        return Safety(**row)

    async def page(self, shard: int, after: int, until: int, limit: int = LAST) -> Page:
        """The events after a position. `until` must be committed: it has no holes before it."""
        count = min(self.page_events, limit, until - after)
        if count <= 0:
            return Page((), after)
        rows = await self._database.fetch(
            self._queries["page"], shard, after, after + count, self._page_bytes
        )
        message = await self._events(rows)
        events = message.events
        reached = after + len(events)
        if not events or events[-1].envelope.position != reached:
            raise Internal("the log has a hole")
        return Page(events, reached, message)

    def page_of(self, run: Sequence[Encoded], after: int, chosen: Filter) -> Page:
        """A page of what is asked for in a run of events that begins after a position."""
        taken: list[RecordedEvent] = []
        size = 0
        for before, event in enumerate(run, after):
            if len(taken) == self.page_events or size >= self._page_bytes:
                return Page(taken, before)
            if chosen.chooses(event):
                taken.append(event.event())
                size += len(event.wire)
        return Page(taken, after + len(run))

    async def filtered(
        self, shard: int, after: int, until: int, chosen: Filter, limit: int = LAST
    ) -> Page:
        """The events asked for among the next ones after a position; maybe none of them."""
        upto = min(until, after + SCAN_POSITIONS)
        count = min(self.page_events, limit)
        rows = await self._database.fetch(
            self._queries["filtered"],
            shard,
            after,
            upto,
            self._page_bytes,
            list(chosen.kinds),
            list(chosen.streams),
            list(chosen.slices),
            count,
        )
        message = await self._events(rows)
        reached = rows[-1]["position"] if self._cut(rows, count) else upto
        return Page(message.events, reached, message)

    async def stream(self, wanted: StreamRange) -> AsyncIterator[Sequence[RecordedEvent]]:
        """One subject's events, in pages."""
        query = self._queries["stream_backward" if wanted.backwards else "stream_forward"]
        first, last, left = wanted.first_version, wanted.last_version, wanted.limit
        while left > 0 and first <= last:
            count = min(self.page_events, left)
            rows = await self._database.fetch(
                *(query, wanted.stream, first, last, wanted.until, wanted.kinds),
                *(count, self._page_bytes),
            )
            if rows:
                yield (await self._events(rows)).events
            if not self._cut(rows, count):
                return
            left -= len(rows)
            if wanted.backwards:
                last = rows[-1]["stream_version"] - 1
            else:
                first = rows[-1]["stream_version"] + 1

    async def _events(self, rows: Sequence[asyncpg.Record]) -> ReadAllResponse:
        """What is archived is fetched from there. Raises ArchiveUnreadable."""
        wanted = [
            Wanted(row["segment"], row["position"], row["hash"])
            for row in rows
            if row["segment"] is not None
        ]
        if not wanted:
            return recorded_events(rows)
        if self._library is None:
            raise unreadable(str(wanted[0].segment), wanted[0].position, "away")
        try:
            kept = await self._library.events(wanted)
        except ArchiveUnreadable as error:
            metrics.archive_unreadable.inc()
            log.error(
                "an archived event cannot be read",
                reason=error.detail,
                segment=error.metadata["segment"],
                position=error.metadata["position"],
                remedy="restore the object from its copy, or see what stores it",
            )
            raise
        return recorded_events(rows, {position: one.link for position, one in kept.items()})

    def _cut(self, rows: Sequence[asyncpg.Record], count: int) -> bool:
        """Whether there may be more rows than fit the page."""
        if len(rows) >= count:
            return True
        if not rows:
            return False
        last = rows[-1]
        size = (last["bytes_before"] or 0) + last["bytes"]
        return bool(size >= self._page_bytes)
