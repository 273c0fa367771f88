"""Streams that are held back: seen to by an operator."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from rehab_projections.changes import Parked
from rehab_projections.storage.cursors import NAME, cursors_of
from rehab_runtime.errors import NotFound
from rehab_runtime.postgres import Database, Queries
from rehab_runtime.slices import shard_of


@dataclass(frozen=True)
class HeldBack:
    """A stream, and since when."""

    parked: Parked
    shard: int
    since: datetime


class ParkedStreams:
    """`begin_again` lets a shard's fold try once more what it holds back."""

    def __init__(
        self,
        database: Database,
        queries: Queries,
        begin_again: Callable[[int], Awaitable[None]],
    ) -> None:
        self._database = database
        self._queries = queries
        self._begin_again = begin_again

    async def all(self) -> list[HeldBack]:
        """Those held back first at first."""
        shards = len(cursors_of(await self._database.fetch(self._queries["projection"], NAME)))
        return [
            HeldBack(
                Parked(row["patient_id"], row["position"], row["event_id"], row["reason"]),
                shard_of(row["patient_id"], shards),
                row["parked_at"],
            )
            for row in await self._database.fetch(self._queries["parked_since"])
        ]

    async def retry(self, patient_id: str) -> tuple[int, int]:
        """Try one stream again, or all when none is named: how many go on, and how many are held
        back still. Raises NotFound."""
        before = await self._held(patient_id)
        for shard in sorted({one.shard for one in before}):
            await self._begin_again(shard)
        names = {one.parked.patient_id for one in before}
        still = [one for one in await self.all() if one.parked.patient_id in names]
        return len(before) - len(still), len(still)

    async def skip(self, patient_id: str, reason: str, by: str) -> tuple[str, bool]:
        """Pass over the event that holds a stream back, for good. Its id, and whether the stream
        goes on. Raises NotFound."""
        (held,) = await self._held(patient_id)
        event_id = held.parked.event_id
        await self._database.execute(self._queries["skip"], patient_id, event_id, reason, by)
        released, _ = await self.retry(patient_id)
        return event_id, released == 1

    async def _held(self, patient_id: str) -> list[HeldBack]:
        held = [one for one in await self.all() if patient_id in ("", one.parked.patient_id)]
        if patient_id and not held:
            raise NotFound("a stream that is not held back")
        return held
