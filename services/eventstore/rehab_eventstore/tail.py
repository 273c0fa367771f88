"""The newest events in memory, so that many live readers cost PostgreSQL one read."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from rehab_eventstore.storage.codec import Encoded, encoded
from rehab_eventstore.storage.read import Filter, Page, Reader


class Tail:
    """Pages of one shard. Readers near its end share what one of them has read; who is further
    behind, or has been too slow, reads PostgreSQL.

    At most `max_events` events are kept, and about `max_bytes` bytes of them, as the wire carries
    them: who passes them on need not open them. Pages are as long as the reader's.
    """

    def __init__(self, reader: Reader, shard: int, *, max_events: int, max_bytes: int) -> None:
        self._reader = reader
        self._shard = shard
        self._max_events = max_events
        self._max_bytes = max_bytes
        self._kept: list[Encoded] = []
        self._before = 0
        self._size = 0
        self._reading = asyncio.Lock()

    async def page(self, after: int, until: int, chosen: Filter) -> Page:
        """The next events after a position that are asked for, up to a committed position."""
        run = await self._run(after, until)
        if run is None:
            return await self._stored(after, until, chosen)
        return self._reader.page_of(run, after, chosen)

    async def encoded(self, after: int, until: int) -> Sequence[Encoded]:
        """A page of the next events after a position, up to a committed position."""
        run = await self._run(after, until)
        if run is not None:
            return run[: self._reader.page_events]
        page = await self._reader.page(self._shard, after, until)
        return [encoded(event) for event in page.events]

    async def _run(self, after: int, until: int) -> Sequence[Encoded] | None:
        """What is kept after a position; None when that is to be read from PostgreSQL."""
        if until - after > self._max_events:
            return None
        async with self._reading:
            if after >= self._last < until:
                await self._read_on(after, until)
        if not self._before <= after < self._last:
            return None
        return self._kept[after - self._before : until - self._before]

    def wrote(self, events: Sequence[Encoded]) -> None:
        """This replica has committed them: they need not be read. Nothing is kept of a run that
        does not go on where the tail ends, unless nobody has read yet."""
        first = events[0].position
        if not self._kept:
            self._before = first - 1
        if first == self._last + 1:
            self._keep(events)

    def blank(self, stream: str) -> None:
        """The stream's subject is erased: what is kept of its sealed bodies goes."""
        for place, kept in enumerate(self._kept):
            if kept.stream == stream and kept.key_id:
                event = kept.event()
                event.body, event.erased = b"", True
                self._kept[place] = encoded(event)

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
        self._keep([encoded(event) for event in events if event.envelope.position > self._last])

    def _keep(self, events: Sequence[Encoded]) -> None:
        self._kept += events
        self._size += _size(events)
        self._trim(len(events))

    def _trim(self, newest: int) -> None:
        """Forget the oldest half at once, but nothing that was read just now."""
        full = len(self._kept) > self._max_events or self._size > self._max_bytes
        count = min(len(self._kept) // 2, len(self._kept) - newest)
        if full and count > 0:
            self._size -= _size(self._kept[:count])
            self._before += count
            del self._kept[:count]


def _size(events: Sequence[Encoded]) -> int:
    return sum([len(event.wire) for event in events])
