"""The lease that makes one replica a shard's leader."""

from __future__ import annotations

import uuid

from rehab_runtime.postgres import Database, Queries


class Lease:
    """Held by one replica at a time, but for a moment by two when the first one stalled: what is
    done under it must bear that. `address` is where the others reach the holder."""

    def __init__(self, database: Database, queries: Queries, shard: int, ttl_s: float) -> None:
        self._database = database
        self._queries = queries
        self._shard = shard
        self._ttl_s = ttl_s
        self._holder = uuid.uuid4()
        self._epoch: int | None = None

    @property
    def ttl_s(self) -> float:
        return self._ttl_s

    async def take(self, address: str) -> bool:
        """Whether the lease is this replica's now."""
        row = await self._database.fetchrow(
            self._queries["take_lease"], self._shard, self._holder, self._ttl_s, address
        )
        self._epoch = row["epoch"] if row is not None else None
        return row is not None

    async def keep(self, published: int, address: str) -> bool:
        """Prolong it, and tell how far the broker is; False when it was lost."""
        row = await self._database.fetchrow(
            self._queries["keep_lease"], self._shard, self._epoch, self._ttl_s, published, address
        )
        return row is not None

    async def give_up(self, published: int) -> None:
        if self._epoch is not None:
            await self._database.execute(
                self._queries["give_lease_up"], self._shard, self._epoch, published
            )
            self._epoch = None

    async def leader(self) -> str:
        """Where the holder is reached; empty when there is none or it does not say."""
        row = await self._database.fetchrow(self._queries["leader"], self._shard)
        return str(row["address"]) if row is not None else ""

    async def published(self) -> int:
        """How far the broker is, as the holder told last."""
        row = await self._database.fetchrow(self._queries["published"], self._shard)
        assert row is not None
        return int(row["published"])
