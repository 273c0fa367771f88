"""Notices of emergency access: told to who watches, and delivered by a port at least once."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import asyncpg

from rehab_identity import metrics
from rehab_identity.facts.storage import Taken
from rehab_runtime.errors import Draining, RehabError
from rehab_runtime.listener import Listener
from rehab_runtime.logging import get_logger
from rehab_runtime.postgres import Database, Queries

CHANNEL = "identity_emergency"
LOOK_S = 1.0
"""What was not heard is seen after that."""
BEAT_S = 15.0
AT_ONCE = 100
CLAIMED = 10

log = get_logger("emergency-notices")


@dataclass(frozen=True, slots=True)
class Notice:
    """`recipients` are the accounts of who is to hear of it. Its id is that of the grant."""

    seq: int
    taken: Taken
    recipients: tuple[str, ...]


class Port(Protocol):
    """Takes notices to where people hear of them."""

    async def deliver(self, notice: Notice) -> None:
        """Return once it is handed over; the same may come again. Raises RehabError when it is
        not: it is tried again later."""
        ...


class LogPort:
    """A line in the log, where no other port is set."""

    async def deliver(self, notice: Notice) -> None:
        log.warning(
            "emergency access was taken",
            name=notice.taken.grant_id,
            reason=notice.taken.reason,
            remedy="an admin of the clinic reviews it: rehab access emergencies --unreviewed",
        )


class Notices:
    """`listener` and `deliver_on` are its tasks."""

    def __init__(self, database: Database, queries: Queries, dsn: str) -> None:
        self._database = database
        self._queries = queries
        self._news = asyncio.Event()
        self._closing = False
        self.listener = Listener(
            dsn, "identity-notices", {CHANNEL: lambda _pid, _told: self._wake()}, self._wake
        )

    def close(self) -> None:
        """End every watch with Draining."""
        self._closing = True
        self._wake()

    def _wake(self) -> None:
        news, self._news = self._news, asyncio.Event()
        news.set()

    async def last(self) -> int:
        row = await self._database.fetchrow(self._queries["last_notice"])
        return int(row["seq"]) if row is not None else 0

    async def after(self, seq: int, clinic_id: str, hearer: str) -> Sequence[Notice]:
        """In order, some at once; an empty clinic or hearer stands for all."""
        rows = await self._database.fetch(self._queries["notices"], seq, clinic_id, hearer, AT_ONCE)
        return [_notice(row) for row in rows]

    async def watch(
        self, clinic_id: str, hearer: str, after: int | None
    ) -> AsyncGenerator[tuple[int, Sequence[Notice]], None]:
        """First none, then notices as they come; none at least every BEAT_S. With each the seq to
        go on from. Raises Draining on closing, Unavailable."""
        seen = await self.last() if after is None else after
        yield seen, ()
        loop = asyncio.get_running_loop()
        told_at = loop.time()
        while not self._closing:
            news = self._news
            found = await self.after(seen, clinic_id, hearer)
            if found:
                seen = found[-1].seq
            if found or loop.time() - told_at >= BEAT_S:
                yield seen, found
                told_at = loop.time()
                continue
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_S):
                    await news.wait()
        raise Draining("watchers are asked to leave")

    async def deliver_on(self, port: Port) -> None:
        """Hand over what is due, for ever."""
        while True:
            news = self._news
            try:
                while await self._deliver(port):
                    pass
                row = await self._database.fetchrow(self._queries["notices_undelivered"])
                metrics.undelivered.set(row["count"] if row is not None else 0)
            except RehabError as error:
                log.warning("cannot look for notices", reason=error.detail)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_S):
                    await news.wait()

    async def _deliver(self, port: Port) -> int:
        """How many were due."""
        rows = await self._database.fetch(self._queries["claim_notices"], CLAIMED)
        for row in sorted(rows, key=lambda one: one["seq"]):
            try:
                await port.deliver(_notice(row))
            except RehabError as error:
                log.warning(
                    "a notice of emergency access was not delivered: it is tried again",
                    name=row["grant_id"],
                    attempt=row["attempts"],
                    reason=error.detail,
                )
                continue
            await self._database.execute(self._queries["notice_delivered"], row["seq"])
        return len(rows)


def _notice(row: asyncpg.Record) -> Notice:
    told = dict(row)
    reviewed_at: datetime | None = told.get("reviewed_at")
    taken = Taken(
        *(told["grant_id"], told["patient_id"], told["clinic_id"], told["principal_id"]),
        *(told["reason"], told["taken_at"], told["expires_at"], reviewed_at),
        *(told.get("reviewed_by", ""), told.get("finding", "")),
    )
    return Notice(told["seq"], taken, tuple(told["recipients"]))
