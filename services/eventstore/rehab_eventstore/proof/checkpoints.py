"""Signed statements of where a shard's chain stood: what they cover can no longer be changed,
reordered or cut off unnoticed."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg

from rehab_eventstore.domain.head import Head
from rehab_eventstore.proof.signing import Signer
from rehab_runtime.clock import Clock
from rehab_runtime.errors import RehabError
from rehab_runtime.postgres import Database, Queries
from rehab_runtime.signed import checkpoint_message, is_signed, key_id_of

LOOK_S = 1.0


@dataclass(frozen=True)
class Checkpoint:
    """`public_key` is what the database says of `key_id`; empty when it says nothing."""

    shard: int
    incarnation: str
    position: int
    hash: bytes
    signed_at: datetime
    key_id: str
    signature: bytes
    public_key: bytes

    @property
    def message(self) -> bytes:
        """What is signed."""
        return checkpoint_message(
            self.shard, self.incarnation, self.position, self.hash, self.signed_at
        )

    def holds(self) -> bool:
        """Whether it is signed by the key that it names."""
        return (
            self.position > 0
            and self.key_id == key_id_of(self.public_key)
            and is_signed(self.public_key, self.message, self.signature)
        )


def checkpoint_of(row: asyncpg.Record) -> Checkpoint:
    return Checkpoint(
        row["shard"],
        str(row["incarnation"]),
        row["position"],
        row["hash"],
        row["signed_at"],
        row["key_id"],
        row["signature"],
        row["public_key"] or b"",
    )


class Checkpoints:
    """Every method raises Unavailable when PostgreSQL does not answer."""

    def __init__(self, database: Database, queries: Queries) -> None:
        self._database = database
        self._queries = queries

    async def newest(self, head: Head) -> tuple[int, datetime | None]:
        """Where and when the last one of this log was signed."""
        row = await self._database.fetchrow(
            self._queries["newest"], head.shard, UUID(head.incarnation)
        )
        return (row["position"], row["signed_at"]) if row is not None else (0, None)

    async def listed(self, shard: int, limit: int) -> Sequence[Checkpoint]:
        rows = await self._database.fetch(self._queries["listed"], shard, limit)
        return [checkpoint_of(row) for row in rows]

    async def sign(self, head: Head, signer: Signer, at: datetime) -> Checkpoint:
        """Sign where the log stands. One of that position that is there already stays."""
        message = checkpoint_message(head.shard, head.incarnation, head.position, head.hash, at)
        made = Checkpoint(
            head.shard,
            head.incarnation,
            head.position,
            head.hash,
            at,
            signer.key_id,
            signer.sign(message),
            signer.public_key,
        )
        async with self._database.transaction() as connection:
            await connection.execute(self._queries["add_key"], signer.key_id, signer.public_key)
            await connection.execute(
                self._queries["add"],
                made.shard,
                made.position,
                UUID(made.incarnation),
                made.hash,
                made.signed_at,
                made.key_id,
                made.signature,
            )
        return made


@dataclass(frozen=True)
class Pace:
    """A checkpoint is signed after so many events, or so many seconds if there was one event."""

    events: int
    seconds: float


class Signing:
    """Signs one shard's checkpoints while this replica leads it."""

    def __init__(
        self,
        look: Callable[[], Awaitable[Head]],
        leads: Callable[[], bool],
        checkpoints: Checkpoints,
        signer: Signer,
        clock: Clock,
        pace: Pace,
    ) -> None:
        self._look = look
        self._leads = leads
        self._checkpoints = checkpoints
        self._signer = signer
        self._clock = clock
        self._pace = pace

    async def run(self) -> None:
        """For ever; what fails is tried again."""
        while True:
            if self._leads():
                with contextlib.suppress(RehabError):
                    await self.sign_if_due()
            await asyncio.sleep(min(LOOK_S, self._pace.seconds))

    async def sign_if_due(self) -> None:
        head = await self._look()
        position, signed_at = await self._checkpoints.newest(head)
        fresh = head.position - position
        if fresh <= 0:
            return
        now = self._clock.now()
        age_s = (now - signed_at).total_seconds() if signed_at is not None else self._pace.seconds
        # one of the future was signed by a clock that was wrong
        if fresh >= self._pace.events or not 0 <= age_s < self._pace.seconds:
            await self._checkpoints.sign(head, self._signer, now)
