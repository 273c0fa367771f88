"""Reading archived events, frame by frame; frames that were opened of late are kept in memory."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from rehab_eventstore import metrics
from rehab_eventstore.archive.form import TRAILER_BYTES, Damaged, Kept, Segment
from rehab_eventstore.archive.objects import Away, Missing, Objects
from rehab_runtime.errors import ArchiveUnreadable

SEGMENTS = 1000
"""Segments whose keys and indexes are kept at hand."""
AT_ONCE = 8
"""Objects read at the same time for one page."""
ROW_BYTES = 300
"""About what an opened row takes beside its content."""


class Wanted(NamedTuple):
    """An archived event: the number of its segment, its position, its hash."""

    segment: int
    position: int
    hash: bytes


Find = Callable[[int], Awaitable[Segment | None]]
"""The segment of a number, with its key; None when there is none. Raises ArchiveUnreadable when its
key is refused."""
Frame = Mapping[int, Kept]


class Frames:
    """Opened frames, the ones used last; about `limit` bytes of them."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._held: OrderedDict[tuple[int, int], tuple[Frame, int]] = OrderedDict()
        self._size = 0

    def get(self, key: tuple[int, int]) -> Frame | None:
        found = self._held.get(key)
        if found is None:
            return None
        self._held.move_to_end(key)
        return found[0]

    def put(self, key: tuple[int, int], frame: Frame) -> None:
        size = sum(len(one.stored) + ROW_BYTES for one in frame.values())
        _, before = self._held.pop(key, (None, 0))
        self._held[key] = frame, size
        self._size += size - before
        while self._size > self._limit and self._held:
            _, (_, gone) = self._held.popitem(last=False)
            self._size -= gone


class Library:
    """`objects` is None where no archive is told: then everything is unreadable."""

    def __init__(self, objects: Objects | None, find: Find, *, cache_bytes: int) -> None:
        self._objects = objects
        self._find = find
        self._frames = Frames(cache_bytes)
        self._segments: OrderedDict[int, Segment] = OrderedDict()
        self._turns: dict[tuple[int, int], asyncio.Lock] = {}

    async def events(self, wanted: Iterable[Wanted]) -> dict[int, Kept]:
        """Archived events by position. Raises ArchiveUnreadable, naming the first of those that
        cannot be read."""
        by_segment: dict[int, list[Wanted]] = {}
        for one in wanted:
            by_segment.setdefault(one.segment, []).append(one)
        gate = asyncio.Semaphore(AT_ONCE)

        async def read(number: int, some: Sequence[Wanted]) -> dict[int, Kept]:
            async with gate:
                return await self._of_one(number, some)

        found: dict[int, Kept] = {}
        errors: list[ArchiveUnreadable] = []
        reads = (read(*one) for one in by_segment.items())
        # all are waited for: none goes on behind an error's back
        for part in await asyncio.gather(*reads, return_exceptions=True):
            if isinstance(part, ArchiveUnreadable):
                errors.append(part)
            elif isinstance(part, BaseException):
                raise part
            else:
                found |= part
        if errors:
            raise min(errors, key=lambda error: int(error.metadata["position"]))
        return found

    async def _of_one(self, number: int, wanted: Sequence[Wanted]) -> dict[int, Kept]:
        first = wanted[0].position
        segment = await self._segment(number, first)
        found = {}
        # at hand for the page, however little is kept in memory between pages
        frames: dict[int, Frame] = {}
        for one in wanted:
            try:
                place = segment.frame_of(one.position)
                if place not in frames:
                    frames[place] = await self._frame(number, segment, place)
                kept = frames[place].get(one.position)
                if kept is None or kept.hash != one.hash:
                    raise Damaged("it holds another event")
            except Missing:
                raise unreadable(segment.span.name, one.position, "missing") from None
            except Damaged as error:
                name = segment.span.name
                raise unreadable(name, one.position, "damaged", error.what) from None
            except Away as error:
                name = segment.span.name
                raise unreadable(name, one.position, "away", str(error)) from None
            found[one.position] = kept
        return found

    async def _frame(self, number: int, segment: Segment, frame: int) -> Frame:
        key = number, frame
        held = self._frames.get(key)
        if held is not None:
            return held
        # several readers of the same page open it once
        turn = self._turns.setdefault(key, asyncio.Lock())
        try:
            async with turn:
                held = self._frames.get(key)
                if held is None:
                    held = await self._open(segment, frame)
                    self._frames.put(key, held)
                return held
        finally:
            if not turn.locked():
                self._turns.pop(key, None)

    async def _open(self, segment: Segment, frame: int) -> Frame:
        assert self._objects is not None
        entry = segment.index[frame]
        with metrics.archive_fetch_seconds.time():
            (part,) = await self._objects.parts(
                segment.span.path, [(entry.offset, entry.length)], segment.size
            )
        metrics.archive_frames.inc()
        return segment.open_frame(frame, part)

    async def _segment(self, number: int, position: int) -> Segment:
        held = self._segments.get(number)
        if held is not None:
            self._segments.move_to_end(number)
            return held
        try:
            segment = await self._find(number)
        except ArchiveUnreadable as error:
            error.metadata["position"] = str(position)
            raise
        if segment is None:
            raise unreadable(str(number), position, "missing", "there is no such segment")
        name = segment.span.name
        if self._objects is None:
            raise unreadable(name, position, "away", "EVENTSTORE_ARCHIVE_URL is not set")
        try:
            await self._read_index(self._objects, segment)
        except Missing:
            raise unreadable(name, position, "missing") from None
        except Damaged as error:
            raise unreadable(name, position, "damaged", error.what) from None
        except Away as error:
            raise unreadable(name, position, "away", str(error)) from None
        self._segments[number] = segment
        while len(self._segments) > SEGMENTS:
            self._segments.popitem(last=False)
        return segment

    @staticmethod
    async def _read_index(objects: Objects, segment: Segment) -> None:
        path, size = segment.span.path, segment.size
        end = size - TRAILER_BYTES, TRAILER_BYTES
        (trailer,) = await objects.parts(path, [end], size)
        at, length, frames = segment.index_range(trailer)
        (part,) = await objects.parts(path, [(at, length)], size)
        segment.open_index(part, frames)


def unreadable(segment: str, position: int, trouble: str, what: str = "") -> ArchiveUnreadable:
    """`trouble` is missing, damaged, away or refused."""
    return ArchiveUnreadable(
        f"segment {segment}: {trouble}" + (f": {what}" if what else ""),
        metadata={"segment": segment, "position": str(position), "trouble": trouble},
    )
