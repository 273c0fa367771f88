"""Signing keys, sealed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import asyncpg

from rehab_identity.crypto.signing import SigningKey, done
from rehab_runtime.box import Box
from rehab_runtime.postgres import Database, Queries

CONTEXT = "signing key"


class SigningKeys:
    def __init__(self, database: Database, queries: Queries, box: Box) -> None:
        self._database = database
        self._queries = queries
        self._box = box

    async def all(self) -> Sequence[SigningKey]:
        """By when they begin to sign."""
        rows = await self._database.fetch(self._queries["signing_keys"])
        return [self._key(row) for row in rows]

    async def add(
        self,
        now: datetime,
        lead_s: float,
        *,
        unless_after: datetime | None = None,
        dropping_before: datetime,
    ) -> Sequence[SigningKey]:
        """One more key, which signs at once if it is the first; none if the newest was made after a
        time. Keys whose successor signed before another are dropped. All keys are returned."""
        async with self._database.transaction() as connection:
            await connection.execute(self._queries["lock_signing_keys"])
            rows = await connection.fetch(self._queries["signing_keys"])
            keys = [self._key(row) for row in rows]
            old = done(keys, dropping_before)
            await connection.execute(self._queries["drop_signing_keys"], old)
            keys = [key for key in keys if key.key_id not in old]
            newest = max((key.created_at for key in keys), default=None)
            if newest is not None and unless_after is not None and newest > unless_after:
                return keys
            # never before one that is told already: signing goes in the order of making
            last = max((key.signs_from for key in keys), default=now)
            lead = timedelta(seconds=lead_s if keys else 0)
            made = SigningKey.new(now, max(now + lead, last))
            await self._insert(connection, made)
            return [*keys, made]

    async def _insert(self, connection: asyncpg.Connection, key: SigningKey) -> None:
        await connection.execute(
            self._queries["add_signing_key"],
            *(key.key_id, key.created_at, key.signs_from, key.public),
            self._box.seal(key.secret, CONTEXT, key.key_id),
        )

    def _key(self, row: asyncpg.Record) -> SigningKey:
        secret = self._box.open(row["sealed"], CONTEXT, row["key_id"])
        return SigningKey(row["key_id"], row["created_at"], row["signs_from"], secret)
