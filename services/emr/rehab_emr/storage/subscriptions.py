"""Subscriptions of systems that pull: their events by number, and how far each has got."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import asyncpg

from rehab_emr.domain.keys import ResourceKey
from rehab_emr.storage.deliveries import CHANNEL
from rehab_runtime.errors import NotFound
from rehab_runtime.postgres import Database, Queries


@dataclass(frozen=True, slots=True)
class Subscription:
    """All events up to `accepted` were taken; those up to `sending` leave together, and have since
    `sending_since`. `token` is a keyed digest; `owner` notifies."""

    endpoint_id: str
    token: bytes = field(repr=False)
    events: int
    sending: int
    sending_since: datetime
    accepted: int
    accepted_at: datetime
    status: str
    failures: int
    owner: UUID | None


@dataclass(frozen=True, slots=True)
class Noted:
    """An event: a resource became known, or other. `digest` is keyed. Of one whose patient was
    erased nothing is left but the number and the time."""

    number: int
    at: datetime
    patient_id: str | None
    kind: str | None
    resource_id: str | None
    provenance_id: str | None
    digest: bytes | None = field(repr=False)
    amended: bool

    @property
    def key(self) -> ResourceKey | None:
        if self.kind is None or self.resource_id is None:
            return None
        return ResourceKey(self.kind, self.resource_id)


@dataclass(frozen=True, slots=True)
class New:
    """An event that gets the next number."""

    key: ResourceKey
    provenance_id: str | None
    digest: bytes = field(repr=False)
    amended: bool


class Subscriptions:
    """Raises Unavailable when PostgreSQL does not answer."""

    def __init__(self, database: Database, queries: Queries) -> None:
        self._database = database
        self._queries = queries

    async def open(self, endpoint_id: str, token: bytes) -> bool:
        """Whether it is new, and the token holds."""
        row = await self._database.fetchrow(self._queries["open"], endpoint_id, token)
        return bool(row is not None and row["is_new"])

    async def one(self, endpoint_id: str) -> Subscription:
        """Raises NotFound."""
        row = await self._database.fetchrow(self._queries["one"], endpoint_id)
        if row is None:
            raise NotFound("no such subscription")
        return _subscription(row)

    async def replace_token(self, endpoint_id: str, token: bytes) -> None:
        """Raises NotFound."""
        done = await self._database.execute(self._queries["token"], endpoint_id, token)
        if done != "UPDATE 1":
            raise NotFound("no such subscription")

    async def lock(self, connection: asyncpg.Connection, endpoint_id: str) -> tuple[int, int]:
        """How many events there are, and how many of them were accepted: it stays so until the
        transaction ends. Raises NotFound."""
        row = await connection.fetchrow(self._queries["lock"], endpoint_id)
        if row is None:
            raise NotFound("no such subscription")
        return row["events"], row["accepted"]

    async def latest(
        self, lane: tuple[str, str], keys: Sequence[ResourceKey]
    ) -> Mapping[ResourceKey, Noted]:
        """The last event of each of a patient's resources that has one."""
        rows = await self._database.fetch(self._queries["latest"], *lane, [key.id for key in keys])
        return {ResourceKey(row["kind"], row["resource_id"]): _noted(row) for row in rows}

    async def number(
        self,
        connection: asyncpg.Connection,
        lane: tuple[str, str],
        new: Sequence[New],
        last: int,
        again_from: int,
    ) -> None:
        """Numbers from `last` + 1 on, in their order; and events from `again_from` on are told
        again. In the transaction that locked it."""
        endpoint_id, patient_id = lane
        rows = [(*one.key, one.provenance_id, one.digest, one.amended) for one in new]
        if rows:
            columns = [list(column) for column in zip(*rows, strict=True)]
            told = (endpoint_id, last, patient_id, *columns)
            await connection.execute(self._queries["number"], *told)
        await connection.execute(self._queries["counted"], endpoint_id, len(rows), again_from)

    async def claim(self, endpoint_id: str, lease_s: float) -> Subscription | None:
        """Ours for `lease_s` when there is something to tell and nobody else does."""
        row = await self._database.fetchrow(self._queries["claim"], endpoint_id, uuid4(), lease_s)
        return _subscription(row) if row is not None else None

    async def hold_on(self, claimed: Subscription, lease_s: float) -> bool:
        """Whether it is still ours, from now on for so long."""
        told = (claimed.endpoint_id, claimed.owner, lease_s)
        return await self._database.execute(self._queries["hold_on"], *told) == "UPDATE 1"

    async def accept(self, claimed: Subscription) -> int | None:
        """What was sending was taken: how many deliveries are done by that. None when it is
        another's meanwhile, or is told again."""
        endpoint_id, sent = claimed.endpoint_id, claimed.sending
        async with self._database.transaction() as connection:
            told = (endpoint_id, claimed.owner, sent)
            if await connection.execute(self._queries["accept"], *told) != "UPDATE 1":
                return None
            told_of = (endpoint_id, claimed.accepted, sent)
            done = await connection.execute(self._queries["told"], *told_of)
            await connection.execute(self._queries["tell"], CHANNEL)
        return int(done.rpartition(" ")[2])

    async def release(
        self, claimed: Subscription, wait_s: float, threshold: int = 0, *, cut: bool = False
    ) -> None:
        """Not again before `wait_s`. With a threshold it counts as a failure, and from so many in a
        row on the status is error. `cut` makes anew what leaves together."""
        told = (claimed.endpoint_id, claimed.owner, wait_s, threshold, cut)
        await self._database.execute(self._queries["release"], *told)

    async def events(self, endpoint_id: str, first: int, last: int, most: int) -> Sequence[Noted]:
        told = (endpoint_id, first, last, most)
        return [_noted(row) for row in await self._database.fetch(self._queries["events"], *told)]

    async def search(
        self, lane: tuple[str, str], since: datetime, after: int, most: int
    ) -> Sequence[Noted]:
        """Observations of one patient, by their last events: later numbers than `after`."""
        told = (*lane, since, after, most)
        return [_noted(row) for row in await self._database.fetch(self._queries["search"], *told)]

    async def of_resource(self, endpoint_id: str, resource_id: str) -> Noted | None:
        return await self._of("of_resource", endpoint_id, resource_id)

    async def of_provenance(self, endpoint_id: str, provenance_id: str) -> Noted | None:
        return await self._of("of_provenance", endpoint_id, provenance_id)

    async def _of(self, query: str, *told: str) -> Noted | None:
        row = await self._database.fetchrow(self._queries[query], *told)
        return _noted(row) if row is not None else None


def _subscription(row: Any) -> Subscription:
    return Subscription(**{name: row[name] for name in Subscription.__dataclass_fields__})


def _noted(row: Any) -> Noted:
    return Noted(**{name: row[name] for name in Noted.__dataclass_fields__})
