"""How far each device's stream is settled, in PostgreSQL."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from rehab_runtime.postgres import Database, Queries


@dataclass(frozen=True, slots=True)
class Place:
    """A position of a shard; 0 for none."""

    shard: int
    position: int


@dataclass(frozen=True)
class Cursor:
    """A device's stream, settled up to `seq`; the newest durable event stands at `place`."""

    owner: uuid.UUID
    clinic_id: str
    device_id: str
    seq: int
    place: Place


class Storage:
    def __init__(self, database: Database, queries: Queries) -> None:
        self._database = database
        self._queries = queries

    async def claim(
        self, owner: uuid.UUID, clinic_id: str, device_id: str, epoch: int, seq: int
    ) -> Cursor | None:
        """Take the stream over; None when a newer epoch is known."""
        row = await self._database.fetchrow(
            self._queries["claim"], clinic_id, device_id, epoch, seq, owner
        )
        if row is None:
            return None
        acked = Place(row["acked_shard"], row["acked_position"])
        return Cursor(owner, clinic_id, device_id, row["acked_seq"], acked)

    async def flush(self, cursors: Sequence[Cursor]) -> set[uuid.UUID]:
        """Save cursors; the owners that still own theirs are returned."""
        rows = await self._database.fetch(
            self._queries["flush"],
            [cursor.owner for cursor in cursors],
            [cursor.clinic_id for cursor in cursors],
            [cursor.device_id for cursor in cursors],
            [cursor.seq for cursor in cursors],
            [cursor.place.position for cursor in cursors],
            [cursor.place.shard for cursor in cursors],
        )
        return {row[0] for row in rows}
