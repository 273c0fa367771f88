"""Versions of the rules, and what happened to them."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg

from rehab_runtime.postgres import Database, Queries

CHANNEL = "policy_rules"
"""Told when a version was put elsewhere."""


@dataclass(frozen=True, slots=True)
class RuleSetRow:
    """`files` has texts by their names; empty in lists."""

    version: int
    files: dict[str, str]
    sha256: bytes
    rules: int
    status: str
    author: str
    note: str
    created_at: datetime
    approved_by: str
    approved_at: datetime | None
    shadow_from: datetime | None
    live_from: datetime | None
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class Change:
    """What happened to a version, for the log."""

    number: int
    version: int
    status: str
    actor: str
    role: str
    at: datetime
    effective_from: datetime | None
    sha256: bytes
    approved_by: str


@dataclass(frozen=True, slots=True)
class By:
    """Who changes rules, and when."""

    actor: str
    role: str
    at: datetime


class RuleSets:
    """Raises Unavailable when PostgreSQL does not answer."""

    def __init__(self, database: Database, queries: Queries) -> None:
        self._database = database
        self._queries = queries

    async def all(self) -> Sequence[RuleSetRow]:
        """Newest first, without their files."""
        rows = await self._database.fetch(self._queries["rule_sets"])
        return [_row(row) for row in rows]

    async def get(self, version: int) -> RuleSetRow | None:
        """The live one for 0."""
        row = await self._database.fetchrow(self._queries["rule_set"], version)
        return _row(row) if row is not None else None

    async def untold(self) -> Sequence[Change]:
        """Oldest first."""
        rows = await self._database.fetch(self._queries["untold"])
        return [Change(**row) for row in rows]

    async def told(self, change: Change) -> None:
        await self._database.execute(self._queries["told"], change.number)

    @asynccontextmanager
    async def changing(self) -> AsyncIterator[Changing]:
        """Alone among all replicas; what is done is done together."""
        async with self._database.transaction() as connection:
            await connection.execute(self._queries["own_rules"])
            yield Changing(connection, self._queries)
            await connection.execute(self._queries["tell"])


class Changing:
    """A change of rule sets under way. `by` is who does it, and the log is told."""

    def __init__(self, connection: asyncpg.Connection, queries: Queries) -> None:
        self._connection = connection
        self._queries = queries

    async def newest(self) -> tuple[int, bytes]:
        """Version and hash; 0 before the first."""
        row = await self._connection.fetchrow(self._queries["newest"])
        return (row["version"], row["sha256"]) if row is not None else (0, b"")

    async def get(self, version: int) -> RuleSetRow | None:
        row = await self._connection.fetchrow(self._queries["rule_set"], version)
        return _row(row) if row is not None else None

    async def put(
        self, version: int, files: Mapping[str, str], sha256: bytes, rules: int, note: str, by: By
    ) -> None:
        told = (version, json.dumps(dict(files)), sha256, rules, by.actor, note, by.at)
        await self._connection.execute(self._queries["put"], *told)
        await self._changed(version, "draft", by, None)

    async def approve(self, version: int, by: By) -> None:
        await self._connection.execute(self._queries["approve"], version, by.actor, by.at)
        await self._changed(version, "approved", by, None)

    async def put_in(self, status: str, version: int, since: datetime, by: By) -> None:
        """Into "shadow", "live" or "retired", from a moment on."""
        query = {"shadow": "shadow", "live": "live", "retired": "retire"}[status]
        await self._connection.execute(self._queries[query], version, since)
        await self._changed(version, status, by, since)

    async def _changed(self, version: int, status: str, by: By, since: datetime | None) -> None:
        told = (version, status, by.actor, by.role, by.at, since)
        await self._connection.execute(self._queries["changed"], *told)


def _row(row: Any) -> RuleSetRow:
    return RuleSetRow(**{**row, "files": json.loads(row["files"])})
