"""Stores what a batch changed, and the position with it, in one transaction."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

import asyncpg
from rehab_clinical.facts import moment
from rehab_clinical.sessions import SessionRecord, SetKey, SetRecord

from rehab.events.v1.event_pb2 import RecordedEvent
from rehab_projections.changes import Changes, Parked
from rehab_projections.storage import gathered
from rehab_projections.storage.codec import load_event, load_session, load_set
from rehab_projections.storage.cursors import NAME, Cursor, Cursors, cursors_of
from rehab_projections.storage.putting import UNSTORABLE, Put, insert
from rehab_projections.storage.rows import rows_of
from rehab_runtime.errors import Unavailable
from rehab_runtime.postgres import Database, Queries

SessionKey = tuple[str, str]
_PURGES = ("patient", "care", "sessions", "sets", "monitoring", "corrected", *gathered.PURGES)


class FencedError(Exception):
    """Another runner has taken over: nothing was stored."""


class UnstorableError(Exception):
    """A value that no column can hold: nothing was stored."""


Fence = Callable[[asyncpg.Connection, Cursor, Cursor], Awaitable[bool]]
"""Moves what is saved from one cursor to another; False when another runner was here."""


class Writer:
    """The fold's side of the store. Without a fence of another kind the cursor is a shard's; rows
    go in by statements unless they are `put` in another way."""

    def __init__(
        self,
        database: Database,
        queries: Queries,
        fence: Fence | None = None,
        put: Put = insert,
    ) -> None:
        self._database = database
        self._queries = queries
        self._fence = fence or self._advance
        self._put = put

    async def start(self, incarnations: Sequence[str]) -> Cursors:
        """The saved cursors, with new ones at the beginning of shards that have none. The log's
        incarnations are told by shard."""
        await self._database.execute(self._queries["start_projection"], NAME, incarnations)
        return await self.cursors()

    async def cursors(self) -> Cursors:
        return cursors_of(await self._database.fetch(self._queries["projection"], NAME))

    async def held_back(self, patient_ids: Sequence[str]) -> tuple[set[str], set[str]]:
        """Patients whose streams are, and patients with events that are void."""
        rows = await self._database.fetch(self._queries["held_back"], patient_ids)
        held = {row["patient_id"] for row in rows if row["held"]}
        return held, {row["patient_id"] for row in rows if not row["held"]}

    async def void(self, patient_ids: Sequence[str], event_ids: Sequence[str]) -> set[str]:
        rows = await self._database.fetch(self._queries["void"], patient_ids, event_ids)
        return {row["event_id"] for row in rows}

    async def skipped(self, patient_id: str) -> set[str]:
        """Events of a patient that an operator has passed over."""
        rows = await self._database.fetch(self._queries["skipped"], patient_id)
        return {row["event_id"] for row in rows}

    async def care_events(self, patient_ids: Sequence[str]) -> dict[str, list[RecordedEvent]]:
        found: dict[str, list[RecordedEvent]] = {patient_id: [] for patient_id in patient_ids}
        for row in await self._database.fetch(self._queries["care_events"], patient_ids):
            found[row["patient_id"]].append(load_event(row["event"]))
        return found

    async def sessions(self, keys: Sequence[SessionKey]) -> dict[SessionKey, SessionRecord]:
        """The known ones among the sessions."""
        columns = ([key[0] for key in keys], [key[1] for key in keys])
        rows = await self._database.fetch(self._queries["sessions_by_key"], *columns)
        if not rows:
            return {}
        sets: dict[SessionKey, dict[SetKey, SetRecord]] = {}
        for row in await self._database.fetch(self._queries["sets_by_session"], *columns):
            key = SetKey(row["exercise_id"], row["side"], row["set_index"])
            of_session = sets.setdefault((row["patient_id"], row["session_id"]), {})
            of_session[key] = load_set(row["record"], row["reps"])
        return {
            (row["patient_id"], row["session_id"]): load_session(
                row["session_id"],
                row["record"],
                sets.get((row["patient_id"], row["session_id"]), {}),
            )
            for row in rows
        }

    async def parked(self) -> list[Parked]:
        return [Parked(*row) for row in await self._database.fetch(self._queries["parked"])]

    async def store(self, expected: Cursor, last: RecordedEvent, changes: Changes) -> Cursor:
        """Store the changes and move the position to the last event.

        Raises FencedError, UnstorableError.
        """
        at = moment(last.envelope.recorded_at)
        reached = replace(expected, position=last.envelope.position, recorded_at=at)
        await self._store(expected, reached, changes)
        return reached

    async def mend(self, cursor: Cursor, changes: Changes) -> Cursor:
        """Store changes that belong to the position already reached. Other runners are fenced off:
        what they have in memory was changed.

        Raises FencedError, UnstorableError.
        """
        mended = replace(cursor, epoch=cursor.epoch + 1)
        await self._store(cursor, mended, changes)
        return mended

    async def _store(self, expected: Cursor, reached: Cursor, changes: Changes) -> None:
        try:
            await self._store_in_time(expected, reached, changes)
        except asyncpg.LockNotAvailableError:
            raise Unavailable("another version of the read models is about to answer") from None

    async def _store_in_time(self, expected: Cursor, reached: Cursor, changes: Changes) -> None:
        async with self._database.transaction() as connection:
            # The log is the truth: what a crash of this database loses is folded again. Readers
            # see the batch sooner by the time of a disk sync.
            await connection.execute("SET LOCAL synchronous_commit = off")
            if not await self._fence(connection, expected, reached):
                raise FencedError(
                    f"shard {expected.shard} is no longer folded up to position {expected.position}"
                )
            await self._changed(connection, changes)

    async def _advance(
        self, connection: asyncpg.Connection, expected: Cursor, reached: Cursor
    ) -> bool:
        moved = await connection.execute(
            self._queries["advance"],
            NAME,
            expected.position,
            reached.position,
            reached.recorded_at,
            expected.incarnation,
            expected.shard,
            expected.epoch,
            reached.epoch,
        )
        return bool(moved == "UPDATE 1")

    async def _changed(self, connection: asyncpg.Connection, changes: Changes) -> None:
        replaced = [patient for patient, change in changes.patients.items() if change.replaced]
        if replaced:
            for table in _PURGES:
                await connection.execute(self._queries[f"purge_{table}"], replaced)
        if changes.released:
            await connection.execute(self._queries["release"], changes.released)
        try:
            for name, rows in rows_of(changes).items():
                if rows:
                    await self._put(connection, self._queries[name], rows)
        except UNSTORABLE as error:
            raise UnstorableError(type(error).__name__) from None
