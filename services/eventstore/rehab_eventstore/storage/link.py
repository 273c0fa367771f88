"""The writer's own connection to PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate

import asyncpg

from rehab_eventstore.domain.decide import EventKey, Row, Stored
from rehab_eventstore.domain.head import Head, head_of
from rehab_runtime.postgres import Queries
from rehab_runtime.slices import slice_of

CONNECT_TIMEOUT_S = 2.0

LOST = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.PostgresConnectionError,
    asyncpg.InternalClientError,
    asyncpg.OperatorInterventionError,
)
"""The connection is gone, or the server is going: what was asked may or may not have been done."""
OF_THE_BATCH = (asyncpg.IntegrityConstraintViolationError, asyncpg.DataError)


class CommitUnknown(Exception):
    """The link was lost while a batch was being committed: it may be in the log or not."""


class LinkLost(Exception):
    """The link was lost while nothing was being written."""


class BatchRefused(Exception):
    """PostgreSQL rolled the batch back because of what is in it."""


class StatementRefused(Exception):
    """PostgreSQL rolled the statement back, but not for what is in it: time, disk, read-only."""


@dataclass(frozen=True, slots=True)
class Written:
    """An event of the log, as far as the writer cares."""

    position: int
    stream: str
    stream_version: int
    event_id: str
    kind: str
    fingerprint: bytes

    @property
    def key(self) -> EventKey:
        return self.stream, self.event_id

    @property
    def stored(self) -> Stored:
        return Stored(self.position, self.stream_version, self.fingerprint)


class Link:
    """One connection, never shared, made again by `open` when it is lost.

    Every method but `open` raises LinkLost when there is no connection any more, and `append`
    raises CommitUnknown then. A lost connection is cut, so that nothing can come over it later.
    """

    def __init__(self, dsn: str, queries: Queries, shard: int, timeout_s: float) -> None:
        self._dsn = dsn
        self._queries = queries
        self._shard = shard
        self._timeout_s = timeout_s
        self._connection: asyncpg.Connection | None = None

    @property
    def is_open(self) -> bool:
        return self._connection is not None

    @property
    def backend(self) -> int:
        """The number of the server's process behind it; 0 without a connection."""
        return self._connection.get_server_pid() if self._connection is not None else 0

    async def open(self) -> None:
        """Connect. Raises LinkLost."""
        self.cut()
        milliseconds = str(int(self._timeout_s * 1000))
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                self._connection = await asyncpg.connect(
                    self._dsn,
                    server_settings={
                        "application_name": "eventstore-writer",
                        "synchronous_commit": "on",
                        "statement_timeout": milliseconds,
                        "lock_timeout": milliseconds,
                        # look-ups go by index, whatever the statistics of a young table say
                        "enable_seqscan": "off",
                        "jit": "off",
                    },
                )
        except (*LOST, asyncpg.PostgresError) as error:
            raise LinkLost(type(error).__name__) from None

    def cut(self) -> None:
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None

    async def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is None:
            return
        try:
            await connection.close(timeout=1)
        except LOST:
            connection.terminate()

    async def append(
        self, head: Head, recorded_at: datetime, rows: Sequence[Row], hashes: Sequence[bytes]
    ) -> bool:
        """Write rows after a head, all or none; False when that is not the head any more.

        Raises CommitUnknown, BatchRefused when a constraint forbids a row, StatementRefused.
        """
        try:
            told = await self._fetch(
                "append",
                self._shard,
                head.epoch,
                head.position,
                len(rows),
                recorded_at,
                hashes[-1],
                *_columns(rows, hashes),
            )
        except LinkLost as error:
            raise CommitUnknown(str(error)) from None
        return bool(told)

    async def head(self) -> Head:
        (row,) = await self._fetch("head", self._shard)
        return head_of(**row)

    async def renew_incarnation(self, head: Head) -> None:
        """Make the log another one, unless somebody else did."""
        await self._fetch("renew_incarnation", self._shard, head.incarnation)

    async def since(self, position: int, limit: int) -> tuple[Head, list[Written]]:
        """The head, and at most `limit` events after a position, seen at one instant."""
        rows = await self._fetch("since", self._shard, position, position + limit)
        first = rows[0]
        head = head_of(
            *(first["shard"], first["head"], first["epoch"]),
            *(first["incarnation"], first["recorded_at"], first["hash"]),
        )
        return head, [
            Written(
                row["position"],
                row["stream_id"],
                row["stream_version"],
                str(row["event_id"]),
                row["kind"],
                row["content_hmac"],
            )
            for row in rows
            if row["position"] is not None
        ]

    async def versions(self, streams: Sequence[str]) -> tuple[Mapping[str, int], set[str]]:
        """The last version of each stream, 0 of one without events, and those whose subject is
        being erased."""
        rows = await self._fetch("versions", streams)
        versions = dict.fromkeys(streams, 0)
        versions |= {row["stream_id"]: row["stream_version"] for row in rows}
        return versions, {row["stream_id"] for row in rows if row["erased"]}

    async def stored(self, keys: Iterable[EventKey]) -> Mapping[EventKey, Stored]:
        """Those of the events that are stored."""
        streams, ids = zip(*keys, strict=True)
        rows = await self._fetch("stored", streams, ids)
        return {
            (row["stream_id"], str(row["event_id"])): Stored(
                row["position"], row["stream_version"], row["content_hmac"]
            )
            for row in rows
        }

    async def _fetch(self, query: str, *arguments: object) -> list[asyncpg.Record]:
        connection = self._connection
        if connection is None:
            raise LinkLost("no connection")
        try:
            # the server gives up first; only one that is out of reach lets it come to this
            async with asyncio.timeout(self._timeout_s + 1):
                return list(await connection.fetch(self._queries[query], *arguments))
        except OF_THE_BATCH as error:
            raise BatchRefused(type(error).__name__) from None
        except asyncpg.QueryCanceledError as error:
            raise StatementRefused(type(error).__name__) from None
        except LOST as error:
            self.cut()
            raise LinkLost(type(error).__name__) from None
        except asyncpg.PostgresError as error:
            raise StatementRefused(type(error).__name__) from None
        except asyncio.CancelledError:
            self.cut()
            raise


def _columns(rows: Sequence[Row], hashes: Sequence[bytes]) -> tuple[object, ...]:
    """The rows as the statement takes them in."""
    streams, versions, events, sealed = zip(*rows, strict=True)
    ids, clinics, kinds, schemas, occurred, phi, consents, metas, _, _ = zip(*events, strict=True)
    bodies, keys, fingerprints = zip(*sealed, strict=True)
    parts = _in_turn(metas, bodies)
    ends = list(accumulate(map(len, parts), initial=1))
    return (
        *(_lines(streams), versions, list(map(slice_of, streams))),
        *(_lines(ids), _lines(clinics), _lines(kinds), schemas, occurred, phi),
        *(_lines(consents), _lines(keys)),
        *(b"".join(parts), ends[:-1:2], ends[1::2], ends[2::2]),
        b"".join(_in_turn(fingerprints, hashes)),
    )


def _in_turn(first: Iterable[bytes], second: Iterable[bytes]) -> list[bytes]:
    return [one for pair in zip(first, second, strict=True) for one in pair]


_lines = "\n".join
