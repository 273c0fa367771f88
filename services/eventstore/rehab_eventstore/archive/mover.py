"""Moving one segment: out to the archive, and back. Every step may be repeated, and whoever begins
next goes on with what was interrupted.

    out:  planned → object written, read back, verified → written → manifest in the log → archived
    back: archived → rows whole again → returned → the log tells so → restored

The rows give their contents up in the one transaction that says `archived`, and have them again in
the one that says `returned`.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Sequence

import asyncpg

from rehab.eventstore.v1 import eventstore_service_pb2 as pb
from rehab_eventstore import metrics
from rehab_eventstore.archive import telling
from rehab_eventstore.archive.checker import Checker, Whole, chunks
from rehab_eventstore.archive.form import KEY_BYTES, Span, Writer, kept_of
from rehab_eventstore.archive.library import unreadable
from rehab_eventstore.archive.objects import Away, Objects
from rehab_eventstore.archive.plan import Chosen
from rehab_eventstore.domain.chain import GENESIS, following
from rehab_eventstore.proof.walk import link_of_row, occurred_of_row
from rehab_eventstore.storage.segments import Lease, Segments, Stored, segment_context
from rehab_runtime.clock import Clock
from rehab_runtime.errors import ArchiveUnreadable, Internal, InvalidArgument, Violation
from rehab_runtime.keepers.wrapper import KeyRefused, KeyWrapper, Unwrapped
from rehab_runtime.logging import get_logger

log = get_logger("archive")

Tell = Callable[[pb.NewEvent], Awaitable[int]]
"""Appends an event of the log's own, once; the position at which it stands."""


class Mover:
    """Every method raises LeaseLost when another replica has taken over, Unavailable when a server
    does not answer, ArchiveUnreadable."""

    def __init__(
        self,
        segments: Segments,
        objects: Objects,
        wrapper: KeyWrapper,
        tell: Tell,
        clock: Clock,
    ) -> None:
        self._segments = segments
        self._checker = Checker(segments, objects)
        self._objects = objects
        self._wrapper = wrapper
        self._tell = tell
        self._clock = clock

    async def out(self, chosen: Chosen, incarnation: str, lease: Lease, by: str) -> Stored:
        """Move events out. Raises InvalidArgument when the chain does not hold there."""
        span = _span(chosen, incarnation, lease.shard)
        key = os.urandom(KEY_BYTES)
        (wrapped,) = await self._wrapper.wrap([Unwrapped(segment_context(span.name), key)])
        content = await self._built(span, key, chosen.positions)
        planned = await self._segments.plan(span, wrapped, lease)
        try:
            # one that is there was written by a request of ours that was sent twice
            await self._objects.create(span.path, content)
        except Away as error:
            raise unreadable(span.name, span.first_position, "away", str(error)) from None
        return await self._announce(planned, key, lease, by)

    async def go_on(self, segment: Stored, lease: Lease, by: str) -> int:
        """End what was interrupted; how many events were moved by it, out or back."""
        if segment.state == "returned":
            await self._tell_returned(segment, lease)
            return 0
        try:
            key = await self._key(segment)
            if segment.state == "planned":
                await self._announce(segment, key, lease, by)
            else:
                whole = await self._checker.read(segment, key, slim=False)
                await self._give_up(segment, whole, lease, by)
        except ArchiveUnreadable as error:
            if error.metadata["trouble"] == "away":
                raise
            # no row has given anything up for it: they are planned anew, under another name
            log.warning("an interrupted segment is begun anew", segment=segment.span.name)
            if segment.state == "planned":
                await self._segments.drop_plan(segment.number, lease)
            else:
                await self._stay(segment, lease, by)
            return 0
        return segment.span.events

    async def back(self, segment: Stored, lease: Lease, by: str) -> None:
        """Bring a segment's events back into the database, exactly as they were."""
        whole = await self._checker.read(segment, await self._key(segment), slim=True)
        assert segment.manifest is not None
        told = telling.returned(segment.manifest, by=by, at=self._clock.now())
        back = await self._segments.take_rows_back(segment, whole.contents, told, lease)
        metrics.restored.inc(segment.span.events)
        await self._tell_returned(back, lease)

    async def _key(self, segment: Stored) -> bytes:
        (key,) = await self._segments.keys([segment])
        if isinstance(key, KeyRefused):
            span = segment.span
            raise unreadable(span.name, span.first_position, "refused", key.detail)
        return key

    async def _announce(self, planned: Stored, key: bytes, lease: Lease, by: str) -> Stored:
        whole = await self._checker.read(planned, key, slim=False)
        manifest = telling.manifest(
            planned.span, whole.size, whole.sha256, whole.hashes, by=by, at=self._clock.now()
        )
        written = await self._segments.written(
            planned.number, whole.size, whole.sha256, manifest, lease
        )
        await self._give_up(written, whole, lease, by)
        return written

    async def _give_up(self, written: Stored, whole: Whole, lease: Lease, by: str) -> None:
        assert written.manifest is not None
        told_at = await self._tell(written.manifest)
        hashes = {position: kept.hash for position, kept in whole.contents.items()}
        if await self._segments.give_rows_up(written, hashes, told_at, lease):
            metrics.archived.inc(written.span.events)
            return
        log.error("rows changed while they were archived: they stay", segment=written.span.name)
        await self._stay(written, lease, by)
        raise Internal("rows changed while they were archived")

    async def _stay(self, written: Stored, lease: Lease, by: str) -> None:
        """The rows stay whole, whatever the log was told."""
        assert written.manifest is not None
        told = telling.returned(written.manifest, by=by, at=self._clock.now())
        stays = await self._segments.take_rows_back(written, {}, told, lease)
        await self._tell_returned(stays, lease)

    async def _tell_returned(self, segment: Stored, lease: Lease) -> None:
        assert segment.return_told is not None
        told_at = await self._tell(segment.return_told)
        await self._segments.restored(segment.number, told_at, lease)

    async def _built(self, span: Span, key: bytes, positions: Sequence[int]) -> bytes:
        """The object of these positions' rows."""
        writer = Writer(span, key)
        for some in chunks(positions):
            rows = await self._segments.rows(span.shard, some)
            if [row["position"] for row in rows] != list(some):
                raise _unproved(some[0])
            # off the loop: others append meanwhile
            await asyncio.to_thread(_add, writer, rows, span.shard)
        return await asyncio.to_thread(writer.finish)


def _span(chosen: Chosen, incarnation: str, shard: int) -> Span:
    first, last = chosen.positions[0], chosen.positions[-1]
    slices = f"{chosen.first_slice:04d}-{chosen.last_slice:04d}"
    # of its own, so that no two attempts ever share an object or a key
    name = f"{shard}.{slices}.{first}-{last}.{os.urandom(6).hex()}"
    return Span(
        name,
        shard,
        incarnation,
        *(chosen.first_slice, chosen.last_slice),
        *(first, last, len(chosen.positions)),
    )


def _add(writer: Writer, rows: Sequence[asyncpg.Record], shard: int) -> None:
    """What is not what was written is not moved: it would be carried on as if it were."""
    for row in rows:
        link = link_of_row(row, shard)
        if following(row["hash_before"] or GENESIS, link) != row["hash"]:
            raise _unproved(row["position"])
        writer.add(row["position"], kept_of(link, occurred_of_row(row), row["hash"]))


def _unproved(position: int) -> InvalidArgument:
    message = f"the event at position {position} does not prove itself: run rehab log verify"
    return InvalidArgument(violations=[Violation("until_position", "chain.holds", message)])
