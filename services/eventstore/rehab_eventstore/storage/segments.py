"""Segments of the archive in PostgreSQL, and the rows that they stand in for."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from rehab.eventstore.v1 import eventstore_service_pb2 as pb
from rehab_eventstore.archive.form import Kept, Segment, Span
from rehab_eventstore.archive.library import unreadable
from rehab_eventstore.archive.plan import Movable
from rehab_eventstore.crypto.keys import key_context
from rehab_runtime.errors import Internal, Unavailable
from rehab_runtime.keepers.wrapper import Kek, KeyRefused, KeyWrapper, Wrapped
from rehab_runtime.postgres import Database, Queries

ROWS_AT_ONCE = 1000


@dataclass(frozen=True)
class Stored:
    """A segment as the database knows it. `manifest` and `return_told` are what the log is told."""

    number: int
    span: Span
    state: str
    key: Wrapped
    size: int
    sha256: bytes
    manifest: pb.NewEvent | None
    return_told: pb.NewEvent | None
    manifest_position: int


class LeaseLost(Unavailable):
    """Another replica moves the shard's events now: what was begun here, it goes on with."""


class _OtherRows(Exception):
    """The rows are not those that were archived: none is emptied."""


class Lease:
    """Who moves events of a shard. It is held by one replica at a time; what is changed under it
    is fenced in the same transaction."""

    def __init__(self, shard: int, ttl_s: float) -> None:
        self.shard = shard
        self.ttl_s = ttl_s
        self.holder = uuid.uuid4()


class Segments:
    """Every method raises Unavailable when PostgreSQL does not answer, those that change something
    LeaseLost."""

    def __init__(self, database: Database, queries: Queries, wrapper: KeyWrapper) -> None:
        self._database = database
        self._queries = queries
        self._wrapper = wrapper

    async def take(self, lease: Lease) -> bool:
        """Take or keep it; False while another replica holds it, or a step of ours is long."""
        with contextlib.suppress(asyncpg.LockNotAvailableError):
            row = await self._database.fetchrow(
                self._queries["take_lease"], lease.shard, lease.holder, lease.ttl_s
            )
            return row is not None
        return False

    async def give_up(self, lease: Lease) -> None:
        await self._database.execute(self._queries["give_lease_up"], lease.shard, lease.holder)

    async def recorded_before(self, shard: int, moment: datetime, last: int) -> int:
        """The last position, up to `last`, that was recorded before a moment: the log's clock never
        goes back."""
        first, beyond = 0, last + 1
        while beyond - first > 1:
            middle = (first + beyond) // 2
            row = await self._database.fetchrow(self._queries["recorded"], shard, middle)
            if row is not None and row["recorded_at"] < moment:
                first = middle
            else:
                beyond = middle
        return first

    async def movable(self, shard: int, after: int, until: int) -> list[Movable]:
        rows = await self._database.fetch(self._queries["movable"], shard, after, until)
        return [Movable(row["position"], row["slice"], row["bytes"]) for row in rows]

    async def rows(self, shard: int, positions: Sequence[int]) -> list[asyncpg.Record]:
        """Whole rows as the chain sees them, and the hash before each."""
        return await self._database.fetch(self._queries["rows"], shard, positions)

    async def plan(self, span: Span, key: Wrapped, lease: Lease) -> Stored:
        """A segment that is about to be written."""
        async with self._database.transaction() as connection:
            await self._fence(connection, lease)
            row = await connection.fetchrow(
                self._queries["plan"],
                *(span.name, span.shard, uuid.UUID(span.incarnation)),
                *(span.first_slice, span.last_slice, span.first_position, span.last_position),
                *(span.events, *key.kek, key.blob),
            )
        return _stored(row)

    async def drop_plan(self, number: int, lease: Lease) -> None:
        async with self._database.transaction() as connection:
            await self._fence(connection, lease)
            await connection.execute(self._queries["drop_plan"], number)

    async def written(
        self, number: int, size: int, sha256: bytes, manifest: pb.NewEvent, lease: Lease
    ) -> Stored:
        """The object is there, read back and verified; the log is to be told so."""
        async with self._database.transaction() as connection:
            await self._fence(connection, lease)
            row = await connection.fetchrow(
                self._queries["written"], number, size, sha256, manifest.SerializeToString()
            )
        return _stored(row)

    async def give_rows_up(
        self, segment: Stored, hashes: dict[int, bytes], told_at: int, lease: Lease
    ) -> bool:
        """Empty the rows that the log told of, all or none: False when they are not the ones that
        were archived."""
        with contextlib.suppress(_OtherRows):
            async with self._database.transaction() as connection:
                await self._fence(connection, lease)
                for some in _chunks(sorted(hashes)):
                    rows = await connection.fetch(
                        self._queries["give_up"], segment.span.shard, segment.number, some
                    )
                    if {row["position"]: row["hash"] for row in rows} != {
                        position: hashes[position] for position in some
                    }:
                        raise _OtherRows
                await connection.execute(self._queries["archived"], segment.number, told_at)
            return True
        return False

    async def take_rows_back(
        self, segment: Stored, contents: dict[int, Kept], told: pb.NewEvent, lease: Lease
    ) -> Stored:
        """Fill the rows again, all of them; the log is to be told so."""
        async with self._database.transaction() as connection:
            await self._fence(connection, lease)
            for some in _chunks(sorted(contents)):
                links = [contents[position].link for position in some]
                filled = await connection.execute(
                    self._queries["take_back"],
                    *(segment.span.shard, segment.number, some),
                    *([link.meta for link in links], [link.body for link in links]),
                )
                if filled != f"UPDATE {len(some)}":
                    raise Internal("rows changed while they were restored")
            row = await connection.fetchrow(
                self._queries["returned"], segment.number, told.SerializeToString()
            )
        return _stored(row)

    async def restored(self, number: int, told_at: int, lease: Lease) -> None:
        async with self._database.transaction() as connection:
            await self._fence(connection, lease)
            await connection.execute(self._queries["restored"], number, told_at)

    async def by_number(self, number: int) -> Stored | None:
        row = await self._database.fetchrow(self._queries["by_number"], number)
        return _stored(row) if row is not None else None

    async def by_name(self, shard: int, name: str) -> Stored | None:
        row = await self._database.fetchrow(self._queries["by_name"], shard, name)
        return _stored(row) if row is not None else None

    async def unfinished(self, shard: int) -> list[Stored]:
        return list(map(_stored, await self._database.fetch(self._queries["unfinished"], shard)))

    async def archived(self, shard: int, name: str, first: int, last: int) -> list[Stored]:
        """Those that hold a position of a range; with a name that one alone."""
        rows = await self._database.fetch(self._queries["overlapping"], shard, name, first, last)
        return list(map(_stored, rows))

    async def listed(self, shard: int, after: str, limit: int) -> list[Stored]:
        rows = await self._database.fetch(self._queries["listed"], shard, after, limit)
        return list(map(_stored, rows))

    async def any_archived(self) -> bool:
        return await self._database.fetchrow(self._queries["any"]) is not None

    async def keys(self, segments: Sequence[Stored]) -> list[bytes | KeyRefused]:
        """What opens them. Raises KeysUnavailable."""
        if not segments:
            return []
        answers = await self._wrapper.unwrap([segment.key for segment in segments])
        return [one if isinstance(one, KeyRefused) else one.secret for one in answers]

    async def find(self, number: int) -> Segment | None:
        """A segment with its key. Raises KeysUnavailable, ArchiveUnreadable when it is refused."""
        stored = await self.by_number(number)
        if stored is None or stored.state == "planned":
            return None
        (key,) = await self.keys([stored])
        if isinstance(key, KeyRefused):
            raise unreadable(stored.span.name, 0, "refused", key.detail)
        return Segment(stored.span, key, stored.size)

    async def keys_between(self, shard: int, first: int, last: int) -> dict[int, bytes | None]:
        """What opens the segments that hold a position of a range, by their numbers; None for one
        whose key is refused. Raises KeysUnavailable."""
        some = await self.archived(shard, "", first, last)
        keys = await self.keys(some)
        return {
            one.number: None if isinstance(key, KeyRefused) else key
            for one, key in zip(some, keys, strict=True)
        }

    async def _fence(self, connection: asyncpg.Connection, lease: Lease) -> None:
        held = await connection.fetchrow(self._queries["fence"], lease.shard, lease.holder)
        if held is None:
            raise LeaseLost("another replica archives the shard now")


def segment_context(name: str) -> str:
    """What a segment's key is bound to where it is wrapped: no patient's stream is empty."""
    return key_context("", name)


def span_of(row: asyncpg.Record) -> Span:
    return Span(
        row["name"],
        row["shard"],
        str(row["incarnation"]),
        *(row["first_slice"], row["last_slice"]),
        *(row["first_position"], row["last_position"], row["events"]),
    )


def _stored(row: asyncpg.Record) -> Stored:
    kek = Kek(row["kek_id"], row["kek_version"])
    return Stored(
        row["segment"],
        span_of(row),
        row["state"],
        Wrapped(segment_context(row["name"]), kek, row["wrapped"]),
        row["size"],
        row["sha256"] or b"",
        _event(row["manifest"]),
        _event(row["return_told"]),
        row["manifest_position"] or 0,
    )


def _event(told: bytes | None) -> pb.NewEvent | None:
    return pb.NewEvent.FromString(told) if told is not None else None


def _chunks(positions: Sequence[int]) -> Iterator[Sequence[int]]:
    for first in range(0, len(positions), ROWS_AT_ONCE):
        yield positions[first : first + ROWS_AT_ONCE]
