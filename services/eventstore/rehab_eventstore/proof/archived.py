"""Events of a walk that are in the archive: their rows are filled from there, as they were."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import asyncpg

from rehab_eventstore.archive.form import Segment
from rehab_eventstore.archive.library import Library, Wanted, unreadable
from rehab_eventstore.archive.objects import objects_of
from rehab_eventstore.proof.finding import Damage, Finding
from rehab_eventstore.storage.segments import span_of
from rehab_runtime.errors import ArchiveUnreadable, Unavailable
from rehab_runtime.postgres import Queries

CACHE_BYTES = 32_000_000
"""A walk reads each frame of every run of slices side by side, and none twice."""


class Locked(Exception):
    """Events were archived after the keys for the walk had been gathered."""


@dataclass(frozen=True)
class ArchiveKeys:
    """What opens segments: keys by their numbers, None for one that is refused. They pass to a
    process of our own over a pipe, and end with it: there is nothing to ask for them there."""

    url: str = ""
    keys: Mapping[int, bytes | None] = field(default_factory=dict, repr=False)


NO_ARCHIVE = ArchiveKeys()


class ArchivedRows:
    def __init__(self, connection: asyncpg.Connection, archive: ArchiveKeys) -> None:
        self._connection = connection
        self._by_number = Queries.load("rehab_eventstore", "archive.sql")["by_number"]
        self._turn = asyncio.Lock()
        self._archive = archive
        objects = objects_of(archive.url) if archive.url else None
        self._library = Library(objects, self._find, cache_bytes=CACHE_BYTES)

    async def filled(
        self, rows: Sequence[asyncpg.Record]
    ) -> tuple[Sequence[Mapping[str, Any]], Finding | None]:
        """The rows with their contents; where the archive does not give them, those before, and
        what is wrong. Raises Locked, Unavailable."""
        wanted = [
            Wanted(row["segment"], row["position"], row["hash"])
            for row in rows
            if row["segment"] is not None
        ]
        if not wanted:
            return rows, None
        broken = None
        while wanted:
            try:
                kept = await self._library.events(wanted)
                break
            except ArchiveUnreadable as error:
                broken = _finding(error)
                wanted = [one for one in wanted if one.position < broken.position]
        else:
            kept = {}
        filled: list[Mapping[str, Any]] = []
        for row in rows:
            if broken is not None and row["position"] >= broken.position:
                break
            one = kept.get(row["position"]) if row["segment"] is not None else None
            contents = {} if one is None else {"meta": one.link.meta, "body": one.link.body}
            filled.append({**row, **contents})
        return filled, broken

    async def _find(self, number: int) -> Segment | None:
        # a connection takes one question at a time, the library asks of several segments at once
        async with self._turn:
            row = await self._connection.fetchrow(self._by_number, number)
        if row is None:
            return None
        if number not in self._archive.keys:
            raise Locked
        key = self._archive.keys[number]
        if key is None:
            raise unreadable(row["name"], 0, "refused", "its key cannot be had")
        return Segment(span_of(row), key, row["size"])


def _finding(error: ArchiveUnreadable) -> Finding:
    """What is away may come back: it says nothing of the log."""
    if error.metadata["trouble"] == "away":
        raise Unavailable(error.detail)
    message = f"the event is archived, and its object cannot be read: {error.detail}"
    return Finding(int(error.metadata["position"]), Damage.ARCHIVE, message)
