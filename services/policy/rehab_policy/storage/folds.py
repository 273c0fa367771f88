"""What folding the log leaves behind, stored with the position that it reflects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import asyncpg

from rehab.events.v1.event_pb2 import RecordedEvent
from rehab_policy.storage.alerts import AlertFact, Alerts
from rehab_runtime.positions import Cursor, FencedError, Positions
from rehab_runtime.postgres import Database, Queries


@dataclass(frozen=True, slots=True)
class Fired:
    """What a rule did, or would have done."""

    book: int
    firing_id: str
    rule_id: str
    rule_version: int
    action: str
    alert_id: str
    clinic_id: str
    patient_id: str
    shadow: bool
    at: datetime
    trial: str = ""
    arm: str = ""
    followed: bool = False


@dataclass(frozen=True, slots=True)
class Due:
    """A patient whose rules wait for a time, and the track that they are of."""

    patient_id: str
    track: int


@dataclass
class Changes:
    """What a batch, or timers, changed. `timers` has the next time that a fold waits for; None for
    nothing any more. `patients` has clinic and therapist."""

    timers: dict[Due, datetime | None] = field(default_factory=dict)
    patients: dict[str, tuple[str, str]] = field(default_factory=dict)
    fired: list[Fired] = field(default_factory=list)
    alerts: list[AlertFact] = field(default_factory=list)
    erased: list[str] = field(default_factory=list)

    @property
    def none(self) -> bool:
        """Mostly nothing but the position changes."""
        return not (self.timers or self.patients or self.fired or self.alerts or self.erased)


class Folds:
    """Raises Unavailable when PostgreSQL does not answer."""

    def __init__(self, database: Database, queries: Queries, alerts: Alerts) -> None:
        self.positions = Positions(database, "log_position")
        self._database = database
        self._queries = queries
        self._alerts = alerts

    async def save(
        self, cursor: Cursor, batch: Sequence[RecordedEvent], changes: Changes
    ) -> Cursor:
        """The cursor after the batch. Raises FencedError when it is not where it is believed to
        be."""
        if changes.none:
            async with self._database.acquire() as connection:
                return await self.positions.advance(connection, cursor, batch)
        async with self._database.transaction() as connection:
            reached = await self.positions.advance(connection, cursor, batch)
            await self._store(connection, cursor.shard, changes)
        return reached

    async def save_timers(self, cursor: Cursor, changes: Changes, anew: Anew | None = None) -> None:
        """What timers did, and how far they are set anew. Raises FencedError when the shard is
        folded further."""
        async with self._database.transaction() as connection:
            row = await connection.fetchrow(self._queries["hold"], cursor.shard)
            if row is None or row["position"] != cursor.position:
                raise FencedError(f"shard {cursor.shard}")
            await self._store(connection, cursor.shard, changes)
            if anew is not None:
                told = (anew.track, anew.generation, cursor.shard, anew.after, anew.done)
                await connection.execute(self._queries["set_up_to"], *told)

    async def _store(self, connection: asyncpg.Connection, shard: int, changes: Changes) -> None:
        if changes.patients:
            rows = [(name, *told) for name, told in changes.patients.items()]
            names, clinics, therapists = _columns(rows, 3)
            told = (names, shard, clinics, therapists)
            await connection.execute(self._queries["patients"], *told)
        await self._set_timers(connection, shard, changes.timers)
        if changes.fired:
            fired = [tuple(getattr(one, name) for name in _FIRED) for one in changes.fired]
            await connection.execute(self._queries["fired"], *_columns(fired, len(_FIRED)))
        await self._alerts.keep(connection, changes.alerts, shard)
        if changes.erased:
            for query in ("erase_alerts", "erase_firings", "erase_timers", "erase_patients"):
                await connection.execute(self._queries[query], changes.erased)

    async def _set_timers(
        self, connection: asyncpg.Connection, shard: int, timers: Mapping[Due, datetime | None]
    ) -> None:
        ended = [(one.patient_id, one.track) for one, at in timers.items() if at is None]
        if ended:
            await connection.execute(self._queries["clear_timers"], *_columns(ended, 2))
        waiting = [(one.patient_id, one.track, at) for one, at in timers.items() if at is not None]
        if waiting:
            await connection.execute(self._queries["set_timers"], shard, *_columns(waiting, 3))

    async def due(self, shard: int, by: datetime, limit: int) -> Sequence[Due]:
        rows = await self._database.fetch(self._queries["due"], shard, by, limit)
        return [Due(row["patient_id"], row["track"]) for row in rows]

    async def keep_tracks(self, tracks: Sequence[int]) -> None:
        """Nobody waits for the timers of others any more."""
        await self._database.execute(self._queries["drop_timers"], tracks)

    async def anew(self, track: int, generation: int, shard: int) -> Anew:
        """How far the timers of a track are set anew."""
        told = (track, generation, shard)
        row = await self._database.fetchrow(self._queries["timers_set"], *told)
        known = (row["after_patient"], row["done"]) if row is not None else ("", False)
        return Anew(track, generation, *known)

    async def next_patients(self, shard: int, after: str, limit: int) -> Sequence[str]:
        rows = await self._database.fetch(self._queries["next_patients"], shard, after, limit)
        return [row["patient_id"] for row in rows]


@dataclass(frozen=True, slots=True)
class Anew:
    """Timers of a track, as its rules of a generation set them: those of patients up to `after`."""

    track: int
    generation: int
    after: str = ""
    done: bool = False


_FIRED = tuple(Fired.__dataclass_fields__)


def _columns(rows: Sequence[tuple[Any, ...]], width: int) -> list[list[Any]]:
    return [[row[column] for row in rows] for column in range(width)]
