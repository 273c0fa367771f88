"""Lanes: one patient's way to one endpoint, owned by one sender at a time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import asyncpg

from rehab_runtime.errors import NotFound
from rehab_runtime.positions import Positions
from rehab_runtime.postgres import Database, Queries


class LostLane(Exception):
    """Its lease ended: another one may be sending."""


@dataclass(frozen=True, slots=True)
class Lane:
    """As it was claimed by `owner`. `planned` is the version of the stream up to which there are
    deliveries; `link` the patient at the receiver, sealed."""

    endpoint_id: str
    patient_id: str
    planned: int
    wakes: int
    failures: int
    link: bytes | None = field(repr=False)
    held: str
    """Why all of its deliveries wait; empty while they go."""
    consents: int
    """How many had begun when it was last looked what they cover."""
    sought_s: float | None
    """How long ago the receiver did not know the patient."""
    is_probe: bool
    """It was let through by an open breaker."""
    owner: UUID

    @property
    def key(self) -> tuple[str, str]:
        return self.endpoint_id, self.patient_id

    @property
    def claimed(self) -> tuple[str, str, UUID]:
        return self.endpoint_id, self.patient_id, self.owner


class Lanes:
    """Raises Unavailable when PostgreSQL does not answer."""

    def __init__(self, database: Database, queries: Queries) -> None:
        self.positions = Positions(database, "log_position")
        self.database = database
        self._queries = queries

    async def wake_patients(
        self,
        connection: asyncpg.Connection,
        patients: Mapping[str, tuple[str, int]],
        news: Iterable[str],
        after_s: float,
    ) -> None:
        """Patients by id with clinic and version of their streams; those with `news` are looked at
        in so many seconds. In the order of ids, so that two folds do not wait for each other."""
        rows = sorted((patient, *told) for patient, told in patients.items())
        columns = [list(column) for column in zip(*rows, strict=True)]
        await connection.execute(self._queries["patients"], *columns)
        await connection.execute(self._queries["wake_patients"], sorted(news), after_s)

    async def erase(self, connection: asyncpg.Connection, patients: Sequence[str]) -> None:
        await connection.execute(self._queries["erase"], patients)
        await connection.execute(self._queries["erase_events"], patients)
        await connection.execute(self._queries["erase_patients"], patients)

    async def open_lanes(self, endpoint_id: str) -> None:
        await self.database.execute(self._queries["open_lanes"], endpoint_id)

    async def claim(
        self, endpoint_id: str, most: int, lease_s: float, threshold: int
    ) -> Sequence[Lane]:
        """At most so many lanes that are due, now ours for `lease_s`; one only while the endpoint
        failed `threshold` times in a row."""
        owner = uuid4()
        async with self.database.transaction() as connection:
            told = (endpoint_id, most, owner, lease_s, threshold)
            rows = await connection.fetch(self._queries["claim"], *told)
            if any(row["is_probe"] for row in rows):
                await connection.execute(self._queries["probe"], endpoint_id, lease_s, threshold)
        return [Lane(**dict(row), owner=owner) for row in rows]

    async def hold_on(self, lane: Lane, lease_s: float) -> None:
        """Raises LostLane."""
        done = await self.database.execute(self._queries["hold_on"], *lane.claimed, lease_s)
        if done != "UPDATE 1":
            raise LostLane

    @asynccontextmanager
    async def owned(self, lane: Lane) -> Any:
        """A transaction in which the lane is ours. Raises LostLane."""
        async with self.database.transaction() as connection:
            if await connection.fetchrow(self._queries["owns"], *lane.claimed) is None:
                raise LostLane
            yield connection

    async def planned(self, connection: asyncpg.Connection, lane: Lane, version: int) -> None:
        await connection.execute(self._queries["planned"], *lane.claimed, version)

    async def stands(
        self, connection: asyncpg.Connection, lane: Lane, held: str, consents: int
    ) -> None:
        await connection.execute(self._queries["stands"], *lane.claimed, held, consents)

    async def sought(self, lane: Lane) -> None:
        await self.database.execute(self._queries["sought"], *lane.claimed)

    async def release(
        self,
        lane: Lane,
        due_in_s: float | None,
        failures: int = 0,
        wait_s: float = 0.0,
        quiet_s: float = 0.0,
    ) -> None:
        """Due again then, never without, or when something wakes it; but not before `wait_s`, which
        a person may cut short, nor before `quiet_s`, which nobody can."""
        told = (lane.wakes, due_in_s, failures, wait_s, quiet_s)
        await self.database.execute(self._queries["release"], *lane.claimed, *told)

    async def wake(self, endpoint_id: str, patient_id: str = "") -> None:
        await self.database.execute(self._queries["wake_lanes"], endpoint_id, patient_id)

    async def link(self, endpoint_id: str, patient_id: str, sealed: bytes) -> None:
        await self.database.execute(self._queries["link"], endpoint_id, patient_id, sealed)

    async def link_found(self, lane: Lane, sealed: bytes) -> None:
        await self.database.execute(self._queries["link_found"], *lane.claimed, sealed)

    async def linked(self, endpoint_id: str, patient_id: str) -> bytes | None:
        row = await self.database.fetchrow(self._queries["linked"], endpoint_id, patient_id)
        return row["link"] if row is not None else None

    async def clinic_of(self, patient_id: str) -> str:
        """Raises NotFound."""
        row = await self.database.fetchrow(self._queries["patient"], patient_id)
        if row is None:
            raise NotFound("no such patient")
        return str(row["clinic_id"])
