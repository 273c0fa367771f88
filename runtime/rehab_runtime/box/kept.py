"""The keys of a box in PostgreSQL, each wrapped by a keeper: sealing stays in this process, and
Vault or KMS are asked once a version and start, not once a secret.

A service's migrations make the table: `box_version (number integer PRIMARY KEY, box_id text,
seals_from timestamptz, kek_id text, kek_version text, wrapped bytea)`, all NOT NULL.
"""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import TypeVar

import asyncpg

from rehab_runtime.box.box import BoxKeys
from rehab_runtime.clock import Clock, uuid7
from rehab_runtime.errors import Internal, RehabError
from rehab_runtime.keepers.opening import Wrapping
from rehab_runtime.keepers.wrapper import Kek, KeyRefused, KeyWrapper, Unwrapped, Wrapped
from rehab_runtime.logging import get_logger
from rehab_runtime.postgres import Database, Queries

A = TypeVar("A")
KEY_BYTES = 32
LOOK_S = 2.0
"""So often replicas look for new versions."""

log = get_logger("keys")


async def kept(database: Database) -> list[Wrapping]:
    """What wraps the versions of the box; nothing while they are not kept here."""
    rows = await database.fetch(_queries()["all"])
    count = Counter(Kek(row["kek_id"], row["kek_version"]) for row in rows)
    return [Wrapping(kek, living) for kek, living in count.items()]


class OfKeeper:
    """`open` before use; `run` is its task. `owner` is the service. A new version seals `lead_s`
    seconds after it was made: by then every replica has looked."""

    def __init__(
        self,
        database: Database,
        wrapper: KeyWrapper,
        clock: Clock,
        owner: str,
        lead_s: float,
    ) -> None:
        self._database = database
        self._queries = _queries()
        self._wrapper = wrapper
        self._clock = clock
        self._owner = owner
        self._lead_s = lead_s
        self._opened: dict[int, bytes] = {}
        self._keys: BoxKeys | None = None
        self._id = ""
        self._begin: Mapping[int, datetime] = {}

    async def open(self, before: BoxKeys | None) -> None:
        """Look for versions. Without any, those of `before` are wrapped and kept, or a new one.
        Raises what the keeper raises, Internal."""
        if not await self._database.fetch(self._queries["all"]):
            first = before or BoxKeys(f"box-{uuid7()}", 1, {1: os.urandom(KEY_BYTES)})
            await self._keep(first)
        await self.look()

    async def run(self) -> None:
        while True:
            await asyncio.sleep(LOOK_S)
            try:
                await self.look()
            except (RehabError, asyncpg.PostgresError, OSError) as error:
                log.warning("cannot look for new keys", error=type(error).__name__)

    async def look(self) -> None:
        """Raises what the keeper raises, Internal."""
        rows = await self._database.fetch(self._queries["all"])
        new = [row for row in rows if row["number"] not in self._opened]
        for row, opened in zip(new, await self._unwrapped(new), strict=True):
            self._opened[row["number"]] = opened
        there = {row["number"]: row["seals_from"] for row in rows}
        if there != self._begin:
            self._opened = {number: self._opened[number] for number in there}
            self._begin = there
            self._keys = None
            self._id = rows[0]["box_id"]

    def current(self) -> BoxKeys:
        newest = self._newest()
        if self._keys is None or self._keys.newest != newest:
            self._keys = BoxKeys(self._id, newest, dict(self._opened))
        return self._keys

    def again(self) -> BoxKeys:
        return self.current()

    async def rotate(self) -> int:
        """Answers when every replica knows the version and seals with it."""
        async with self._database.transaction() as connection:
            await connection.execute(self._queries["lock"])
            rows = await connection.fetch(self._queries["all"])
            number = rows[-1]["number"] + 1
            seals_from = self._clock.now() + timedelta(seconds=self._lead_s)
            await self._add(
                connection, rows[0]["box_id"], {number: os.urandom(KEY_BYTES)}, seals_from
            )
        while self._newest() < number:
            await asyncio.sleep(LOOK_S / 10)
            await self.look()
        return int(number)

    async def destroy_older(self) -> int:
        newest = self._newest()
        await self._database.execute(self._queries["drop"], newest)
        await self.look()
        return newest

    async def rewrap(self) -> None:
        rows = await self._database.fetch(self._queries["all"])
        answers = await self._wrapper.rewrap([self._wrapped(row) for row in rows])
        for row, answer in zip(rows, answers, strict=True):
            told = _or_raise(answer)
            await self._database.execute(
                self._queries["rewrap"],
                *(row["number"], row["wrapped"], told.kek.id, told.kek.version, told.blob),
            )

    def _newest(self) -> int:
        """The newest of those that seal by now, or else the oldest."""
        now = self._clock.now()
        begun = [number for number, begin in self._begin.items() if begin <= now]
        return max(begun, default=min(self._begin))

    async def _keep(self, keys: BoxKeys) -> None:
        async with self._database.transaction() as connection:
            await connection.execute(self._queries["lock"])
            if not await connection.fetch(self._queries["all"]):
                await self._add(connection, keys.id, keys.versions, self._clock.now())

    async def _add(
        self,
        connection: asyncpg.Connection,
        box_id: str,
        versions: Mapping[int, bytes],
        seals_from: datetime,
    ) -> None:
        secrets = [
            Unwrapped(self._context(box_id, number), key) for number, key in versions.items()
        ]
        wrapped = await self._wrapper.wrap(secrets)
        for number, one in zip(versions, wrapped, strict=True):
            await connection.execute(
                self._queries["add"],
                *(number, box_id, seals_from, one.kek.id, one.kek.version, one.blob),
            )

    async def _unwrapped(self, rows: Sequence[asyncpg.Record]) -> list[bytes]:
        if not rows:
            return []
        answers = await self._wrapper.unwrap([self._wrapped(row) for row in rows])
        return [_or_raise(answer).secret for answer in answers]

    def _wrapped(self, row: asyncpg.Record) -> Wrapped:
        context = self._context(row["box_id"], row["number"])
        return Wrapped(context, Kek(row["kek_id"], row["kek_version"]), row["wrapped"])

    def _context(self, box_id: str, number: int) -> str:
        return f"{self._owner} box {box_id} {number}"


@cache
def _queries() -> Queries:
    return Queries.load("rehab_runtime", "box/kept.sql")


def _or_raise(answer: A | KeyRefused) -> A:
    if isinstance(answer, KeyRefused):
        raise Internal(f"{answer.line}; {answer.remedy}")
    return answer
