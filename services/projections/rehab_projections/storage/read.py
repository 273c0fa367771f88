"""Reads of the read models, each from one snapshot together with the positions it reflects."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

import asyncpg
from rehab_clinical.facts import Fact, fact_of
from rehab_clinical.sessions import SetRecord

from rehab_projections.domain.monitoring import Mark
from rehab_projections.domain.work_queue import Standing
from rehab_projections.storage.codec import (
    Summary,
    load_event,
    load_set,
    load_standing,
    load_summary,
)
from rehab_projections.storage.cursors import NAME, Cursors, cursors_of
from rehab_runtime.postgres import Database, Queries


@dataclass(frozen=True, slots=True)
class Patient:
    """Whose patient it is, and which version of the patient's row tells so: another one after
    every change of anything that is kept of the patient."""

    clinic_id: str
    written: str


@dataclass(frozen=True, slots=True)
class PatientRow:
    """A patient as the work queue needs it.

    `position` is that of the last event folded into it, `planned_at` that of the last plan or
    enrolment.
    """

    patient_id: str
    position: int
    planned_at: int
    active_at: datetime | None
    standing: Standing


@dataclass(frozen=True)
class SessionRow:
    """A session; its summary is decoded when asked for."""

    session_id: str
    started_at: datetime
    text: str

    @property
    def summary(self) -> Summary:
        return load_summary(self.text)


@dataclass(frozen=True)
class SetRow:
    exercise_id: str
    side: int
    record: SetRecord


class Snapshot:
    """One consistent state of the read models."""

    def __init__(self, connection: asyncpg.Connection, queries: Queries, cursors: Cursors) -> None:
        self._connection = connection
        self._queries = queries
        self.cursors = cursors

    async def fetch(self, query: str, *values: object) -> list[asyncpg.Record]:
        """Rows of a named query, for the modules that read one model each."""
        rows: list[asyncpg.Record] = await self._connection.fetch(self._queries[query], *values)
        return rows

    async def patient(self, patient_id: str) -> Patient | None:
        """Whose patient it is; None when nothing of it is known, or nothing any more."""
        row = await self._connection.fetchrow(self._queries["patient"], patient_id)
        return Patient(row["clinic_id"], row["written"]) if row else None

    async def care_facts(self, patient_id: str, kinds: Sequence[str]) -> list[Fact]:
        rows = await self._connection.fetch(self._queries["care_of"], patient_id, kinds)
        return [fact_of(load_event(row["event"])) for row in rows]

    async def plan_facts(self, patient_ids: Sequence[str]) -> dict[str, list[Fact]]:
        """Plans and enrolments by patient."""
        found: dict[str, list[Fact]] = {patient_id: [] for patient_id in patient_ids}
        for row in await self._connection.fetch(self._queries["plans"], patient_ids):
            found[row["patient_id"]].append(fact_of(load_event(row["event"])))
        return found

    async def sessions(self, patient_ids: Sequence[str]) -> dict[str, list[SessionRow]]:
        """All sessions by patient."""
        found: dict[str, list[SessionRow]] = {patient_id: [] for patient_id in patient_ids}
        for row in await self._connection.fetch(self._queries["session_summaries"], patient_ids):
            session = SessionRow(row["session_id"], row["started_at"], row["summary"])
            found[row["patient_id"]].append(session)
        return found

    async def session_page(
        self, patient_id: str, after: tuple[datetime, str] | None, limit: int
    ) -> list[SessionRow]:
        """Newest first, from after the given start and id."""
        started_at, session_id = after or (None, None)
        rows = await self._connection.fetch(
            self._queries["session_page"], patient_id, started_at, session_id, limit
        )
        return [SessionRow(row["session_id"], row["started_at"], row["summary"]) for row in rows]

    async def newest_session(
        self, patient_id: str, until: datetime | None = None
    ) -> SessionRow | None:
        """The session begun last, up to a time if one is told."""
        row = await self._connection.fetchrow(self._queries["newest_session"], patient_id, until)
        return SessionRow(row["session_id"], row["started_at"], row["summary"]) if row else None

    async def observed_sets(
        self, patient_id: str, since: datetime, until: datetime, exercise_id: str
    ) -> list[SetRow]:
        """Sets first observed in [since, until); of one exercise, of all when it is empty."""
        rows = await self._connection.fetch(
            self._queries["observed_sets"], patient_id, since, until, exercise_id
        )
        return [
            SetRow(row["exercise_id"], row["side"], load_set(row["record"], row["reps"]))
            for row in rows
        ]

    async def marks(self, patient_id: str, since: datetime, until: datetime) -> list[Mark]:
        rows = await self._connection.fetch(self._queries["marks"], patient_id, since, until)
        return [Mark(*row) for row in rows]

    async def work_candidates(self, clinic_id: str) -> list[PatientRow]:
        """Patients of a clinic whom the work queue may show."""
        rows = await self._connection.fetch(self._queries["work_candidates"], clinic_id)
        return [
            PatientRow(
                row["patient_id"],
                row["position"],
                row["planned_at"],
                row["active_at"],
                load_standing(row["standing"]),
            )
            for row in rows
        ]

    async def changed_before(self, asked: Mapping[str, datetime]) -> dict[str, int]:
        """The last position that told of any session which began before a patient's given time."""
        rows = await self._connection.fetch(
            self._queries["changed_before"], list(asked), list(asked.values())
        )
        return {row["patient_id"]: row["position"] or 0 for row in rows}


class Reader:
    """The answers' side of the store."""

    def __init__(self, database: Database, queries: Queries) -> None:
        self._database = database
        self._queries = queries

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[Snapshot]:
        async with (
            self._database.acquire() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            cursors = cursors_of(await connection.fetch(self._queries["projection"], NAME))
            yield Snapshot(connection, self._queries, cursors)

    async def cursors(self) -> Cursors:
        """How far the log is folded."""
        return cursors_of(await self._database.fetch(self._queries["projection"], NAME))

    async def written(self, patient_ids: Sequence[str]) -> dict[str, str]:
        """The version of each patient's row: another one after every change of the patient."""
        rows = await self._database.fetch(self._queries["written"], patient_ids)
        return {row["patient_id"]: row["written"] for row in rows}

    async def is_erased(self, patient_id: str) -> bool:
        return bool(await self._database.fetch(self._queries["erased"], patient_id))

    async def parked(self) -> list[str]:
        """Patients whose stream is held back."""
        rows = await self._database.fetch(self._queries["parked"])
        return [row["patient_id"] for row in rows]
