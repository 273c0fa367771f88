"""A whole object, held against the rows that it was made of or stands in for."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import asyncpg

from rehab_eventstore.archive.form import Damaged, Kept, Segment, Span, kept_of
from rehab_eventstore.archive.library import unreadable
from rehab_eventstore.archive.objects import Away, Missing, Objects, digest
from rehab_eventstore.proof.walk import link_of_row, occurred_of_row
from rehab_eventstore.storage.segments import Segments, Stored

ROWS_AT_ONCE = 500


@dataclass(frozen=True)
class Whole:
    """An object that was read and verified."""

    contents: dict[int, Kept]
    size: int
    sha256: bytes

    @property
    def hashes(self) -> tuple[bytes, bytes]:
        return self.contents[min(self.contents)].hash, self.contents[max(self.contents)].hash


class Checker:
    """Raises ArchiveUnreadable for an object that is not what it should be, Unavailable when
    PostgreSQL does not answer."""

    def __init__(self, segments: Segments, objects: Objects) -> None:
        self._segments = segments
        self._objects = objects

    async def read(self, segment: Stored, key: bytes, *, slim: bool) -> Whole:
        """The whole object, each row of it held against the table's. `slim` says that those have
        given their contents up to it."""
        span = segment.span
        try:
            whole = await self._objects.whole(span.path)
            sha256 = await asyncio.to_thread(digest, whole)
            if segment.sha256 not in (b"", sha256):
                raise Damaged("it is not the object that the manifest tells of")
            contents = await asyncio.to_thread(_opened, span, key, whole)
            await self._compare(segment, contents, slim=slim)
        except Missing:
            raise unreadable(span.name, span.first_position, "missing") from None
        except Damaged as error:
            raise unreadable(span.name, span.first_position, "damaged", error.what) from None
        except Away as error:
            raise unreadable(span.name, span.first_position, "away", str(error)) from None
        return Whole(contents, len(whole), sha256)

    async def _compare(self, segment: Stored, contents: dict[int, Kept], *, slim: bool) -> None:
        number = segment.number if slim else None
        for some in chunks(sorted(contents)):
            rows = await self._segments.rows(segment.span.shard, some)
            if [row["position"] for row in rows] != list(some):
                raise Damaged("the table holds other positions")
            # off the loop: others append meanwhile
            await asyncio.to_thread(_hold_against, rows, segment.span.shard, number, contents)


def _hold_against(
    rows: Sequence[asyncpg.Record], shard: int, number: int | None, contents: dict[int, Kept]
) -> None:
    """Rows that stand for a segment of this number, or are whole without one, are those that are
    in it. Raises Damaged."""
    for row in rows:
        kept = contents[row["position"]]
        if row["segment"] != number:
            raise Damaged(f"position {row['position']} is not in the state that it was")
        link = link_of_row(row, shard)
        if number is not None:
            stored = kept.link
            link = link._replace(meta=stored.meta, body=stored.body)
        if kept_of(link, occurred_of_row(row), row["hash"]) != kept:
            raise Damaged(f"position {row['position']} is another event in the table")


def _opened(span: Span, key: bytes, whole: bytes) -> dict[int, Kept]:
    contents = dict(Segment(span, key, len(whole)).open_all(whole))
    if (min(contents), max(contents)) != (span.first_position, span.last_position):
        raise Damaged("it holds other positions than its name says")
    return contents


def chunks(positions: Sequence[int]) -> Iterator[Sequence[int]]:
    for first in range(0, len(positions), ROWS_AT_ONCE):
        yield positions[first : first + ROWS_AT_ONCE]
