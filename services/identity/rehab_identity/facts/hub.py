"""Tells watchers of changes, whichever replica made them: PostgreSQL's NOTIFY carries them."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

import asyncpg

from rehab_identity import metrics
from rehab_identity.facts.storage import CHANNEL
from rehab_runtime.clock import Clock
from rehab_runtime.errors import Draining, Unavailable
from rehab_runtime.logging import get_logger
from rehab_runtime.postgres import AWAY, Queries

BEAT_S = 0.4
LOOK_TIMEOUT_S = 0.6
"""Together the second in which a watcher is promised a word."""
CONNECT_TIMEOUT_S = 5.0
FORGET_S = 60.0
RETRY_S = 0.25
FIRST_BEAT_S = 2.0
LOOK_BACK = timedelta(seconds=60)
"""Longer than a transaction that revokes may take to become visible."""
SEEN_AGAIN = 1000
"""Numbers that are looked at again: more than there are transactions at once."""
NONE_YET = 2**63 - 1
MAX_PENDING = 10_000

log = get_logger("hub")


class Revocation(NamedTuple):
    """Of a session, an API key, a device or an account."""

    id: str
    at: datetime


@dataclass
class News:
    """What a watcher was not told yet. All of it may be gone for `everything`."""

    patients: set[str] = field(default_factory=set)
    revoked: list[Revocation] = field(default_factory=list)
    everything: bool = False


class _Watcher:
    """`missed` says that something may not have been told."""

    def __init__(self) -> None:
        self.news = News()
        self.beat = asyncio.Event()
        self.missed = False

    def add(self, patients: list[str], revoked: list[Revocation]) -> None:
        self.news.patients.update(patients)
        self.news.revoked += revoked
        if len(self.news.patients) > MAX_PENDING:
            self.news.patients.clear()
            self.news.everything = True
        if len(self.news.revoked) > MAX_PENDING:
            # whoever comes back is told of all once more
            self.news.revoked.clear()
            self.missed = True
        self.beat.set()

    def take(self) -> News:
        self.beat.clear()
        taken, self.news = self.news, News()
        return taken


class Hub:
    """`run` is its task: one connection that listens and, every BEAT_S, asks for revocations. What
    was told before the question is heard before its answer, so an answer proves that nothing was
    missed: only then watchers are told that all is well."""

    def __init__(self, dsn: str, queries: Queries, clock: Clock, *, kept: timedelta) -> None:
        self._dsn = dsn
        self._clock = clock
        self._queries = queries
        self._kept = kept
        self._watchers: set[_Watcher] = set()
        self._listening = asyncio.Event()
        self._revoked = asyncio.Event()
        self._seen: dict[int, Revocation] = {}
        self._closing = False

    def close(self) -> None:
        """End every watch with Draining, so that watchers go to another replica."""
        self._closing = True
        self._wake()

    async def run(self) -> None:
        """Listen, for ever."""
        while True:
            try:
                await self._listen()
            except (*AWAY, asyncpg.PostgresError) as error:
                log.warning(
                    "not listening for changes: watchers are sent away until it works",
                    error_type=type(error).__name__,
                )
            finally:
                self._listening.clear()
                for watcher in self._watchers:
                    # also of one who is slow to read, and will find all well again
                    watcher.missed = True
                self._wake()
            await asyncio.sleep(RETRY_S)

    async def watch(self) -> AsyncGenerator[News, None]:
        """First no news, then what was revoked lately, then news at least every BEAT_S, for ever.
        Raises Unavailable when they may be missed, Draining on closing."""
        with self._watching() as watcher:
            await self._first_beat()
            watcher.missed = False
            watcher.take()
            yield News()
            yield News(revoked=list(self._seen.values()))
            while True:
                self._require_well(watcher)
                await watcher.beat.wait()
                self._require_well(watcher)
                yield watcher.take()

    @contextmanager
    def _watching(self) -> Iterator[_Watcher]:
        watcher = _Watcher()
        self._watchers.add(watcher)
        metrics.watchers.set(len(self._watchers))
        try:
            yield watcher
        finally:
            self._watchers.discard(watcher)
            metrics.watchers.set(len(self._watchers))

    async def _first_beat(self) -> None:
        """Nothing is awaited between what it finds and what follows."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(FIRST_BEAT_S):
                await self._listening.wait()
        if self._closing:
            raise Draining("watchers are asked to leave")
        if not self._listening.is_set():
            raise Unavailable("changes are not heard of")

    def _require_well(self, watcher: _Watcher) -> None:
        if self._closing:
            raise Draining("watchers are asked to leave")
        if watcher.missed:
            raise Unavailable("changes were not heard of")

    def _wake(self) -> None:
        for watcher in self._watchers:
            watcher.beat.set()

    async def _listen(self) -> None:
        connection = await asyncpg.connect(
            self._dsn,
            timeout=CONNECT_TIMEOUT_S,
            server_settings={"application_name": "identity-listener"},
        )
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                await connection.add_listener(CHANNEL, self._notified)
            while True:
                until = self._clock.monotonic() + FORGET_S
                await self._look(connection, self._kept)
                self._listening.set()
                while self._clock.monotonic() < until:
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(BEAT_S):
                            await self._revoked.wait()
                    self._revoked.clear()
                    await self._look(connection, LOOK_BACK)
                    self._wake()
        finally:
            connection.terminate()

    def _notified(self, _connection: object, _pid: int, _channel: str, payload: object) -> None:
        try:
            told = json.loads(str(payload))
            patients = [str(one) for one in told["patients"]]
        except (ValueError, TypeError, KeyError):
            # of what was revoked only the table tells
            self._revoked.set()
            return
        for watcher in self._watchers:
            watcher.add(patients, [])

    async def _look(self, connection: asyncpg.Connection, back: timedelta) -> None:
        after = max(self._seen) - SEEN_AGAIN if self._seen else NONE_YET
        rows = await connection.fetch(
            self._queries["revocations"], back, after, timeout=LOOK_TIMEOUT_S
        )
        read = {row["seq"]: Revocation(row["revoked"], row["at"]) for row in rows}
        new = [one for seq, one in read.items() if seq not in self._seen]
        self._seen.update(read)
        if back == self._kept:
            # what is older nobody can use any more
            self._seen = read
        if new:
            for watcher in self._watchers:
                watcher.add([], new)
