"""Deliveries: every resource on its way to an endpoint, and what became of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import asyncpg

from rehab_emr.domain.keys import ResourceKey
from rehab_runtime.postgres import Database, Queries

CHANNEL = "emr_deliveries"
"""Told when deliveries changed."""
PENDING, HELD, UNMATCHED, DELIVERED, DEAD = "pending", "held", "unmatched", "delivered", "dead"
TO_BE_NOTIFIED = "to_be_notified"
"""The reason of what has its number, and waits to be told of."""

NO_CONSENT, NOT_MATCHED = "no_consent", "patient_not_matched"
STATES = {"": PENDING, NO_CONSENT: HELD, NOT_MATCHED: UNMATCHED}
"""By why all of a lane wait."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One resource on its way. `digest` is keyed, of what the receiver was told last; `accepted`
    says that it stored that, `amended` that it may have something else."""

    endpoint_id: str
    patient_id: str
    kind: str
    resource_id: str
    position: int
    state: str
    reason: str
    attempts: int
    next_at: datetime
    disclosed_at: datetime | None
    digest: bytes | None = field(repr=False)
    accepted: bool
    amended: bool
    remote: str
    remote_version: str
    outcome: bytes | None = field(repr=False)
    change: int
    changed_at: datetime

    @property
    def key(self) -> ResourceKey:
        return ResourceKey(self.kind, self.resource_id)


@dataclass(frozen=True, slots=True)
class Planned:
    key: ResourceKey
    position: int
    ready_at: datetime


@dataclass(frozen=True, slots=True)
class Ended:
    """What became of one: pending again in `retry_s` seconds, delivered, or dead."""

    key: ResourceKey
    state: str
    reason: str = ""
    remote: str = ""
    remote_version: str = ""
    accepted: bool = False
    outcome: bytes | None = field(default=None, repr=False)
    retry_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Wanted:
    clinic_id: str
    endpoint_id: str = ""
    patient_id: str = ""
    state: str = ""


class Deliveries:
    """Raises Unavailable when PostgreSQL does not answer."""

    def __init__(self, database: Database, queries: Queries) -> None:
        self._database = database
        self._queries = queries

    async def plan(
        self,
        connection: asyncpg.Connection,
        lane: tuple[str, str],
        planned: Sequence[Planned],
        held: str,
    ) -> None:
        """With why the others of the lane wait, empty while they go."""
        if planned:
            rows = [(*one.key, one.position, one.ready_at) for one in planned]
            columns = [list(column) for column in zip(*rows, strict=True)]
            state = STATES[held]
            await connection.execute(self._queries["plan"], *lane, *columns, state, held)

    async def waiting(self, lane: tuple[str, str], most: int) -> Sequence[Delivery]:
        rows = await self._database.fetch(self._queries["waiting"], *lane, most)
        return [_delivery(row) for row in rows]

    async def to_come(self, lane: tuple[str, str], most: int) -> Sequence[Delivery]:
        rows = await self._database.fetch(self._queries["to_come"], *lane, most)
        return [_delivery(row) for row in rows]

    async def next_in_s(self, lane: tuple[str, str]) -> float | None:
        row = await self._database.fetchrow(self._queries["next_at"], *lane)
        return float(row["due_in"]) if row is not None and row["due_in"] is not None else None

    async def hold(
        self, connection: asyncpg.Connection, lane: tuple[str, str], reason: str
    ) -> None:
        await connection.execute(self._queries["hold"], *lane, STATES[reason], reason)
        await connection.execute(self._queries["told"], CHANNEL)

    async def note(self, lane: tuple[str, str], reason: str) -> None:
        """Why what is due still waits."""
        await self._database.execute(self._queries["note"], *lane, reason)
        await self._tell()

    async def let_go(
        self, connection: asyncpg.Connection, lane: tuple[str, str], *, uncovered: bool
    ) -> None:
        """What no consent covered only where it is `uncovered`: another one may cover it now."""
        await connection.execute(self._queries["let_go"], *lane, uncovered)
        await connection.execute(self._queries["told"], CHANNEL)

    async def disclosing(
        self,
        connection: asyncpg.Connection,
        lane: tuple[str, str],
        told: Sequence[tuple[ResourceKey, bytes, bool]],
    ) -> dict[ResourceKey, datetime]:
        """Keys with digests and whether they amend: since when each is on its way."""
        columns = [
            [*column] for column in zip(*((*key, *rest) for key, *rest in told), strict=True)
        ]
        rows = await connection.fetch(self._queries["disclosing"], *lane, *columns)
        return {ResourceKey(row["kind"], row["resource_id"]): row["disclosed_at"] for row in rows}

    async def numbered(
        self,
        connection: asyncpg.Connection,
        lane: tuple[str, str],
        told: Sequence[tuple[ResourceKey, bytes, bool]],
    ) -> None:
        """Keys with digests and whether they amend: they wait to be told of."""
        if told:
            columns = [
                [*column] for column in zip(*((*key, *rest) for key, *rest in told), strict=True)
            ]
            await connection.execute(self._queries["numbered"], *lane, *columns)

    async def stayed(
        self, connection: asyncpg.Connection, lane: tuple[str, str], before: Sequence[Delivery]
    ) -> None:
        """They did not leave: as they were."""
        rows = [
            (*one.key, one.digest, one.amended, one.accepted, one.disclosed_at) for one in before
        ]
        columns = [list(column) for column in zip(*rows, strict=True)]
        await connection.execute(self._queries["stayed"], *lane, *columns)

    async def ended(
        self,
        connection: asyncpg.Connection,
        lane: tuple[str, str],
        ends: Sequence[Ended],
        nothing: Sequence[ResourceKey] = (),
    ) -> None:
        """Of `nothing` there is nothing to tell."""
        rows = [
            (
                *(*lane, *end.key, end.state, end.reason, end.remote, end.remote_version),
                *(end.accepted, end.outcome, end.retry_s),
            )
            for end in ends
        ]
        if rows:
            await connection.executemany(self._queries["ended"], rows)
        dropped = [(*lane, *key) for key in nothing]
        if dropped:
            await connection.executemany(self._queries["drop"], dropped)
        await connection.execute(self._queries["told"], CHANNEL)

    async def known(self, lane: tuple[str, str]) -> dict[ResourceKey, str]:
        """What the receiver has of the patient, by its own references."""
        rows = await self._database.fetch(self._queries["known"], *lane)
        return {ResourceKey(row["kind"], row["resource_id"]): row["remote"] for row in rows}

    async def replay(
        self,
        endpoint_id: str,
        patient_id: str,
        kind: str,
        positions: tuple[int, int],
        *,
        delivered: bool,
    ) -> int:
        """How many are sent again."""
        async with self._database.transaction() as connection:
            told = (endpoint_id, patient_id, kind, *positions, delivered)
            rows = await connection.fetch(self._queries["replay"], *told)
            patients = sorted({row["patient_id"] for row in rows})
            await connection.execute(self._queries["wake"], endpoint_id, patients)
            await connection.execute(self._queries["told"], CHANNEL)
        return len(rows)

    async def one(self, lane: tuple[str, str], key: ResourceKey) -> Delivery | None:
        row = await self._database.fetchrow(self._queries["one"], *lane, *key)
        return _delivery(row) if row is not None else None

    async def page(self, wanted: Wanted, before: int | None, limit: int) -> Sequence[Delivery]:
        told = (wanted.clinic_id, wanted.endpoint_id, wanted.patient_id, wanted.state)
        rows = await self._database.fetch(self._queries["page"], *told, before, limit)
        return [_delivery(row) for row in rows]

    async def changed(self, wanted: Wanted, within_s: float, limit: int) -> Sequence[Delivery]:
        """The latest of those changed lately, oldest first."""
        told = (wanted.clinic_id, wanted.endpoint_id, within_s, limit)
        rows = await self._database.fetch(self._queries["changed"], *told)
        return [_delivery(row) for row in reversed(rows)]

    async def counts(self, clinic_id: str) -> Sequence[Any]:
        return await self._database.fetch(self._queries["counts"], clinic_id)

    async def _tell(self) -> None:
        await self._database.execute(self._queries["told"], CHANNEL)


def _delivery(row: Any) -> Delivery:
    return Delivery(**{name: row[name] for name in Delivery.__dataclass_fields__})
