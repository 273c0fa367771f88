"""The newest events in memory, so that many live readers cost PostgreSQL one read."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from rehab.events.v1.event_pb2 import RecordedEvent
from rehab_eventstore.storage.read import Filter, Page, Reader


class Tail:
    """Pages of one shard. Readers near its end share what one of them has read; who is further
    behind, or has been too slow, reads PostgreSQL.

    At most `max_events` events are kept, and about `max_bytes` bytes of bodies. Pages are as long
    as the reader's.
    """

    def __init__(self, reader: Reader, shard: int, *, max_events: int, max_bytes: int) -> None:
        self._reader = reader
        self._shard = shard
        self._max_events = max_events
        self._max_bytes = max_bytes
        self._kept: list[RecordedEvent] = []
        self._before = 0
        self._size = 0
        self._reading = asyncio.Lock()

    async def page(self, after: int, until: int, chosen: Filter) -> Page:
        """The next events after a position that are asked for, up to a committed position."""
        if until - after > self._max_events:
            return await self._stored(after, until, chosen)
        async with self._reading:
            if after >= self._last < until:
                await self._read_on(after, until)
        if not self._before <= after < self._last:
            return await self._stored(after, until, chosen)
        return self._reader.page_of(
            self._kept[after - self._before : until - self._before], after, chosen
        )

    def wrote(self, events: Sequence[RecordedEvent]) -> None:
        """This replica has committed them: they need not be read. Nothing is kept of a run that
        does not go on where the tail ends, unless nobody has read yet."""
        first = events[0].envelope.position
        if not self._kept:
            self._before = first - 1
        if first == self._last + 1:
            self._keep(events)

    def blank(self, stream: str) -> None:
        """The stream's subject is erased: what is kept of its sealed bodies goes."""
        for event in self._kept:
            if event.envelope.subject_id == stream and event.key_id:
                event.body, event.erased = b"", True

    @property
    def _last(self) -> int:
        return self._before + len(self._kept)

    async def _stored(self, after: int, until: int, chosen: Filter) -> Page:
        if chosen:
            return await self._reader.filtered(self._shard, after, until, chosen)
        return await self._reader.page(self._shard, after, until)

    async def _read_on(self, after: int, until: int) -> None:
        if after > self._last:
            self._kept, self._before, self._size = [], after, 0
        events = (await self._reader.page(self._shard, after, until)).events
        # some of them may have been written here meanwhile
        self._keep([event for event in events if event.envelope.position > self._last])

    def _keep(self, events: Sequence[RecordedEvent]) -> None:
        self._kept += events
        self._size += sum(len(event.body) for event in events)
        self._trim(len(events))

    def _trim(self, newest: int) -> None:
        """Forget the oldest half at once, but nothing that was read just now."""
        full = len(self._kept) > self._max_events or self._size > self._max_bytes
        count = min(len(self._kept) // 2, len(self._kept) - newest)
        if full and count > 0:
            self._size -= sum(len(event.body) for event in self._kept[:count])
            self._before += count
            del self._kept[:count]
