"""What is folded, in PostgreSQL: the position is saved with its effect."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg

from rehab.events.v1.event_pb2 import RecordedEvent
from rehab_identity.domain.accesses import Entry
from rehab_identity.domain.fold import Changes
from rehab_identity.domain.record import PatientRecord
from rehab_identity.facts.codec import dump_record, load_record
from rehab_runtime.positions import Cursor, Positions
from rehab_runtime.postgres import Database, Queries

CHANNEL = "identity_access"
TOLD_AT_ONCE = 100
"""A notification holds less than 8,000 bytes, an id at most 64 and its quotes."""
UNSTORABLE = (asyncpg.DataError, OverflowError, UnicodeEncodeError)


class UnstorableError(Exception):
    """What an event tells is nothing that PostgreSQL can keep."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept of an id. `clinic_id` is that of its account, when it is a patient's."""

    record: PatientRecord | None
    clinic_id: str


@dataclass(frozen=True, slots=True)
class Taken:
    """Emergency access as those who review it see it."""

    grant_id: str
    patient_id: str
    clinic_id: str
    principal_id: str
    reason: str
    taken_at: datetime
    expires_at: datetime
    reviewed_at: datetime | None
    reviewed_by: str
    finding: str


class Storage:
    def __init__(self, database: Database, queries: Queries) -> None:
        self.positions = Positions(database, "fact_cursor")
        self._database = database
        self._queries = queries

    async def kept(self, patient_ids: Sequence[str]) -> Mapping[str, Kept]:
        rows = await self._database.fetch(self._queries["records"], patient_ids)
        return {
            row["patient_id"]: Kept(
                load_record(row["record"]) if row["record"] is not None else None,
                row["clinic_id"],
            )
            for row in rows
        }

    async def account(self, account_id: str) -> tuple[str, str] | None:
        """Clinic and role of an account; None when there is none."""
        row = await self._database.fetchrow(self._queries["account"], account_id)
        return (row["clinic_id"], row["role"]) if row is not None else None

    async def save(
        self, cursor: Cursor, batch: Sequence[RecordedEvent], changes: Changes
    ) -> Cursor:
        """The cursor after the batch. Raises FencedError when it is not where it is believed to
        be, UnstorableError when the changes cannot be kept."""
        async with self._database.transaction() as connection:
            reached = await self.positions.advance(connection, cursor, batch)
            try:
                await self._save(connection, changes)
            except UNSTORABLE as error:
                raise UnstorableError(type(error).__name__) from None
        return reached

    async def _save(self, connection: asyncpg.Connection, changes: Changes) -> None:
        if changes.records:
            await self._save_records(connection, changes.records)
        if changes.erased:
            await self._purge(connection, changes.erased)
        if changes.entries:
            await self._save_entries(connection, changes.entries)

    async def _save_records(
        self, connection: asyncpg.Connection, records: Sequence[PatientRecord]
    ) -> None:
        rows = [(one.patient_id, one.clinic_id, one.erased_at, dump_record(one)) for one in records]
        # entries come from other shards: those being saved either see the patient or are claimed
        await connection.execute(self._queries["own_entries"])
        await connection.execute(self._queries["save_records"], *_columns(rows, 4))
        await connection.execute(self._queries["claim_entries"], [one[0] for one in rows])
        await self._save_derived(connection, records)

    async def unreadable(self) -> Sequence[tuple[str, int]]:
        """Patients of whom an event could not be read, and the versions of their records."""
        rows = await self._database.fetch(self._queries["unreadable"])
        return [(row["patient_id"], row["version"]) for row in rows]

    async def mend(self, record: PatientRecord) -> bool:
        """Store the record in the place of one of the same version; False when there is none, or
        when it is not to be kept."""
        told = (record.patient_id, dump_record(record), record.version, record.erased_at)
        async with self._database.transaction() as connection:
            await connection.execute(self._queries["own_entries"])
            try:
                if await connection.execute(self._queries["mend"], *told) != "UPDATE 1":
                    return False
                await self._save_derived(connection, [record])
            except UNSTORABLE:
                return False
        return True

    async def _save_derived(
        self, connection: asyncpg.Connection, records: Sequence[PatientRecord]
    ) -> None:
        """What follows from records: the queue of reviews, and the news of the change."""
        taken = [
            (
                *(one.grant_id, record.patient_id, record.clinic_id, one.principal_id, one.reason),
                *(one.since, one.over_at, one.reviewed_at, one.reviewed_by, one.finding),
            )
            for record in records
            for one in record.emergencies
        ]
        if taken:
            await connection.execute(self._queries["save_emergencies"], *_columns(taken, 10))
            await connection.execute(self._queries["add_notices"], *_columns(_notices(records), 9))
        names = [one.patient_id for one in records]
        pages = [names[at : at + TOLD_AT_ONCE] for at in range(0, len(names), TOLD_AT_ONCE)]
        told = [json.dumps({"patients": page}, separators=(",", ":")) for page in pages]
        await connection.execute(self._queries["tell"], told)

    async def _purge(self, connection: asyncpg.Connection, erased: Sequence[str]) -> None:
        await connection.execute(self._queries["purge_entries"], erased)
        await connection.execute(self._queries["purge_emergencies"], erased)
        await connection.execute(self._queries["purge_notices"], erased)

    async def _save_entries(self, connection: asyncpg.Connection, entries: Sequence[Entry]) -> None:
        rows = [
            (
                *(one.patient_id, one.at, one.event_id, one.actor_id, one.role, one.rpc),
                *(one.allowed, one.reason, one.purpose, one.consent_id, one.covered_until),
                one.clinic_id,
            )
            for one in entries
        ]
        await connection.execute(self._queries["share_entries"])
        await connection.execute(self._queries["save_entries"], *_columns(rows, 12))

    async def entries(
        self,
        patient_id: str,
        since: datetime | None,
        until: datetime | None,
        after: tuple[datetime, str] | None,
        limit: int,
    ) -> Sequence[Entry]:
        """Newest first, after a place in that order."""
        place = after or (None, None)
        rows = await self._database.fetch(
            self._queries["entries"], patient_id, since, until, *place, limit
        )
        return [entry_of(row) for row in rows]

    async def emergencies(
        self, clinic_id: str, after: tuple[datetime, str] | None, limit: int, *, unreviewed: bool
    ) -> Sequence[Taken]:
        """Newest first, after a place in that order."""
        query = "emergencies_unreviewed" if unreviewed else "emergencies"
        place = after or (None, None)
        rows = await self._database.fetch(self._queries[query], clinic_id, *place, limit)
        return [Taken(**row) for row in rows]

    async def emergency(self, grant_id: str) -> Taken | None:
        row = await self._database.fetchrow(self._queries["emergency"], grant_id)
        return Taken(**row) if row is not None else None

    async def overdue(self, before: datetime) -> int:
        """Emergency access taken before, and not reviewed."""
        row = await self._database.fetchrow(self._queries["overdue"], before)
        return int(row["count"]) if row is not None else 0


def entry_of(row: asyncpg.Record) -> Entry:
    return Entry(**{**row, "event_id": str(row["event_id"])})


def _notices(records: Sequence[PatientRecord]) -> list[tuple[Any, ...]]:
    """Of emergency access, with who treats the patient."""
    return [
        (
            *(one.grant_id, record.patient_id, record.clinic_id, one.principal_id, one.reason),
            *(one.since, one.over_at, one.told_at),
            json.dumps([care.therapist_id for care in record.team if care.until is None]),
        )
        for record in records
        for one in record.emergencies
    ]


def _columns(rows: Sequence[tuple[Any, ...]], width: int) -> list[list[Any]]:
    return [[row[column] for row in rows] for column in range(width)]
