"""How far each device's stream is settled, in PostgreSQL."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from rehab_runtime.postgres import Database, Queries


@dataclass(frozen=True)
class Cursor:
    """A device's stream, settled up to `seq`."""

    owner: uuid.UUID
    clinic_id: str
    device_id: str
    seq: int
    position: int


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
        return None if row is None else Cursor(owner, clinic_id, device_id, row[0], row[1])

    async def flush(self, cursors: Sequence[Cursor]) -> set[uuid.UUID]:
        """Save cursors; the owners that still own theirs are returned."""
        rows = await self._database.fetch(
            self._queries["flush"],
            [cursor.owner for cursor in cursors],
            [cursor.clinic_id for cursor in cursors],
            [cursor.device_id for cursor in cursors],
            [cursor.seq for cursor in cursors],
            [cursor.position for cursor in cursors],
        )
        return {row[0] for row in rows}
